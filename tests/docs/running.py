"""The code of a page, run as a reader would: block after block, in one namespace, in a folder of its own."""

import contextlib
import io
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOWTO = ROOT / "docs" / "library" / "howto"
STACKS = ("processes", "trainers")  # pages that need packages or processes: in tests/stacks
_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r":caption: (\w+\.py)\n\n")


@dataclass(frozen=True)
class Block:
    """What stands between two fences."""

    kind: str  # "python", "file", "sh", "text", or the fence's own word
    text: str
    line: int
    name: str = ""  # of a file


def blocks(page: Path) -> list[Block]:
    text, found = page.read_text("utf-8"), []
    for match in _FENCE.finditer(text):
        kind, content, name = match[1].strip(), match[2], ""
        if kind == "{code-block} python":
            told = _FILE.match(content)
            assert told, f"{page.name}: a code-block needs the caption of its file"
            kind, name, content = "file", told[1], content[told.end() :]
        found.append(Block(kind, content, text[: match.start()].count("\n") + 2, name))
    return found


def run(page: Path, folder: Path) -> None:
    """Run the page; what a `text` block shows is what the block before it printed."""
    names: dict[str, object] = {"__name__": "page"}
    printed = ""
    with contextlib.chdir(folder):
        for block in blocks(page):
            where = f"{page.name}, line {block.line}"
            if block.kind == "python":
                code = compile("\n" * (block.line - 1) + block.text, str(page), "exec")
                with contextlib.redirect_stdout(io.StringIO()) as out:
                    exec(code, names)
                printed = out.getvalue()
            elif block.kind == "file":
                Path(block.name).write_text(block.text, "utf-8")
            elif block.kind == "sh":
                printed = "".join(_called(line) for line in block.text.splitlines())
            elif block.kind == "text":
                assert as_shown(block.text).fullmatch(printed), f"{where}: it printed\n{printed}"


def as_shown(text: str) -> re.Pattern[str]:
    """What a block of output lets pass: itself, and anything within a line for "…"."""
    return re.compile(re.escape(text).replace("…", r"[^\n]+"))


def _called(line: str) -> str:
    """What a command prints: torchrun, with this Python."""
    program, *arguments = shlex.split(line, comments=True)
    assert program == "torchrun", f"{line}: only torchrun is tested"
    command = [sys.executable, "-m", "torch.distributed.run", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout
