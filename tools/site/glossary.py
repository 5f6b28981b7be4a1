"""The course's terms and symbols: each leads to the glossary where a lesson first uses it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "docs" / "glossary.md"
# What a term must not stand in: code, formulas, links, raw HTML, headings, tables.
APART = re.compile(
    r"(```.*?```|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]+\$|!?\[[^\]]*\]\([^)]*\)|<small>.*?</small>|<[^>\n]+>|^#.*?$|^\|.*?$)",
    re.DOTALL | re.MULTILINE,
)
BOLD = re.compile(r"\*\*([^*\n]+)\*\*")
ALSO = {  # how lessons write a term, besides its own words and their plural
    "comes back": "revival (coming back)",
    "dead": "dead unit",
    "flat": "flat direction",
    "floor": "flat subspace",
    "hard": "hard thresholding",
    "proximal": "proximal SGD",
    "quadratic Bézier curve": "Bézier curve",
    "revives": "revival (coming back)",
    "sharp": "sharp direction",
    "the wish": "wish",
    "gradual": "gradual magnitude pruning",
    "bias": "bias of a survivor",
}
# Everyday words too: a term only where a lesson prints them in bold.
IN_BOLD = {
    *(
        "bend",
        "bias",
        "compact",
        "dead",
        "flat",
        "floor",
        "gradual",
        "hard",
        "ladder",
        "limit",
        "probe",
    ),
    *("proximal", "shadow", "sharp", "the wish", "time", "unit", "wish", "patience", "projection"),
}
CASED = {"CSR", "OBS", "SGD", "gRDA", "gRDAM", "Lasso", "Hessian", "RDA", "QHM", "Lanczos"}
PLAIN = {"c": "$c$", "μ": r"$\mu$", "γ": r"$\gamma$", "τ": r"$\tau$", "β": r"$\beta$"}
"""Symbols that lessons write without a formula too."""
EMPHASIS = frozenset(  # bold in a lesson and no terms: stressed words, names of buttons, of options, of methods
    """Start; Stop; ▶; Shift + Enter; How; Why those; weight; weights; what; where; soft; good; right; end; on the way;
    scale; measures; prunes; true; false; controls; against; random; retrained; magnitude; gzip; torch.save; its own start;
    in pairs; adds up; r; three rounds; Then its mask; Every row; Below 1; Theorem 3.1; another start; smallest weights cut;
    weak evidence; Beyond the edge; band; μ < 1; μ < ½; μ = ½; μ > ½; 195 MB; gRDAM, effective step; |w·g|;
    A bitmask; A flat weight; A sharp weight; Above ½; Along a row; nine trials""".replace(
        "\n    ", " "
    ).split("; ")
)


class GlossaryError(Exception):
    """A term that the glossary does not explain; the message names lesson and term."""


@dataclass(frozen=True)
class Glossary:
    """terms: how one is written -> its entry; symbols: LaTeX of each -> its place on the page."""

    terms: dict[str, str]
    symbols: dict[str, str]

    @classmethod
    def read(cls, text: str | None = None) -> Glossary:
        """From docs/glossary.md."""
        text = SOURCE.read_text("utf-8") if text is None else text
        terms: dict[str, str] = {}
        for block in re.findall(r"```\{glossary\}\n(.*?)```", text, re.DOTALL):
            for entry in (line.strip() for line in block.splitlines() if line and line[0] != " "):
                bare = re.sub(r" \(.*\)", "", entry)
                short = re.search(r"\(([A-Z]+)\)", entry)
                for form in (bare, f"{bare}s", *([short[1]] if short else [])):
                    terms[form] = entry
        terms |= {form: entry for form, entry in ALSO.items() if entry in terms.values()}
        rows = re.findall(r"^\| (\$[^|]+?) \| ", text, re.MULTILINE)
        symbols = {latex: place(row) for row in rows for latex in re.findall(r"\$([^$]+)\$", row)}
        return cls(terms, symbols)

    def linked(self, text: str, used: set[str]) -> str:
        """The Markdown with the first use of each term and symbol linked. ``used``: those that are."""
        forms = sorted(self.terms, key=len, reverse=True)
        lower = {form.lower(): form for form in forms}
        plain = [letter for letter, latex in PLAIN.items() if latex.strip("$") in self.symbols]
        found = re.compile(
            rf"(?P<bold>\*\*)?(?<![\w-])(?P<term>{'|'.join(map(re.escape, [*forms, *plain]))})(?![\w-])",
            re.IGNORECASE,
        )

        def link(match: re.Match) -> str:
            said = match["term"]
            if said in plain:
                return (match["bold"] or "") + self._linked_symbol(
                    said, PLAIN[said].strip("$"), used
                )
            form = lower.get(said.lower(), "")
            entry = self.terms.get(form, "")
            is_other = (form in CASED and said != form) or (form in IN_BOLD and not match["bold"])
            if not entry or entry in used or is_other:
                return match[0]
            used.add(entry)
            return f"{match['bold'] or ''}{{term}}`{said} <{entry}>`"

        parts = APART.split(text)
        for k, part in enumerate(parts):
            if k % 2 == 0:
                parts[k] = found.sub(link, part)
            elif symbol := self._symbol(part):
                parts[k] = self._linked_symbol(part, symbol, used)
        return "".join(parts)

    def _linked_symbol(self, part: str, symbol: str, used: set[str]) -> str:
        to = self.symbols[symbol]
        if to in used:
            return part
        used.add(to)
        said = symbol.replace("\\", "")
        told = "" if part in PLAIN else f' aria-label="{said}, in the glossary"'
        return f'<a class="reference internal" href="glossary.html#{to}"{told}>{part}</a>'

    def _symbol(self, part: str) -> str:
        """The symbol that a formula is, or of which it says the value; "" where it is something else."""
        formula = re.fullmatch(r"\$([^$]+)\$", part)
        if not formula:
            return ""
        said = formula[1].strip()
        first = re.split(r"\s*(?:=|<|>|\\ge\b|\\le\b)\s*", said)[0]
        return next((one for one in (said, first) if one in self.symbols), "")

    def check(self, text: str, where: str) -> None:
        """Raise GlossaryError where the lesson ``where`` has a term in bold that is not explained."""
        known = {form.lower() for form in self.terms} | {word.lower() for word in EMPHASIS}
        for phrase in BOLD.findall(text):
            said = phrase.strip().lower()
            is_sentence = said[-1] in ".:?!" or len(said.split()) > 3
            if not is_sentence and "$" not in said and said not in known:
                raise GlossaryError(
                    f"{where}: the term {phrase!r} has no entry in docs/glossary.md (where it is no term, "
                    "add it to EMPHASIS in tools/site/glossary.py)"
                )


def place(row: str) -> str:
    """Where a row of the table of symbols is found on the page, from its first cell."""
    return "symbol-" + re.sub(r"\W+", "-", row).strip("-").lower()


def with_places(text: str) -> str:
    """The glossary's Markdown, in which each row of symbols can be linked to."""
    return re.sub(
        r"^\| (\$[^|]+?) \| ",
        lambda row: f'| <a id="{place(row[1])}"></a>{row[1]} | ',
        text,
        flags=re.MULTILINE,
    )
