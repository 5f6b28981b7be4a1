"""Work that goes on while the page stays alive: a thread, its progress, and a button to stop it.

The thread keeps the kernel free, so that the buttons and every other cell answer meanwhile.
"""

from __future__ import annotations

import atexit
import math
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import ipywidgets as widgets

from grda_edu.explore import Picture, rerun

from .hearing import Transcript, in_a_kernel, overheard
from .line import Line, Printed

SECONDS_BETWEEN_UPDATES = 0.2
SECONDS_TO_END = 2.0  # what closing waits for a job that has been told to stop
MINUTE = 90  # seconds; from here on durations are told in minutes

Result = TypeVar("Result")
Progress = Callable[..., object]
Job = Callable[[Progress, threading.Event], Any]


class LiveView(Generic[Result]):
    """A job in a thread of its own: Start, Stop and progress in one line, its picture below.

    What the job prints, its warnings and the error that ends it are shown below the picture.

    job: ``job(progress, stop)`` works and returns its result. It calls ``progress(result so far,
        fraction)`` as often as it likes and ends soon after the ``threading.Event`` ``stop`` is set.
        A third argument says in words what it is doing, instead of the view's own words.
    picture: what shows the result; invitation: what the line says before the first Start.

    Nothing starts before Start is pressed (or ``start()`` is called). Running the cell that made
    the view again stops its job. A script waits for the end with ``wait()``. A subclass says what
    a result is and how it is shown.
    """

    measures_time = False
    """Is the result a time? Then it is another one at every run, and nothing that a page can repeat."""

    def __init__(self, job: Job, picture: Picture, invitation: str) -> None:
        self._job, self.picture = job, picture
        self._thread: threading.Thread | None = None
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._began, self._shown, self._wrote = 0.0, -math.inf, -math.inf
        self._transcript, self._doing = Transcript(), ""
        self._at_end: list[Callable[[], object]] = []
        self.error: BaseException | None = None
        self._forget()
        self._draw()
        self.line, self.printed = Line(), Printed()
        self.line.on_do("start", self.start)
        self.line.on_do("stop", self.stop)
        self._rest("Start", invitation)
        self.box = widgets.VBox(
            [self.line, self.picture, self.printed]
        )  # a lesson may add pictures
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
        self._began, self._shown, self._wrote = time.perf_counter(), -math.inf, -math.inf
        self._transcript, self._doing = Transcript(), ""
        self.printed.set(printed="", problem="")
        self.line.set(running=True, fraction=0.0, tone="info", said="Starting …")
        with warnings.catch_warnings():
            pass  # which makes Python forget what it has warned of: a second Start warns again
        self._thread = threading.Thread(target=self._work, name="grda-training", daemon=True)
        atexit.register(self._end)
        self._thread.start()

    def stop(self) -> None:
        """Tell the job to stop; it does within a batch. ``wait()`` waits until it has."""
        with self._lock:  # or the last word could be "Stopping" of a job that has just ended
            if self.line.running:
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

    def show_again(self, make: Callable[[], object]) -> None:
        """Display ``make()`` here, and in the same place again whenever the work has ended."""
        from IPython.display import DisplayHandle

        handle = DisplayHandle()
        handle.display(make())

        def update() -> None:
            handle.update(make())

        self._at_end.append(update)
        rerun.on_rerun(lambda: self._at_end.remove(update))

    def close(self) -> None:
        """Stop the job and take the widgets off the page."""
        self._end()
        for widget in (*self.box.children, self.box):
            for own in (widget.layout, widget):
                if own is not None:
                    own.close()

    def _end(self) -> None:
        self._stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(SECONDS_TO_END)

    # --- in the thread

    def _work(self) -> None:
        try:
            with overheard(self._hear, through=not in_a_kernel()):
                self._take(self._job(self._progress, self._stop))
                self._draw()
            self._conclude()
        except BaseException as error:  # also SystemExit: a thread would swallow it in silence
            self.error = error
            self.printed.set(printed=str(self._transcript), problem=traceback.format_exc())
            text = f"Ended by an error, {type(error).__name__}: see below the figure"
            self._rest("Start again", text, tone="danger")
        finally:
            atexit.unregister(self._end)
            for show in tuple(self._at_end):
                show()

    def _hear(self, text: str) -> None:
        self._transcript.write(text)
        now = time.perf_counter()
        if now - self._wrote >= SECONDS_BETWEEN_UPDATES:
            self._wrote = now
            self.printed.set(printed=str(self._transcript))

    def _progress(self, result: Any, fraction: float, doing: str = "") -> None:
        now = time.perf_counter()
        self._take(result)
        if now - self._shown < SECONDS_BETWEEN_UPDATES and doing == self._doing:
            return
        self._shown, self._doing = now, doing
        self.line.set(fraction=fraction)
        if not self._stop.is_set():
            self._say(self._time_line(now - self._began, fraction))
        self.printed.set(printed=str(self._transcript))
        if not self._is_drawn():  # the picture changes now and then, the bar all the time
            self._draw()

    def _time_line(self, elapsed: float, fraction: float) -> str:
        line = f"{self._doing or self._position()}, {_duration(elapsed)} elapsed"
        if fraction > 0.02:
            line += f", about {_duration(elapsed * (1 / fraction - 1))} left"
        return line

    def _conclude(self) -> None:
        seconds = time.perf_counter() - self._began
        regular, text = self._verdict()
        self.printed.set(printed=str(self._transcript))
        fraction = 1.0 if regular else self.line.fraction
        tone = "success" if regular else "warning"
        self._rest("Start again", f"{text}, {seconds:.1f} s", fraction=fraction, tone=tone)

    # --- the line of controls

    def _rest(self, invitation: str, text: str, **state: object) -> None:
        """Nothing is under way: Start can be pressed, as ``invitation`` says."""
        with self._lock:
            self.line.set(running=False, invitation=invitation, said=self._words(text), **state)

    def _say(self, text: str) -> None:
        self.line.set(said=self._words(text))

    def _words(self, text: str) -> str:
        devices = self._devices()
        below = " · what it printed stands below the figure" if self.printed.printed else ""
        return text + (f" · on {devices}" if devices else "") + below

    def _ipython_display_(self) -> None:
        """The view, below the lines that a notebook opened without a kernel shows in its place."""
        from IPython.display import display

        view = self.box._repr_mimebundle_() | {"text/plain": repr(self)}
        pictures = [child for child in self.box.children if isinstance(child, Picture)]
        lines = [picture.fallback_line() for picture in pictures]
        display({kind: "\n".join(line[kind] for line in lines) for kind in lines[0]}, raw=True)
        display(view, raw=True)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.picture.label}>"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < MINUTE else f"{seconds / 60:.0f} min"
