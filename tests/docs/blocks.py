"""The fenced blocks of a page, and what the words behind their fences mean.

sh              commands, run as they stand where a page is walked through
sh server       a command that keeps running; the walk goes on when the host is ready, and has
                printed WORD where `until=WORD` stands there; the next one takes its place
LANG file=PATH  the content of a file that the reader writes
text output     what the commands above it print; `…` stands for anything
json manifest   a manifest, which has to be valid
python          runs by itself, unless it is a file
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the words behind it, its text, and its line in the page."""

    page: Path
    line: int
    language: str
    words: tuple[str, ...]
    text: str

    @property
    def file(self) -> str | None:
        """The file that the reader writes this into; None where it is none."""
        names = [word.removeprefix("file=") for word in self.words if word.startswith("file=")]
        return names[0] if names else None

    @property
    def until(self) -> str:
        """The word that a server prints once the reader may go on; empty where it does not say."""
        return "".join(w.removeprefix("until=") for w in self.words if w.startswith("until="))

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """Return the pages at the top, every page of the documentation, and those of the plugins."""
    plugins = sorted(ROOT.glob("plugins/*/README.md"))
    docs = [
        page
        for page in sorted((ROOT / "docs").rglob("*.md"))
        if not any(part.startswith(".") for part in page.relative_to(ROOT).parts)
    ]
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *docs, *plugins]


def blocks(page: Path) -> Iterator[Block]:
    """Yield the blocks of a page in their order."""
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        language, *words = found["info"].split() or [""]
        line = text.count("\n", 0, found.start()) + 1
        yield Block(page, line, language, tuple(words), found["text"])


def prose(page: Path) -> str:
    """Return a page without its blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))
