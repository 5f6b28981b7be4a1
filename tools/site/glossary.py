"""The course's terms and symbols: each leads to the glossary where a lesson first uses it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "docs" / "glossary.md"
# What a word of the text must not stand in: code, formulas, links, raw HTML, headings, definitions' code.
APART = re.compile(
    r"(```.*?```|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]+\$|!?\[[^\]]*\]\([^)]*\)|<[^>\n]+>|^#.*?$|^\|.*?$)",
    re.DOTALL | re.MULTILINE,
)
BOLD = re.compile(r"\*\*([^*\n]+)\*\*")
EMPHASIS = frozenset(  # bold in a lesson and no terms: stressed words, names of buttons, of options, of methods
    """Start; Stop; ▶; Shift + Enter; How; Why those; weight; weights; what; where; soft; hard; good; right; end; on the way;
    scale; measures; prunes; true; false; controls; against; random; retrained; magnitude; gzip; torch.save; its own start;
    in pairs; adds up; r; three rounds; Then its mask; Every row; Below 1; Theorem 3.1; another start; smallest weights cut;
    weak evidence; Beyond the edge; the wish; band; μ < 1; μ < ½; μ = ½; μ > ½; 195 MB; 2:4; gRDAM, effective step; |w·g|;
    A bitmask; A flat weight; A sharp weight; Above ½; Along a row""".replace("\n    ", " ").split(
        "; "
    )
)


class GlossaryError(Exception):
    """A term that the glossary does not explain; the message names lesson and term."""


@dataclass(frozen=True)
class Glossary:
    """terms: each way of writing one; symbols: LaTeX of each -> its target."""

    terms: frozenset[str]
    symbols: dict[str, str]

    @classmethod
    def read(cls, text: str | None = None) -> Glossary:
        """From docs/glossary.md."""
        text = SOURCE.read_text("utf-8") if text is None else text
        terms: set[str] = set()
        for block in re.findall(r"```\{glossary\}\n(.*?)```", text, re.DOTALL):
            terms |= {line.strip() for line in block.splitlines() if line and line[0] != " "}
        symbols = dict(
            (latex, target)
            for target, latex in re.findall(r"\((symbol-[\w-]+)\)=\n\$([^$]+)\$", text)
        )
        return cls(frozenset(terms), symbols)

    def linked(self, text: str, used: set[str]) -> str:
        """The Markdown with the first use of each term and symbol linked. ``used``: those that are."""
        words = sorted(self.terms, key=len, reverse=True)
        lower = {word.lower(): word for word in words}
        found = re.compile(
            rf"(?<![\w-])({'|'.join(map(re.escape, words))})(?![\w-])", re.IGNORECASE
        )

        def link(match: re.Match) -> str:
            term = lower[match[1].lower()]
            if term in used or (term in CASED and match[1] != term):
                return match[1]
            used.add(term)
            return f"{{term}}`{match[1]} <{term}>`"

        parts = APART.split(text)
        for k, part in enumerate(parts):
            if k % 2 == 0:
                parts[k] = found.sub(link, part)
            elif (symbol := self._symbol(part)) and symbol not in used:
                used.add(symbol)
                parts[k] = f"[{part}](#{self.symbols[symbol]})"
        return "".join(parts)

    def _symbol(self, part: str) -> str:
        """The symbol that a formula is, or of which it says the value; "" where it is something else."""
        formula = re.fullmatch(r"\$([^$]+)\$", part)
        if not formula:
            return ""
        first = re.split(r"\s*(?:=|<|>|\\ge\b|\\le\b)\s*", formula[1].strip())[0]
        return first if first in self.symbols else ""

    def check(self, text: str, where: str) -> None:
        """Raise GlossaryError where the lesson ``where`` has a term in bold that is not explained."""
        known = {word.lower() for word in self.terms | EMPHASIS}
        for phrase in BOLD.findall(text):
            said = phrase.strip().lower()
            is_sentence = said[-1] in ".:?!" or len(said.split()) > 3
            if not is_sentence and "$" not in said and said not in known:
                raise GlossaryError(
                    f"{where}: the term {phrase!r} has no entry in docs/glossary.md (where it is no term, "
                    "add it to EMPHASIS in tools/site/glossary.py)"
                )


CASED = {"CSR", "OBS", "SGD", "gRDA", "gRDAM", "Lasso", "Hessian"}
"""Terms that are written in one way only."""
