"""How soon a page's first slider is alive, in a Chromium that nothing else listens to.

Playwright listens to every script, and while it does an exception that plotly.js catches as it starts costs
its parsing again: half a second at a quarter of the speed that no reader waits for. So this speaks to
Chromium itself, over the socket that it opens.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import tempfile
from typing import Any

from tornado.websocket import websocket_connect

from tools.chromium import find_chromium

# Moves the first figure's slider by one as soon as it is drawn, and waits for the picture that follows.
ALIVE = """window.alive = new Promise((resolve) => {
  let place;
  const look = () => {
    if (!place && document.readyState !== "loading") {
      place = document.querySelector("[data-figure]");
      place?.scrollIntoView();
    }
    const plot = place?.querySelector(".grda-plot");
    if (plot?.dataset.state === "drawn") return move(plot);
    requestAnimationFrame(look);
  };
  const move = (plot) => {
    const input = place.querySelector(".grda-control input[type=range]");
    const drawn = () => Number(plot.dataset.moved ?? 0) + Number(plot.dataset.drawn ?? 0);
    const before = drawn();
    input.value = Number(input.value) === Number(input.max) ? Number(input.value) - 1 : Number(input.value) + 1;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    const moved = () => (drawn() === before ? requestAnimationFrame(moved) : resolve(performance.now()));
    moved();
  };
  requestAnimationFrame(look);
})"""


def first_sliders(urls: list[str], slower: list[int]) -> list[list[float]]:
    """Seconds from navigation until the first figure has followed its slider, with nothing cached.

    A row for each of ``urls``, in it a number for each of ``slower``: by how much the processor is
    slowed down.
    """
    return asyncio.run(_first_sliders(urls, slower))


async def _first_sliders(urls: list[str], slower: list[int]) -> list[list[float]]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = ["--headless=new", "--no-sandbox", "--remote-debugging-port=0"]
        command = [find_chromium(), *options, f"--user-data-dir={profile}", "about:blank"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as chromium:
            assert chromium.stderr is not None
            try:
                lines = (line.split() for line in chromium.stderr)
                address = next(line[-1] for line in lines if line[:2] == ["DevTools", "listening"])
                socket = _Socket(await websocket_connect(address))
                return [[await _alive(socket, url, rate) for rate in slower] for url in urls]
            finally:
                chromium.kill()


class _Socket:
    """Commands of the DevTools protocol, one at a time; its events are passed over."""

    def __init__(self, connection: Any) -> None:
        self.connection, self.ids = connection, itertools.count(1)

    async def send(self, method: str, session: str | None = None, **params: Any) -> dict:
        number = next(self.ids)
        told = {"id": number, "method": method, "params": params}
        await self.connection.write_message(
            json.dumps(told | ({"sessionId": session} if session else {}))
        )
        while (answer := json.loads(await self.connection.read_message())).get("id") != number:
            pass
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]


async def _alive(socket: _Socket, url: str, rate: int) -> float:
    context = (await socket.send("Target.createBrowserContext"))["browserContextId"]
    place = {"browserContextId": context, "width": 1280, "height": 900}
    target = (await socket.send("Target.createTarget", url="about:blank", **place))["targetId"]
    attached = await socket.send("Target.attachToTarget", targetId=target, flatten=True)
    session = attached["sessionId"]
    await socket.send("Page.enable", session)
    await socket.send("Page.addScriptToEvaluateOnNewDocument", session, source=ALIVE)
    await socket.send("Emulation.setCPUThrottlingRate", session, rate=rate)
    await socket.send("Page.navigate", session, url=url)
    asked = {"expression": "window.alive", "awaitPromise": True, "returnByValue": True}
    found = await socket.send("Runtime.evaluate", session, **asked)
    await socket.send("Target.disposeBrowserContext", browserContextId=context)
    return found["result"]["value"] / 1000
