"""Work that goes on while the page stays alive: a thread, its progress, and a button to stop it.

The thread keeps the kernel free, so that the buttons and every other cell answer meanwhile.
"""

from __future__ import annotations

import atexit
import html
import math
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import ipywidgets as widgets

from grda_edu.explore import Picture, rerun

SECONDS_BETWEEN_UPDATES = 0.2
SECONDS_TO_END = 2.0  # what closing waits for a job that has been told to stop
MINUTE = 90  # seconds; from here on durations are told in minutes

Result = TypeVar("Result")
Job = Callable[[Callable[[Any, float], object], threading.Event], Any]


class LiveView(Generic[Result]):
    """A job in a thread of its own: Start, Stop and progress in one line, its picture below.

    job: ``job(progress, stop)`` works and returns its result. It calls ``progress(result so far,
        fraction)`` as often as it likes and ends soon after the ``threading.Event`` ``stop`` is set.
    picture: what shows the result; invitation: what the line says before the first Start.

    Nothing starts before Start is pressed (or ``start()`` is called). Running the cell that made
    the view again stops its job. A script waits for the end with ``wait()``. A subclass says what
    a result is and how it is shown.
    """

    def __init__(self, job: Job, picture: Picture, invitation: str) -> None:
        self._job, self.picture = job, picture
        self._thread: threading.Thread | None = None
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._began, self._shown = 0.0, -math.inf
        self.error: BaseException | None = None
        self._forget()
        self._draw()
        self._make_controls()
        self._rest("Start", invitation)
        rerun.on_rerun(self.close)

    # --- what a subclass says

    def _forget(self) -> None:
        """Forget what a former job left."""
        raise NotImplementedError

    def _take(self, result: Any) -> None:
        """Keep what the job reports or returns; ValueError where it cannot be shown."""
        raise NotImplementedError

    def _result(self) -> Result:
        """What ``wait()`` returns."""
        raise NotImplementedError

    def _is_drawn(self) -> bool:
        """Does the picture show what was taken last?"""
        raise NotImplementedError

    def _draw(self) -> None:
        """Bring the picture up to what was taken last."""
        raise NotImplementedError

    def _position(self) -> str:
        """How far the job has come, in words."""
        raise NotImplementedError

    def _verdict(self) -> tuple[bool, str]:
        """Whether the job came to its regular end, and the end in words."""
        raise NotImplementedError

    def _devices(self) -> str:
        """What the job runs on; "" as long as that is unknown."""
        raise NotImplementedError

    # --- what a learner or a script calls

    @property
    def running(self) -> bool:
        """Is a job under way?"""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Work from the beginning, unless a job is under way."""
        if self.running:
            return
        self._stop = threading.Event()
        self.error = None
        self._forget()
        self._began, self._shown = time.perf_counter(), -math.inf
        self.problem.outputs = ()
        self.start_button.disabled, self.stop_button.disabled = True, False
        self.bar.value, self.bar.bar_style = 0.0, "info"
        self._say("Starting …")
        self._thread = threading.Thread(target=self._work, name="grda-training", daemon=True)
        atexit.register(self._end)
        self._thread.start()

    def stop(self) -> None:
        """Tell the job to stop; it does within a batch. ``wait()`` waits until it has."""
        with self._lock:  # or the last word could be "Stopping" of a job that has just ended
            if not self.stop_button.disabled:
                self._say("Stopping …")
            self._stop.set()

    def wait(self, timeout: float | None = None) -> Result:
        """Wait for the end of the job and return its result.

        timeout: seconds, after which TimeoutError is raised. What the job raised is raised here
        again; an interrupt of the kernel stops the job.
        """
        end = math.inf if timeout is None else time.monotonic() + timeout
        try:
            # In short stretches: on some systems an interrupt does not end a long one.
            while self._thread is not None and self._thread.is_alive():
                left = end - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"still training after timeout = {timeout} s")
                self._thread.join(min(left, 0.1))
        except KeyboardInterrupt:
            self._end()
            raise
        if self.error is not None:
            raise self.error
        return self._result()

    def close(self) -> None:
        """Stop the job and take the widgets off the page."""
        self._end()
        for widget in (*self.box.children[0].children, *self.box.children, self.box):
            for own in (getattr(widget, "style", None), widget.layout, widget):
                if own is not None:
                    own.close()

    def _end(self) -> None:
        self._stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(SECONDS_TO_END)

    # --- in the thread

    def _work(self) -> None:
        try:
            self._take(self._job(self._progress, self._stop))
            self._draw()
            self._conclude()
        except BaseException as error:  # also SystemExit: a thread would swallow it in silence
            self.error = error
            self.problem.append_stderr(traceback.format_exc())
            self.bar.bar_style = "danger"
            self._rest("Start again", f"Ended by an error, {type(error).__name__}: see below.")
        finally:
            atexit.unregister(self._end)

    def _progress(self, result: Any, fraction: float) -> None:
        now = time.perf_counter()
        self._take(result)
        if now - self._shown < SECONDS_BETWEEN_UPDATES:
            return
        self._shown = now
        self.bar.value = fraction
        if not self._stop.is_set():
            self._say(self._time_line(now - self._began, fraction))
        if not self._is_drawn():  # the picture changes now and then, the bar all the time
            self._draw()

    def _time_line(self, elapsed: float, fraction: float) -> str:
        line = f"{self._position()}, {_duration(elapsed)} elapsed"
        if fraction > 0.02:
            line += f", about {_duration(elapsed * (1 / fraction - 1))} left"
        return line

    def _conclude(self) -> None:
        seconds = time.perf_counter() - self._began
        regular, text = self._verdict()
        self.bar.bar_style = "success" if regular else "warning"
        self.bar.value = 1.0 if regular else self.bar.value
        self._rest("Start again", f"{text}, {seconds:.1f} s")

    # --- the line of controls

    def _make_controls(self) -> None:
        self.start_button = widgets.Button(description="Start", icon="play")
        self.stop_button = widgets.Button(description="Stop", icon="stop")
        self.bar = widgets.FloatProgress(min=0.0, max=1.0, layout={"width": "180px"})
        self.status = widgets.HTML()
        self.problem = widgets.Output()
        self.start_button.on_click(lambda _: self.start())
        self.stop_button.on_click(lambda _: self.stop())
        row = [self.start_button, self.stop_button, self.bar, self.status]
        layout = {"flex_flow": "row wrap", "align_items": "center"}
        self.box = widgets.VBox([widgets.HBox(row, layout=layout), self.problem, self.picture])
        for name in ("start", "stop"):
            getattr(self, f"{name}_button").add_class(f"grda-training-{name}")
        self.status.add_class("grda-training-status")

    def _rest(self, button: str, text: str) -> None:
        with self._lock:
            self.start_button.description = button
            self.start_button.disabled, self.stop_button.disabled = False, True
            self._say(text)

    def _say(self, text: str) -> None:
        devices = self._devices()
        where = f" · on {devices}" if devices else ""
        self.status.value = f'<span role="status">{html.escape(text + where)}</span>'

    def _ipython_display_(self) -> None:
        """The view, below the line that a notebook opened without a kernel shows in its place."""
        from IPython.display import display

        view = self.box._repr_mimebundle_() | {"text/plain": repr(self)}
        display(self.picture.fallback_line(), raw=True)
        display(view, raw=True)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.picture.label}>"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < MINUTE else f"{seconds / 60:.0f} min"
