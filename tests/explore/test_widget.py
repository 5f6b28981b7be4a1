import ipywidgets
import numpy as np
import plotly.graph_objects as go
import pytest
import traitlets
from comm import DummyComm

from grda_edu import course
from grda_edu.explore import Choice, Explorable, Picture, Slider, palette
from grda_edu.explore.assets import packed_plotly
from grda_edu.explore.widget import library
from grda_edu.views.runs import TrainingView


def line_figure():
    return palette.figure(go.Scatter(x=[0, 1], y=[0, 0], name="line"))


def compute(c, mu=0.0, kind=1.0):
    return {"line.y": [c, kind * mu]}, f"c = {c:g}, mu = {mu:g}, kind = {kind:g}"


CONTROLS = {
    "c": Slider.linear(0, 1, 11),
    "mu": Slider([0.5, 0.6, 0.9], start=0.61),
    "kind": Choice({"one": 1.0, "two": 2.0}),
}


@pytest.fixture
def demo():
    made = Explorable(line_figure, compute, CONTROLS, label="A line")
    yield made
    made.close()


def drawn(widget):
    """The row and sentence on the page, where the table holds one row."""
    table = widget.table
    return np.frombuffer(table["data"], np.float32), table["sentence"]["strings"][0]


def test_controls_are_attributes_both_ways(demo):
    assert (demo.c, demo.mu, demo.kind) == (0.0, 0.6, "one")
    assert demo.index == demo.start == [0, 1]
    demo.c = 0.32
    assert demo.c == pytest.approx(0.3) and demo.index == [3, 1]
    demo.index = [10, 2]  # as the page does
    assert (demo.c, demo.mu) == (1.0, 0.9)
    demo.kind = "two"
    assert demo.option == 1 and demo.table["option"] == 1
    demo.option = 0
    assert demo.kind == "one" and demo.table["option"] == 0


class Sent(DummyComm):
    """Notes which states the page is sent: (kind of message, state, buffers)."""

    def publish_msg(self, kind, data=None, metadata=None, buffers=None, **keys):
        if "state" in data:  # not in the last, which closes
            self.notes.append((kind, data["state"], buffers))


@pytest.fixture
def sent(monkeypatch):
    Sent.notes = []
    monkeypatch.setattr(ipywidgets.comm, "create_comm", Sent)
    return Sent.notes


def test_the_page_gets_a_figure_with_its_table(sent):
    """A page that is busy for two seconds drops what comes after a widget's first message."""
    made = Explorable(line_figure, compute, CONTROLS, label="A line")
    made._repr_mimebundle_()
    ((kind, state, buffers),) = [note for note in sent if "table" in note[1]]
    assert kind == "comm_open" and state["table"]["option"] == 0
    assert [bytes(one) for one in buffers] == [bytes(made.table["data"])]
    made.kind = "two"  # the next preset's comes when it is asked for
    assert [(n[0], n[1]["table"]["option"]) for n in sent if "table" in n[1]][1:] == [
        ("comm_msg", 1)
    ]
    made.close()


def test_nothing_follows_a_widgets_first_message(sent):
    course.predict("08.how_flat")
    view = TrainingView(lambda progress, stop: None, 10)
    view._ipython_display_()
    kinds = [kind for kind, _, _ in sent]
    assert kinds == ["comm_open"] * len(kinds)
    (card,) = [state for _, state, _ in sent if "How many percent" in str(state.get("state"))]
    assert card["state"]["number"]["unit"] == "%"
    (line,) = [state for _, state, _ in sent if "invitation" in state]
    assert line["said"] == "Press Start to train on this computer."
    view.close()


def test_observers_hear_of_moves_of_the_page(demo):
    heard = []
    demo.observe(lambda change: heard.append(change["new"]), "c")
    demo.index = [2, 1]
    demo.index = [2, 2]  # c stands where it stood
    assert heard == [pytest.approx(0.2)]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("c", 1.5, "c = 1.5: accepted is 0 to 1"),
        ("c", float("nan"), "c = nan: accepted is 0 to 1"),
        ("mu", 0.3, "mu = 0.3: accepted is 0.5 to 0.9"),
        ("kind", "three", r"kind = 'three': accepted is one of \['one', 'two'\]"),
    ],
)
def test_a_value_out_of_range_is_refused_and_nothing_moves(demo, name, value, says):
    before = getattr(demo, name)
    with pytest.raises(ValueError, match=says):
        setattr(demo, name, value)
    assert getattr(demo, name) == before
    assert demo.index == [0, 1] and demo.option == 0


def test_a_value_that_is_no_number_is_refused(demo):
    with pytest.raises(TypeError):
        demo.c = "much"
    assert demo.c == 0.0


LINK = "https://a.host/grda-edu/lesson01.html#forty?"


def test_a_link_from_the_web_edition_is_followed():
    """Whatever a preset's name has in it: the page writes it as forms do, percent signs and pluses."""
    names = ["divide by 1 + τ", "50 % & more", 'so-called "größe"', "a=b?c#d"]
    kinds = Choice({name: float(k) for k, name in enumerate(names)})
    made = Explorable(line_figure, compute, CONTROLS | {"kind": kinds}, label="A line")
    written = (
        *("divide+by+1+%2B+%CF%84", "50+%25+%26+more"),
        *("so-called+%22gr%C3%B6%C3%9Fe%22", "a%3Db%3Fc%23d"),
    )
    for name, text in zip(names, written, strict=True):
        made.follow(f"{LINK}kind={text}&c=0.31")
        assert (made.kind, made.c, made.mu) == (name, pytest.approx(0.3), 0.6)
        assert (made.option, made.table["option"]) == (names.index(name), names.index(name))
    made.follow("#forty?mu=0.9")  # the address alone; what it does not name stays
    assert (made.kind, made.c, made.mu) == (names[-1], pytest.approx(0.3), 0.9)
    made.close()


@pytest.mark.parametrize(
    ("link", "says"),
    [
        *((text, "link = .* Copy link") for text in ("", LINK, LINK[:-1], "c=0.5")),
        (f"{LINK}c=0.5&shown=3", "control = 'shown': accepted is one of .*'c', 'mu', 'kind'"),
        *(
            (f"{LINK}kind=two&c={text}", "c = .*: accepted is a number from 0 to 1")
            for text in ("", "1.5", "nan", "much")
        ),
        (f"{LINK}c=0.5&kind=three", "kind = 'three': accepted is one of .*'one', 'two'"),
    ],
)
def test_a_link_that_does_not_fit_moves_nothing(demo, link, says):
    with pytest.raises(ValueError, match=says.replace("Copy link", '"Copy link"')):
        demo.follow(link)
    assert demo.index == [0, 1] and demo.option == 0


def test_over_the_budget_the_kernel_computes_and_remembers():
    calls = []

    def counted(c):
        calls.append(c)
        return {"line.y": np.full(1000, c)}, f"c = {c:g}"

    live = Explorable(line_figure, counted, {"c": Slider.linear(0, 1, 11)}, budget=1000)
    assert not live.tabulated and live.table_bytes == 0
    assert live.table["at"] == [0] and drawn(live)[1] == "c = 0"
    live.index = [7]
    assert live.table["at"] == [7] and drawn(live)[1] == "c = 0.7"
    assert drawn(live)[0] == pytest.approx(np.full(1000, 0.7))
    count = len(calls)
    live.index = [0]
    live.index = [7]
    assert len(calls) == count
    with pytest.raises(ValueError, match="larger than budget = 1000 bytes"):
        live.to_html(budget=1000)
    live.close()


def test_within_the_budget_the_page_is_not_sent_a_row_per_move(demo):
    assert demo.tabulated and 0 < demo.table_bytes < 2000
    messages = []
    demo.observe(messages.append, "table")
    demo.index = [5, 2]
    demo.c = 0.9
    assert messages == []


def test_an_error_is_shown_and_goes_when_the_position_is_good():
    def fragile(c):
        if c > 0.85:
            raise OverflowError("too much")
        return {"line.y": np.full(1000, c)}, "fine"

    live = Explorable(line_figure, fragile, {"c": Slider.linear(0, 1, 101)}, budget=1000)
    assert live.error == ""
    live.index = [90]
    assert live.error == "This figure could not be computed. OverflowError at c = 0.9: too much"
    live.index = [1]
    assert live.error == ""
    live.close()


def test_an_error_in_a_table_is_shown_and_not_computed_again():
    calls = []

    def broken(c):
        calls.append(c)
        raise OverflowError("too much")

    demo = Explorable(line_figure, broken, {"c": Slider.linear(0, 1, 11)})
    assert "OverflowError at c = 0.0: too much" in demo.error
    demo.index = [4]
    assert "too much" in demo.error and len(calls) == 1
    demo.close()


def test_a_ragged_preset_is_shown_when_it_is_chosen():
    def ragged(c, kind):
        return {"line.y": [c] * (kind + (c > 0.5 and kind == 2))}, ""

    controls = {"c": Slider.linear(0, 1, 3), "kind": Choice({"good": 1, "bad": 2})}
    demo = Explorable(line_figure, ragged, controls)
    demo.option = 1
    assert "ragged rows for 'line.y'" in demo.error
    demo.option = 0
    assert demo.error == ""
    demo.close()


@pytest.mark.parametrize(
    ("controls", "says"),
    [
        ({"c": Slider([])}, "control 'c': values are empty"),
        ({"c": Slider([2, 1])}, "control 'c': values .* not strictly increasing"),
        ({"c": 3}, "control 'c': accepted is a Slider or a Choice, got 3"),
        ({name: Slider([1]) for name in "abcd"}, "4 sliders and 0 drop-downs"),
        ({name: Choice({"x": 1}) for name in "ab"}, "0 sliders and 2 drop-downs"),
        ({"table": Slider([1])}, "control 'table': the name is taken"),
        ({"c": Slider([0, 1], start=3)}, "c = 3: accepted is 0 to 1"),
    ],
)
def test_controls_that_cannot_be_used_are_refused(controls, says):
    with pytest.raises(ValueError, match=says):
        Explorable(line_figure, lambda **values: ({}, ""), controls)


def test_a_row_for_no_trace_is_refused_at_construction():
    with pytest.raises(ValueError, match=r"'lime\.y': no such trace"):
        Explorable(line_figure, lambda c: ({"lime.y": [c, c]}, ""), {"c": Slider([1, 2])})


def test_traces_need_names_of_their_own():
    for names in (["a", "a"], ["a", None]):
        picture = go.Figure([go.Scatter(y=[1], name=name) for name in names])
        with pytest.raises(ValueError, match="every trace needs a name of its own"):
            Picture(picture)


def test_figures_share_the_library_and_its_bytes_are_packed(demo):
    other = Picture(line_figure, label="Other")
    assert other.library is demo.library is library()
    assert packed_plotly()[:2] == b"\x1f\x8b" and len(packed_plotly()) < 2_000_000
    other.close()
    assert library().comm is not None  # closing a figure does not close it


def test_closing_leaves_no_widget_behind():
    from ipywidgets.widgets.widget import _instances

    library()
    before = set(_instances)
    Explorable(line_figure, compute, CONTROLS).close()
    assert set(_instances) == before


def test_a_refused_figure_leaves_no_widget_behind():
    from ipywidgets.widgets.widget import _instances

    library()
    before = set(_instances)
    with pytest.raises(ValueError, match="no such trace"):
        Explorable(line_figure, lambda c: ({"lime.y": [c]}, ""), {"c": Slider([1, 2])})
    assert set(_instances) == before


def test_picture_redraws_what_python_shows():
    picture = Picture(line_figure, label="Training")
    picture.show({"line.y": [4.0, 2.0]}, "Epoch 1.")
    values, sentence = drawn(picture)
    assert values.tolist() == [4, 2] and sentence == "Epoch 1."
    picture.show({"line.x": [0, 1, 2], "line.y": [4.0, 2.0, 1.0]}, "Epoch 2.")
    assert drawn(picture)[1] == "Epoch 2."
    with pytest.raises(ValueError, match="no such trace"):
        picture.show({"nosuch.y": [1]}, "")
    picture.close()


def test_the_line_for_a_page_without_a_kernel_is_escaped():
    picture = Picture(line_figure, label="a < b & c")
    line = picture.fallback_line()
    assert "Figure: a &lt; b &amp; c." in line["text/html"]
    assert picture.fallback in line["text/html"]
    assert line["text/plain"].startswith("Figure: a < b & c.")
    picture.close()


def test_label_falls_back_to_the_title():
    picture = Picture(palette.figure(title_text="Loss"))
    assert picture.label == "Loss"
    assert isinstance(Picture.label, traitlets.Unicode)
    picture.close()


def test_what_a_page_moved_is_told_to_the_other_pages(demo):
    """The kernel's word carries whose move it was, also where the controls stand there already."""
    for page, option in (("one", 1), ("two", 1)):
        hand = {"page": page, "move": 7}
        demo.set_state({"index": [2, 0], "option": option, "hand": hand})
        assert demo.heard == {"index": [2, 0], "option": option, "hand": hand}
        assert demo.c == pytest.approx(0.2) and demo.kind == "two"
