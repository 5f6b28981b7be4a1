"""The figure on the page: a widget that draws, and one that plays a table with sliders."""

from __future__ import annotations

import itertools
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import parse_qsl

import anywidget
import plotly.graph_objects as go
import traitlets as t
from ipywidgets import Widget, widget_serialization

from . import fallback, palette, rerun
from .assets import figure_module, figure_style, module_text, packed_plotly
from .controls import Choice, Slider
from .goal import Goal
from .goal import check as check_goals
from .handle import Handle
from .naming import name_of
from .standalone import standalone_page
from .table import Compute, ComputeError, Table, call, single, tabulate
from .whole import Whole

BUDGET_BYTES = 2_000_000  # a figure's table; a larger one is computed on request
BUDGET_SECONDS = 2.5  # what tabulating may take while the learner waits
PAGE_BYTES = 8_000_000  # of a page without a kernel: the tables of all presets
PAGE_SECONDS = 120.0  # what tabulating one preset may take for it
ROOM_SECONDS = 0.5  # what looking for the longest words of other presets may take
_CACHED_ROWS = 512
_KEPT_TEXTS = 8
_STATE = (
    *("figure", "label", "dark", "error", "longest"),
    *("controls", "choice", "index", "start", "option", "goals", "reached", "handles", "code"),
)


class Library(anywidget.AnyWidget):
    """Holds plotly.js and the module that draws; all figures refer to it, so a page receives them once."""

    _esm = "export default { render() {} };"
    packed = t.Bytes().tag(sync=True)
    module = t.Unicode().tag(sync=True)


_library: Library | None = None


def library() -> Library:
    """The kernel's only Library, made anew if something closed it."""
    global _library
    if _library is None or _library.comm is None:
        _library = Library(packed=packed_plotly(), module=figure_module())
    return _library


class Picture(Whole):
    """A figure without controls that Python redraws.

    figure: a plotly Figure (or a function that makes one) whose traces are named;
    label: what the figure shows, for screen readers and where no kernel runs;
    longest: texts for which the page keeps room from the beginning, so that nothing moves when they
        come: "sentence", "title.text" or "annotations[0].text" -> texts.
    """

    _goals: tuple[Goal, ...] = ()
    _esm = module_text("loader.js")
    _css = figure_style()

    figure = t.Dict().tag(sync=True)
    label = t.Unicode().tag(sync=True)
    dark = t.Dict(palette.DARK).tag(sync=True)
    library = t.Instance(Widget).tag(sync=True, **widget_serialization)
    controls = t.List(t.Dict()).tag(sync=True)
    choice = t.Dict().tag(sync=True)
    # No echo: an echo of an earlier position would pull back the slider that has moved on since.
    index = t.List(t.Int()).tag(sync=True, echo_update=False)
    start = t.List(t.Int()).tag(sync=True)
    option = t.Int(0).tag(sync=True, echo_update=False)
    goals = t.List(t.Dict()).tag(sync=True)
    handles = t.List(t.Dict()).tag(sync=True)
    veil = t.Unicode().tag(sync=True)
    code = t.Unicode().tag(sync=True)
    reached = t.List(t.Bool()).tag(sync=True, echo_update=False)
    # Which page moved a control, and what the kernel heard last: another page follows it, and the
    # page that has moved on since knows that it is late.
    hand = t.Dict().tag(sync=True, echo_update=False)
    heard = t.Dict().tag(sync=True)
    table = t.Dict().tag(sync=True)
    error = t.Unicode().tag(sync=True)
    fallback = t.Unicode().tag(sync=True)
    longest = t.Dict().tag(sync=True)

    def __init__(
        self, figure: go.Figure | Callable[[], go.Figure], *, label: str = "", **state: object
    ) -> None:
        picture = figure() if callable(figure) else figure
        names = [trace.name for trace in picture.data]
        if len(set(names)) < len(names) or None in names:
            raise ValueError(f"figure: every trace needs a name of its own, got {names}")
        self._traces = names
        title = picture.layout.title.text or ""
        super().__init__(
            figure=json.loads(picture.to_json()),
            label=label or title or "figure",
            library=library(),
            fallback=fallback.new_name(),
            **state,
        )
        rerun.on_rerun(self.close)

    def ask(self, *goals: Goal) -> None:
        """Say what is to be reached. ``goal.reached()`` is asked at each ``show`` from now on."""
        self._goals = goals
        self.goals = [goal.describe() for goal in goals]
        self.reached = [False] * len(goals)

    def show(self, row: Mapping[str, object], sentence: str) -> None:
        """Redraw with ``row`` ("trace name.attribute" or "layout.path" -> value) and a sentence."""
        table = single(lambda: (row, sentence), {}, self._traces, self._goals)
        self.table = table.message()

    def page(self, *, budget: int = PAGE_BYTES) -> tuple[dict, list[dict]]:
        """What a page without a kernel shows: the figure's state, and a table's message a preset."""
        return {name: getattr(self, name) for name in _STATE}, [dict(self.table)]

    def close(self) -> None:
        """Take the figure off all pages."""
        layout = self.layout
        super().close()
        if layout is not None:
            layout.close()  # a widget of its own, which would stay behind

    def _ipython_display_(self) -> None:
        """The widget, below a line that a notebook opened without a kernel shows in its place."""
        from IPython.display import display

        self.code = name_of(self) or self.code
        display(self.fallback_line(), raw=True)
        display(self._repr_mimebundle_()[0], raw=True)  # type: ignore[index]

    def fallback_line(self) -> dict[str, str]:
        """MIME bundle of the line that stands for the figure where nothing draws it."""
        text = f"Figure: {self.label}. It comes alive when the cells are run (Run → Run All Cells)."
        return fallback.line(self.fallback, text)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.label}>"


class Explorable(Picture):
    """A figure that answers to sliders.

    Where the whole grid fits the budget (``budget`` bytes, 2.5 s) it is computed once and played by
    the browser without the kernel; else the kernel computes each position on request. Each control
    is an attribute: ``demo.c`` is the slider's value, ``demo.c = 0.01`` moves it, and
    ``demo.observe(handler, "c")`` watches it. An exception inside compute is shown on the page instead
    of the figure.

    Args:
        figure: a plotly Figure (or a function that makes one) whose traces are named: style and axes.
        compute: a pure function of the controls' values, ``compute(**controls) -> (row, sentence)``;
            the row maps "trace name.attribute" or "layout.path" to a number, a string or an array.
        controls: name -> Slider (at most three) or Choice (at most one). Names are compute's keywords.
        label: what the figure shows, for screen readers.
        goals: what to find with the controls. ``demo.reached`` says which of them the page has seen
            reached, and stays so when the controls move on.
        handles: points of the plot that are dragged, and move sliders.
        budget: bytes that the whole grid may take on the page.

    Raises:
        ValueError: naming the control or the trace, for an empty or unsorted grid, unknown traces and
            ragged rows; naming the goal, for one that is reached at the start or, where the figure
            is tabulated, at no position; naming the handle, for one that none of its sliders moves.
    """

    def __init__(
        self,
        figure: go.Figure | Callable[[], go.Figure],
        compute: Compute,
        controls: Mapping[str, Slider | Choice],
        *,
        label: str = "",
        goals: Sequence[Goal] = (),
        handles: Sequence[Handle] = (),
        budget: int = BUDGET_BYTES,
    ) -> None:
        self._compute, self._budget, self._goals = compute, budget, tuple(goals)
        self._sliders, self._choice = _sort_controls(controls)
        taken = [name for name in controls if hasattr(type(self), name)]
        if taken:
            raise ValueError(
                f"control {taken[0]!r}: the name is taken by the widget, choose another"
            )
        self._cache: OrderedDict[tuple, dict] = OrderedDict()
        self._tables: dict[int, Table | None] = {}
        self._failed: dict[int, ComputeError] = {}
        start = [
            0 if s.start is None else s.nearest(name, s.start) for name, s in self._sliders.items()
        ]
        super().__init__(
            figure,
            label=label,
            controls=[s.describe(name) for name, s in self._sliders.items()],
            choice={} if self._choice is None else self._choice[1].describe(self._choice[0]),
            index=start,
            start=start,
            goals=[goal.describe() for goal in self._goals],
            reached=[False] * len(self._goals),
        )
        self._add_attributes()
        try:
            self._refresh()
            if self.tabulated:
                self._check_goals()
            self.handles = self._described(handles)
        except ValueError:
            self.close()
            raise
        self.longest = self._longest()
        self.observe(self._follow_page, ["index", "option"])
        self.observe(self._tell_other_pages, "hand")

    def _check_goals(self) -> None:
        grids: dict[str, list] = {name: list(s.values) for name, s in self._sliders.items()}
        if self._choice:
            name, choice = self._choice
            grids[name] = list(choice.options.values())
        check_goals(self._goals, {**self._values(), **self._fixed(self.option)}, grids)

    def _described(self, handles: Sequence[Handle]) -> list[dict[str, object]]:
        """What the page is told of the handles; nothing where it has no table to find them in."""
        sliders, table = list(self._sliders), self._tables.get(self.option)
        for handle in handles:
            handle.check(self._traces, sliders)
        return [handle.describe(sliders, table) for handle in handles] if table else []

    # --- the controls as attributes

    def _add_attributes(self) -> None:
        self.add_traits(**{name: t.Any() for name in self._names()})
        self._mirror()
        self.observe(self._follow_python, self._names())

    def _names(self) -> list[str]:
        return [*self._sliders, *([self._choice[0]] if self._choice else [])]

    def _values(self) -> dict[str, object]:
        """Where the sliders stand: name -> grid value."""
        return {
            name: slider.values[k]
            for (name, slider), k in zip(self._sliders.items(), self.index, strict=True)
        }

    def _mirror(self) -> None:
        for name, value in self._values().items():
            setattr(self, name, value)
        if self._choice:
            name, choice = self._choice
            setattr(self, name, list(choice.options)[self.option])

    def _follow_python(self, change: dict) -> None:
        """``demo.c = x`` moves the slider to the nearest grid value, or raises ValueError."""
        name, value = change["name"], change["new"]
        if name in self._sliders:
            try:
                k = self._sliders[name].nearest(name, value)
            except (TypeError, ValueError):
                self._mirror()
                raise
            axis = list(self._sliders).index(name)
            self.index = [*self.index[:axis], k, *self.index[axis + 1 :]]
        elif self._choice:
            options = list(self._choice[1].options)
            try:
                self.option = _place_in(options, name, value)
            except ValueError:
                self._mirror()
                raise
        self._mirror()

    def follow(self, link: str) -> None:
        """Move the controls to where a link from the web edition has them, at the nearest values.

        A figure made in a notebook stands on no page, so there is no link to it; this is the way back.

        Args:
            link: what a figure's "Copy link" gives there, such as
                ``"https://…/lesson04.html#scrub?c=0.02&mu=0.65"``. What it does not name stays.

        Raises:
            ValueError: for an address without controls; naming the control, for one that this figure
                does not have and for a value that it does not take. Nothing has moved then.
        """
        asked = parse_qsl(link.partition("#")[2].partition("?")[2], keep_blank_values=True)
        if not asked:
            raise ValueError(
                f'link = {link!r}: accepted is what "Copy link" gives, with "#figure?control=value"'
            )
        option, index = self.option, [*self.index]
        for name, text in asked:
            if name in self._sliders:
                index[list(self._sliders).index(name)] = self._sliders[name].read(name, text)
            elif name in self._names():
                option = _place_in(self.choice["options"], name, text)
            else:
                _place_in(self._names(), "control", name)
        self.option, self.index = option, index

    def _follow_page(self, _: object) -> None:
        self._mirror()
        try:
            self._refresh()
        except ValueError as problem:  # nobody is there to catch it: the page says it
            self._show_error(problem)

    def _tell_other_pages(self, _: object) -> None:
        self.heard = {"index": list(self.index), "option": self.option, "hand": self.hand}

    # --- the table

    @property
    def tabulated(self) -> bool:
        """Does the browser play a table (True), or does the kernel compute each position?"""
        return self._tables.get(self.option) is not None

    @property
    def table_bytes(self) -> int:
        """Size of the table that the page holds now."""
        table = self._tables.get(self.option)
        return 0 if table is None else table.nbytes

    def _fixed(self, option: int) -> dict[str, object]:
        if self._choice is None:
            return {}
        name, choice = self._choice
        return {name: list(choice.options.values())[option]}

    def _whole_table(self, option: int, budget: int, seconds: float) -> Table | None:
        grids = {name: slider.values for name, slider in self._sliders.items()}
        fixed = self._fixed(option)
        return tabulate(
            self._compute,
            grids,
            fixed,
            self._traces,
            budget=budget,
            seconds=seconds,
            goals=self._goals,
        )

    def _refresh(self) -> None:
        """Bring table and error up to the controls."""
        try:
            table = self._table(self.option)
            if table is None:
                self.table = self._row(self.option)
            elif self.table.get("option") != self.option or self.table.get("at") is not None:
                self.table = table.message(self.option)
            self.error = ""
        except ComputeError as problem:
            self._show_error(problem)

    def _show_error(self, problem: Exception) -> None:
        """An answer too: a table for where the controls stand, with nothing in it."""
        self.error = f"This figure could not be computed. {problem}"
        self.table = {"option": self.option, "at": list(self.index)}

    def _table(self, option: int) -> Table | None:
        """The table of a preset, made once; None where each position is computed on request."""
        if option in self._failed:
            raise self._failed[option]
        if option not in self._tables:
            try:
                self._tables[option] = self._whole_table(option, self._budget, BUDGET_SECONDS)
            except ComputeError as problem:
                self._failed[option] = problem
                raise
        return self._tables[option]

    def _row(self, option: int) -> dict:
        """The row for where the controls stand, from the cache or computed now."""
        at = (option, *self.index)
        if at not in self._cache:
            values = {**self._values(), **self._fixed(option)}
            row = single(self._compute, values, self._traces, self._goals)
            while len(self._cache) >= _CACHED_ROWS:
                self._cache.popitem(last=False)
            self._cache[at] = row.message(option, self.index)
        self._cache.move_to_end(at)
        return self._cache[at]

    def _longest(self) -> dict[str, list[str]]:
        """Texts that the page has no table of: those at the ends of the sliders, of every preset."""
        found: dict[str, set[str]] = {}
        ends = itertools.product(
            *(s.values[:: max(1, len(s.values) - 1)] for s in self._sliders.values())
        )
        corners = [dict(zip(self._sliders, values, strict=True)) for values in ends]
        began = time.perf_counter()
        for option in range(self._options()):
            if option in self._failed or self._tables.get(option) is not None:
                continue
            for corner in corners:
                if time.perf_counter() - began > ROOM_SECONDS:
                    break
                try:
                    row, said = call(self._compute, corner | self._fixed(option), self._traces)
                except (ComputeError, ValueError):
                    continue  # the page says so when it is asked for
                texts = {key[1:]: str(value) for key, value in row.items() if _is_words(key)}
                for path, text in (texts | {"sentence": said}).items():
                    found.setdefault(path, set()).add(text)
        return {path: sorted(texts, key=len)[-_KEPT_TEXTS:] for path, texts in found.items()}

    def _options(self) -> int:
        return len(self._choice[1].options) if self._choice else 1

    # --- pages without a kernel

    def page(self, *, budget: int = PAGE_BYTES) -> tuple[dict, list[dict]]:
        """What a page without a kernel shows: the figure's state, and a table's message a preset.

        Args:
            budget: bytes that the tables of all presets together may take.

        Returns:
            Trait name -> its value, as the page's script asks for it; and the messages that bring the
            presets' tables, in the presets' order.

        Raises:
            ValueError: where they take more.
            ComputeError: where compute raises.
        """
        count = self._options()
        tables = [
            self._tables.get(option) or self._whole_table(option, budget, PAGE_SECONDS)
            for option in range(count)
        ]
        sizes = [table.nbytes for table in tables if table is not None]
        if len(sizes) < count or sum(sizes) > budget:
            raise ValueError(
                f"the table of {self.label!r} is larger than budget = {budget} bytes (or takes over two "
                "minutes): use coarser grids or a larger budget"
            )
        messages = [table.message(k) for k, table in enumerate(tables) if table is not None]
        return {name: getattr(self, name) for name in _STATE}, messages

    def to_html(self, *, budget: int = PAGE_BYTES) -> str:
        """A page that plays the same table with the same module: no kernel, no network.

        Args:
            budget: bytes that the tables of all presets together may take.

        Returns:
            The page, HTML.

        Raises:
            ValueError: where they take more.
            ComputeError: where compute raises.
        """
        return standalone_page(*self.page(budget=budget))


def _place_in(options: list[str], name: str, value: object) -> int:
    """Where the value stands among the options; ValueError where it does not."""
    if value not in options:
        raise ValueError(f"{name} = {value!r}: accepted is one of {options}")
    return options.index(value)


def _is_words(key: str) -> bool:
    """Is it the row's key of the title or of an annotation's words?"""
    return key == "|title.text" or (key.startswith("|annotations[") and key.endswith("].text"))


def _sort_controls(
    controls: Mapping[str, Slider | Choice],
) -> tuple[dict[str, Slider], tuple[str, Choice] | None]:
    for name, control in controls.items():
        if not isinstance(control, Slider | Choice):
            raise ValueError(f"control {name!r}: accepted is a Slider or a Choice, got {control!r}")
        control.check(name)
    sliders = {name: c for name, c in controls.items() if isinstance(c, Slider)}
    choices = [(name, c) for name, c in controls.items() if isinstance(c, Choice)]
    if len(sliders) > 3 or len(choices) > 1:
        raise ValueError(
            f"controls: {len(sliders)} sliders and {len(choices)} drop-downs; accepted are at most 3 and 1"
        )
    return sliders, choices[0] if choices else None
