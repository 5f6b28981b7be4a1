"""The glossary: every entry one sentence, and the lesson that it names is the first to use the word."""

import re
from pathlib import Path

import pytest

import grda_edu

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "glossary.md").read_text("utf-8")
WHERE = re.compile(r" \{doc\}`Lesson (\d\d) </lesson\1>`\.$| \{py:obj\}`grda_edu\.(\w+)`\.$")
# How an entry is written in a lesson, where it is not by its own letters.
FORMS = {
    "asleep": r"\*\*asleep",
    "bend": r"\*\*bend\*\*",
    "limit": r"\*\*limit\*\*",
    "projection": r"\*\*projection\*\*",
    "SGD": r"SGD",
    "shadow": r"\*\*shadow\*\*",
    "time": r"\*\*time\*\*",
    "wish": r"\*\*the wish\*\*",
    "batch": r"batch of|batches|[Bb]atch",
    "bias of a survivor": r"bias",
    "epoch": r"epoch",
    "gRDA": r"gRDA",
    "hard thresholding": r"hard\*\*|hard.thresholding",
    "learning rate": r"learning rate|step size|\\gamma",
    "momentum": r"momentum|Momentum",
    "quasi-hyperbolic momentum (QHM)": r"quasi-hyperbolic",
    "RDA": r"\bRDA\b",
    "revival (coming back)": r"comes? back|came back",
    "threshold": r"threshold",
    "two spaces": r"two spaces|Two spaces|second space",
    "weight decay": r"weight decay",
    "base rate (one c for all)": r"one c for all|always takes|one \$c\$ for all",
    "flattery": r"flatter",
    "seed": r"\bseeds?\b",
    "Bézier curve": r"B[ée]zier",
    "eigenvalue": r"eigenvalue",
    "Hessian": r"Hessian",
    "matched units": r"units matched|units were matched|puts? the units",
    "optimal brain surgeon (OBS)": r"[Oo]ptimal brain surgeon|\bOBS\b",
    "gradual magnitude pruning": r"gradual",
    "lottery ticket": r"ticket",
    "mask": r"\bmask\b",
    "one-shot pruning": r"one-shot",
    "random mask": r"random mask|random zeros",
    "retraining": r"[Rr]etrain",
    "2:4": r"2:4",
    "break-even": r"break.?even|breaks even",
    "compact": r"`compact`",
    "CSR": r"\bCSR\b",
    "dead unit": r"dead unit|\*\*dead\*\*",
    "unit": r"\bunits?\b",
    "$\\gamma$": r"\\gamma|γ",
    "$n$": r"\$n\$|\bn\b steps|nγ|n\\gamma",
    "$t = n\\gamma$": r"n\\gamma|nγ",
    "$c$": r"\bc\b",
    "$\\mu$": r"\\mu|μ",
    "$g(n, \\gamma)$": r"g\(n|g\(t|S_g|pm g|\bg\b",
    "$v$": r"\$v\$|\bv\b",
    "$w$": r"\$w\$|\bw\b",
    "$S_\\tau$": r"S_\\tau|S_τ",
    "$\\tau$": r"\\tau|τ",
    "$\\beta$": r"\\beta|β",
    "$H$": r"\$H\$|\bH\b",
    "$P_0$": r"P_0|P₀",
    "$s_j$": r"s_j|s_1",
    "$\\hat s_j$": r"\\hat s",
    "$\\lambda$ (strength of pruning)": r"strength|\\lambda",
    "$F(tH)$": r"F\(tH\)",
    "$w_{\\mathrm{SGD}}$, $w_{\\mathrm{gRDA}}$, $w_{\\mathrm{DP}}$": r"w_\{?\\(?:text|mathrm)\{SGD\}",
}


def entries() -> dict[str, str]:
    """Term -> definition, with where it is first used."""
    found: dict[str, str] = {}
    for block in re.findall(r"^```\{glossary\}\n(.*?)^```$", TEXT, re.M | re.S):
        for entry in block.strip().split("\n\n"):
            term, definition = entry.split("\n")
            assert term not in found
            found[term] = definition.strip()
    return found


def symbols() -> dict[str, tuple[str, str]]:
    """Symbol -> meaning and lesson."""
    rows = re.findall(r"^\| (\$.*?) \| (.*?) \| \{doc\}`lesson (\d\d) </lesson\3>` \|$", TEXT, re.M)
    return {symbol: (meaning, lesson) for symbol, meaning, lesson in rows}


ENTRIES, SYMBOLS = entries(), symbols()


def prose() -> dict[str, str]:
    """Lesson -> its text, without code and sources."""
    texts = {}
    for path in sorted((ROOT / "notebooks").glob("*.md")):
        text = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.M | re.S)
        texts[path.name[:2]] = " ".join(re.sub(r"<small>.*?</small>", "", text, flags=re.S).split())
    return texts


PROSE = prose()


def first(term: str) -> str:
    """The lesson that uses it first, "" if none does."""
    form = FORMS.get(term)
    pattern = re.compile(form) if form else re.compile(re.escape(term), re.IGNORECASE)
    return next((lesson for lesson, text in PROSE.items() if pattern.search(text)), "")


@pytest.mark.parametrize("term", ENTRIES)
def test_an_entry_is_one_sentence_and_names_the_lesson_of_its_first_use(term: str) -> None:
    definition = ENTRIES[term]
    told = WHERE.search(definition)
    assert told
    sentence = definition[: told.start()]
    assert sentence.endswith(".") and not re.search(r"[.!?] [A-Z]", sentence)
    if told[2]:  # a word of the reference
        assert told[2] in grda_edu.__all__ and not first(term)
    else:
        assert first(term) == told[1]


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_a_symbol_names_the_lesson_of_its_first_use(symbol: str) -> None:
    assert first(symbol) == SYMBOLS[symbol][1]


def test_what_the_course_is_about_is_there() -> None:
    asked = """accumulator, tuning function, soft-thresholding, dual averaging, two spaces, sparsity, flat subspace,
    directional pruning, finite-time score, Lanczos, optimal brain surgeon (OBS), magnitude pruning,
    gradual magnitude pruning, break-even, CSR, bitmask, group soft-thresholding, barrier"""
    assert {" ".join(term.split()) for term in asked.split(",")} <= ENTRIES.keys()
    letters = ("c", r"\mu", r"\gamma", r"g(n, \gamma)", "v", "w", "P_0", "s_j", "F(tH)")
    assert {f"${letter}$" for letter in letters} <= SYMBOLS.keys()
    assert r"$t = n\gamma$" in SYMBOLS and any(
        symbol.startswith(r"$\lambda$") for symbol in SYMBOLS
    )


def test_entries_stand_in_order() -> None:
    for block in re.findall(r"^```\{glossary\}\n(.*?)^```$", TEXT, re.M | re.S):
        terms = re.findall(r"^(\S.*)$", block, re.M)
        assert terms == sorted(terms, key=str.lower)
    assert set(FORMS) <= {*ENTRIES, *SYMBOLS}
