"""A real JupyterLab and a headless Chromium to look at it with.

with Server(folder) as server, browser() as context:
    lab = Lab(server, context)
    lab.write("figures.ipynb", ["from grda_edu.explore import *", "demo = …; demo"])
    lab.open("figures.ipynb")
    lab.run_all()
    figure = lab.figures()[0]
    figure.move("tau", 12)
    print(figure.data(), figure.sentence(), lab.complaints, lab.websocket_bytes)
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import axe_playwright_python
import nbformat
from playwright.sync_api import BrowserContext, Error, Locator, Page, sync_playwright

from tools.chromium import find_chromium

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Whatever a page asks for outside this machine is noted, and not found.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
SIZE = (1280, 1000)


def wait_for(condition: Callable[[], object], what: str, seconds: float = 30) -> object:
    """The first true value of ``condition()``; TimeoutError saying ``what`` was waited for."""
    end = time.monotonic() + seconds
    while True:
        if value := condition():
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"not after {seconds} s: {what}")
        time.sleep(0.05)


@contextmanager
def browser(size: tuple[int, int] = SIZE) -> Iterator[BrowserContext]:
    """A headless Chromium with one context: its pages share a cache, as a learner's tabs do."""
    program = find_chromium()
    if program is None:
        raise RuntimeError(
            "no Chromium or Chrome: install one, name it in CHROMIUM, or run pytest -m 'not browser'"
        )
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, headless=True, args=FLAGS)
        context = chromium.new_context(viewport={"width": size[0], "height": size[1]})
        try:
            yield context
        finally:
            chromium.close()


class Server:
    """JupyterLab on a free port of this machine, with its token and with folders of its own.

    Nothing of the user's Jupyter is read or written, and no pop-up asks for news or updates.
    """

    def __init__(self, folder: Path) -> None:
        self.root = folder / "course"
        self._home = folder
        self._token = secrets.token_hex(16)
        self._process: subprocess.Popen | None = None
        self.base = ""

    def __enter__(self) -> Server:
        self.root.mkdir(parents=True, exist_ok=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.base = f"http://127.0.0.1:{port}"
        arguments = [
            "--no-browser",
            "--allow-root",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={self.root}",
            f"--IdentityProvider.token={self._token}",
            "--LabApp.expose_app_in_browser=True",
        ]
        with open(self._home / "server.log", "wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "jupyterlab", *arguments],
                env=self._environment(),
                cwd=self.root,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        wait_for(self._answers, f"JupyterLab answers; see {self._home / 'server.log'}", 120)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self.stop_kernels()
            self._process.terminate()
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _environment(self) -> dict[str, str]:
        settings = self._home / "settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True, exist_ok=True)
        quiet = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}
        (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
        own = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "IPYTHONDIR": "ipython",
            "XDG_DATA_HOME": "share",
        }
        folders = {name: str(self._home / folder) for name, folder in own.items()}
        return {**os.environ, **folders, "OMP_NUM_THREADS": "1"}

    def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError((self._home / "server.log").read_text())
        try:
            self.ask("api/status")
        except OSError:  # refused, cut off, or too late: it is not there yet
            return False
        return True

    def ask(self, path: str, method: str = "GET") -> object:
        """What the server's REST interface answers."""
        request = urllib.request.Request(
            f"{self.base}/{path}",
            method=method,
            headers={"Authorization": f"token {self._token}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def stop_kernels(self) -> None:
        for session in self.ask("api/sessions"):  # type: ignore[attr-defined]
            self.ask(f"api/sessions/{session['id']}", "DELETE")

    def address(self, notebook: str, *, reset: bool = True) -> str:
        keep = "&reset" if reset else ""
        return f"{self.base}/lab/tree/{notebook}?token={self._token}{keep}"


# What the page is asked; `panel` is the notebook in front.
_PANEL = "const panel = jupyterapp.shell.currentWidget;"
_CELLS = """() => {
  const panel = globalThis.jupyterapp?.shell.currentWidget;
  return panel?.content?.model ? [...panel.content.model.cells].map((cell) => cell.toJSON()) : [];
}"""
_FORGET_COUNTS = f"""() => {{
  {_PANEL}
  for (const cell of panel.content.model.cells) if (cell.type === "code") cell.executionCount = null;
}}"""
_READY = f"""async () => {{
  {_PANEL}
  await panel.context.ready;
  await panel.sessionContext.ready;
}}"""
_STATUS = (
    "() => globalThis.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status"
)


_JUMPS = f"""async () => {{
  {_PANEL}
  const scroller = [...panel.node.querySelectorAll(".jp-WindowedPanel-outer, .jp-Notebook")].find(
    (node) => node.scrollHeight > node.clientHeight + 100,
  );
  if (!scroller) return [];
  const rest = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 60)));
  const view = scroller.getBoundingClientRect();
  const seen = () => document.elementFromPoint(view.left + 300, view.top + view.height / 2);
  scroller.scrollTop = scroller.scrollHeight;
  await rest();
  const jumps = [];
  for (const step of [-300, 300]) {{
    for (let from = null; from !== scroller.scrollTop; ) {{
      from = scroller.scrollTop;
      const probe = seen();
      const before = probe.getBoundingClientRect().top;
      scroller.scrollBy(0, step);
      const asked = scroller.scrollTop - from;
      await rest();
      const moved = before - probe.getBoundingClientRect().top;
      if (probe.isConnected && !probe.contains(scroller) && Math.abs(moved - asked) > 2)
        jumps.push(`at ${{Math.round(from)}} px: asked for ${{asked}}, moved by ${{Math.round(moved)}}`);
    }}
  }}
  return jumps;
}}"""


_AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
_BARRIERS = """async () => {
  const ours = [".grda-figure", ".grda-course", ".grda-line"];
  const there = ours.filter((name) => document.querySelector(name)).map((name) => [name]);
  const { violations } = await axe.run({ include: there }, { resultTypes: ["violations"] });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.length} times, first ${nodes[0].html.slice(0, 200)}`);
}"""
_TWICE = """() => {
  const ours = [...document.querySelectorAll(".grda-figure, .grda-course, .grda-line")];
  const named = ours.flatMap((root) => [...root.querySelectorAll("[id]")]).filter((node) => !node.closest("svg"));
  const counts = (id) => document.querySelectorAll(`[id="${CSS.escape(id)}"]`).length;
  const twice = named.filter(({ id }) => counts(id) > 1).map(({ id }) => `id ${id}`);
  const labels = ours.flatMap((root) => [...root.querySelectorAll("label")]);
  const astray = labels.filter((label) => !label.control || label.parentNode !== label.control.parentNode && !label.contains(label.control));
  return [...twice, ...astray.map((label) => `label ${label.textContent}`)];
}"""


class Lab:
    """One page with JupyterLab in it, and everything that it complained about."""

    def __init__(self, server: Server, context: BrowserContext) -> None:
        self.server = server
        self.page: Page = context.new_page()
        self.outside: list[str] = []  # requests that left this machine
        self.complaints: list[str] = []  # console errors and uncaught exceptions
        self.websocket_bytes = 0  # received
        self.messages_sent = 0  # over the kernel's websockets
        self.page.on("request", lambda request: self._note_request(request.url))
        self.page.on("pageerror", self._note_exception)
        self.page.on("console", self._note_console)
        self.page.on("websocket", self._watch)

    def close(self) -> None:
        self.page.close()

    def _note_request(self, url: str) -> None:
        if not url.startswith((self.server.base, "data:", "blob:", "file:", "about:")):
            self.outside.append(url)

    def _note_exception(self, error: Error) -> None:
        text = error.stack or str(error)
        if not ("removeChild" in text and "/static/lab/jlab_core" in text):
            self.complaints.append(text[:900])
        # else: JupyterLab's splash screen, which now and then takes itself off the page twice

    def _note_console(self, message: object) -> None:
        if message.type == "error":  # type: ignore[attr-defined]
            where = message.location.get("url", "")  # type: ignore[attr-defined]
            self.complaints.append(f"{message.text[:500]} ({where})")  # type: ignore[attr-defined]

    def _watch(self, websocket: object) -> None:
        url = websocket.url  # type: ignore[attr-defined]
        self._note_request(url.replace("ws:", "http:", 1))
        websocket.on("framereceived", self._note_received)  # type: ignore[attr-defined]
        websocket.on("framesent", self._note_sent)  # type: ignore[attr-defined]

    def _note_received(self, payload: bytes | str) -> None:
        self.websocket_bytes += len(payload)

    def _note_sent(self, payload: bytes | str) -> None:
        text = payload if isinstance(payload, bytes) else payload.encode()
        self.messages_sent += b"comm_msg" in text

    # --- notebooks

    def write(self, name: str, sources: Sequence[str]) -> None:
        """Put a notebook into the course's folder; a source that begins with '%% ' is Markdown."""
        cells = [
            nbformat.v4.new_markdown_cell(source[3:])
            if source.startswith("%% ")
            else nbformat.v4.new_code_cell(source)
            for source in sources
        ]
        spec = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
        notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": spec})
        nbformat.write(notebook, self.server.root / name)

    def open(self, name: str, *, reset: bool = True, kernel: bool = True) -> None:
        """Open a notebook of the course's folder, with its kernel idle."""
        self.page.goto(self.server.address(name, reset=reset))
        self._wait_until_open(name, kernel)

    def open_beside(self, name: str) -> None:
        """Open another notebook in a tab of the same page."""
        self.command("docmanager:open", path=name)
        self._wait_until_open(name, True)

    def _wait_until_open(self, name: str, kernel: bool) -> None:
        self.page.wait_for_function(
            "name => globalThis.jupyterapp?.shell.currentWidget?.context?.path === name"
            " && jupyterapp.shell.currentWidget.content?.model?.cells?.length > 0",
            arg=name,
            timeout=60_000,
        )
        if kernel:
            self.page.evaluate(_READY)
            self.wait_idle()

    def reload(self) -> None:
        """Reload the page; the kernel lives on."""
        name = self.page.evaluate(f"() => {{ {_PANEL} return panel.context.path; }}")
        self.open(name, reset=False)

    def command(self, name: str, **arguments: object) -> None:
        """Execute a command of JupyterLab, as its menus and keys do, and wait until it is done."""
        self.page.evaluate(
            "async ([name, args]) => { await jupyterapp.commands.execute(name, args); }",
            [name, arguments],
        )

    def kernel_status(self) -> str | None:
        return self.page.evaluate(_STATUS)

    def wait_idle(self, seconds: float = 60) -> None:
        wait_for(lambda: self.kernel_status() == "idle", "the kernel is idle", seconds)

    def run_all(self, seconds: float = 120) -> float:
        """Run > Run All Cells; returns the seconds until all have run. Errors stay in the outputs."""
        start = time.monotonic()
        self.wait_idle(seconds)
        self.page.evaluate(_FORGET_COUNTS)
        self.page.evaluate("() => { jupyterapp.commands.execute('notebook:run-all-cells'); }")

        def done() -> bool:
            ran = None not in self._counts() or self.errors()
            return bool(ran) and self.kernel_status() == "idle"

        wait_for(done, "all cells have run", seconds)
        return time.monotonic() - start

    def run_cell(self, number: int, seconds: float = 60) -> None:
        """Run the cell ``number`` (among all cells, from 0) and wait for the kernel."""
        self.select(number)
        self.command("notebook:run-cell")
        self.wait_idle(seconds)

    def select(self, number: int) -> None:
        self.page.evaluate(
            f"number => {{ {_PANEL} panel.content.activeCellIndex = number;"
            " panel.content.mode = 'command'; }",
            number,
        )

    def cells(self) -> list[dict]:
        """The notebook in front as JSON, outputs included."""
        return self.page.evaluate(_CELLS)

    def _counts(self) -> list[int | None]:
        return [
            cell["execution_count"]
            for cell in self.cells()
            if cell["cell_type"] == "code" and "".join(cell["source"]).strip()
        ]

    def outputs(self) -> list[dict]:
        return [output for cell in self.cells() for output in cell.get("outputs", [])]

    def errors(self) -> list[str]:
        """Tracebacks in the outputs."""
        return [
            f"{output['ename']}: {output['evalue']}"
            for output in self.outputs()
            if output["output_type"] == "error"
        ]

    def run(self, code: str) -> str:
        """Execute code in the notebook's kernel outside of any cell; what it printed."""
        return self.page.evaluate(
            f"""async (code) => {{
              {_PANEL}
              const kernel = panel.sessionContext.session.kernel;
              const future = kernel.requestExecute({{ code, store_history: false }});
              let text = "";
              future.onIOPub = ({{ content, header }}) => {{
                if (header.msg_type === "stream") text += content.text;
                if (header.msg_type === "error") text += content.ename + ": " + content.evalue;
              }};
              await future.done;
              return text;
            }}""",
            code,
        )

    def save(self) -> None:
        self.command("docmanager:save")

    def barriers(self) -> list[str]:
        """What axe-core objects to in the course's own outputs, each with the first place."""
        self.page.evaluate(_AXE)
        return self.page.evaluate(_BARRIERS)

    def twice(self) -> list[str]:
        """Ids that more than one element of the page has, and labels that name no input of theirs."""
        return self.page.evaluate(_TWICE)

    def jumps(self) -> list[str]:
        """Scroll from the end to the beginning and back; where the page moved by more than was asked."""
        return self.page.evaluate(_JUMPS)

    def restart_kernel(self) -> None:
        self.page.evaluate(
            f"async () => {{ {_PANEL} await panel.sessionContext.session.kernel.restart(); }}"
        )
        self.wait_idle()

    def kill_kernel(self) -> None:
        """End the kernel's process; the page goes on without one."""
        self.page.evaluate(f"async () => {{ {_PANEL} await panel.sessionContext.shutdown(); }}")
        wait_for(lambda: self.kernel_status() in (None, "dead", "unknown"), "the kernel is gone")

    def theme(self, name: str) -> None:
        """'light' or 'dark'."""
        self.command("apputils:change-theme", theme=f"JupyterLab {name.title()}")
        light = "true" if name == "light" else "false"
        self.page.wait_for_function(
            "light => document.body.dataset.jpThemeLight === light", arg=light
        )

    def screenshot(self, path: str | Path) -> None:
        self.page.screenshot(path=str(path))

    # --- figures

    def lift_veils(self) -> None:
        """Uncover what waits for a prediction, by the button on it."""
        buttons = self.roots().locator(".grda-veil:not([hidden]) button")
        # Not by the mouse: a cell may be scrolled away.
        buttons.evaluate_all("buttons => buttons.forEach((button) => button.click())")

    def roots(self) -> Locator:
        return self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .grda-figure")

    def figures(self, count: int | None = None, seconds: float = 120) -> list[Figure]:
        """The figures of the notebook in front; waits until there are ``count`` of them, if given."""
        if count is not None:
            wait_for(
                lambda: self.roots().count() == count,
                f"{count} figures ({self.roots().count()} now)",
                seconds,
            )
        return [Figure(self.roots().nth(k)) for k in range(self.roots().count())]

    def text(self) -> str:
        """The visible text of the notebook in front, cells that are scrolled away included."""
        # Their text does not count as visible while the browser skips drawing them.
        self.page.evaluate(
            "() => { for (const cell of document.querySelectorAll('.jp-Cell'))"
            " cell.style.contentVisibility = 'visible'; }"
        )
        return self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)").inner_text()


_DATA = """root => {
  const plain = (value) => {
    if (ArrayBuffer.isView(value)) return Array.from(value, plain);
    if (Array.isArray(value)) return value.map(plain);
    if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
    if (value && typeof value === "object")
      return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)]));
    return value;
  };
  const plot = root.querySelector(".grda-plot");
  return { data: plain(plot.data), layout: plain(plot.layout) };
}"""
_SETTLED = """root => {
  const plot = root.querySelector(".grda-plot");
  const problem = root.querySelector(".grda-problem");
  if (problem && !problem.hidden) return true;
  const status = root.querySelector(".grda-status");
  return plot.dataset.state === "drawn" && (!status || status.hidden);
}"""


class Figure:
    """One figure of a page: what is drawn, what it says, its controls."""

    def __init__(self, root: Locator) -> None:
        self.root = root

    def settle(self, seconds: float = 120) -> Figure:
        """Scroll it into view and wait until it is drawn as its controls ask (or says why not)."""
        self.root.scroll_into_view_if_needed(timeout=seconds * 1000)
        wait_for(lambda: self.root.evaluate(_SETTLED), f"figure drawn: {self.label()}", seconds)
        return self

    def label(self) -> str:
        return self.root.locator(".grda-plot").get_attribute("aria-label") or ""

    def drawn(self) -> dict:
        """``{"data": [...], "layout": {...}}`` as plotly.js holds them, arrays as lists."""
        return self.root.evaluate(_DATA)

    def data(self) -> dict[str, dict]:
        """Trace name -> its attributes as drawn."""
        return {trace["name"]: trace for trace in self.drawn()["data"]}

    def layout(self) -> dict:
        return self.drawn()["layout"]

    def sentence(self) -> str:
        return self.root.locator(".grda-sentence").text_content() or ""

    def title(self) -> str:
        """The words above the drawing, which are the page's."""
        return self._words(".grda-title")[0]

    def headings(self) -> list[str]:
        """The words above each panel."""
        return self._words(".grda-heading")

    def _words(self, where: str) -> list[str]:
        texts = self.root.locator(where).evaluate_all("nodes => nodes.map((n) => n.innerText)")
        return [" ".join(text.split()) for text in texts]

    def spoken(self) -> str:
        return self.root.locator(".grda-spoken").text_content() or ""

    def status(self) -> str:
        return self.root.locator(".grda-status").text_content() or ""

    def problem(self) -> str:
        box = self.root.locator(".grda-problem")
        return (box.text_content() or "") if box.is_visible() else ""

    def width(self) -> float:
        """Width of the drawing in pixels."""
        return self.root.evaluate(
            "root => root.querySelector('.main-svg')?.getBoundingClientRect().width ?? 0"
        )

    def room(self) -> float:
        """Width of the place that the drawing may fill."""
        return self.root.evaluate(
            "root => root.querySelector('.grda-plot').getBoundingClientRect().width"
        )

    def goals(self) -> list[str]:
        """How its goals are shown: "open", "here" (reached where the controls stand) or "before"."""
        return self.root.locator(".grda-goal").evaluate_all(
            "rows => rows.map((row) => row.dataset.state)"
        )

    def redraws(self) -> int:
        return int(self.root.locator(".grda-plot").get_attribute("data-drawn") or 0)

    # --- its controls

    def controls(self) -> list[str]:
        """Names of the sliders and drop-downs."""
        return self.root.locator(".grda-control").evaluate_all(
            "boxes => boxes.map((box) => box.dataset.control)"
        )

    def control(self, name: str) -> Locator:
        """The range input or the select of the control ``name``."""
        return self.root.locator(f'.grda-control[data-control="{name}"]').locator("input, select")

    def is_slider(self, name: str) -> bool:
        return self.control(name).evaluate("node => node.tagName === 'INPUT'")

    def last(self, name: str) -> int:
        """The last position of a control, counted from 0."""
        return self.control(name).evaluate(
            "node => node.tagName === 'INPUT' ? Number(node.max) : node.options.length - 1"
        )

    def position(self, name: str) -> int:
        return self.control(name).evaluate("node => Number(node.value)")

    def readout(self, name: str) -> str:
        box = self.root.locator(f'.grda-control[data-control="{name}"]')
        return box.locator("output").text_content() or ""

    def move(self, name: str, position: int) -> Figure:
        """Put a control to a position with the events that a mouse causes; waits for the drawing."""
        event = "input" if self.is_slider(name) else "change"
        self.control(name).evaluate(
            "(node, [position, event]) => { node.value = String(position);"
            " node.dispatchEvent(new Event(event, { bubbles: true })); }",
            [position, event],
        )
        return self.settle()

    def press(self, name: str, *keys: str) -> Figure:
        """Focus a control and press keys; waits for the drawing."""
        self.control(name).focus()
        for key in keys:
            self.root.page.keyboard.press(key)
        return self.settle()

    def button(self, name: str) -> Locator:
        """A button by its accessible name: 'Reset', 'Play time' …"""
        return self.root.get_by_role("button", name=name)


__all__ = ["Error", "Figure", "Lab", "Server", "browser", "wait_for"]
