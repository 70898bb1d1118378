"""The source of an evening's questions: a large file if it exists, else those in the package."""

import re
from dataclasses import dataclass
from pathlib import Path
from random import Random

#: a file of thousands of questions, in OpenTriviaQA format and a different encoding
LARGE = Path("../shared/data/trivia/science-technology.txt")
OWN = Path(__file__).with_name("questions.txt")
_BEGIN = re.compile(rb"(?m)^(?=#Q)")

#: questions that are taken for each one played, since some cannot be read
SPARE = 2


@dataclass(frozen=True)
class Source:
    """Questions as text; `name` is the name of their file."""

    name: str
    blocks: tuple[bytes, ...]

    def some(self, count: int, draw: Random) -> bytes:
        """Return this many questions, and as many spare ones, in the bytes of the file."""
        wanted = min(count * SPARE, len(self.blocks))
        return b"".join(draw.sample(self.blocks, wanted))


def find_source() -> Source:
    """Return the large file if it exists, else the questions in the package."""
    path = LARGE if LARGE.is_file() else OWN
    blocks = [block for block in _BEGIN.split(path.read_bytes()) if block.startswith(b"#Q")]
    return Source(path.name, tuple(block.rstrip() + b"\n\n" for block in blocks))
