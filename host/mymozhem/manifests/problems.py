"""The problems of a document, described so that its author can fix them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace


@dataclass(frozen=True, order=True)
class Problem:
    """One problem: where (a JSON Pointer), a code, a sentence, and a hint what to write instead."""

    pointer: str
    code: str
    message: str
    hint: str = ""

    @property
    def sentence(self) -> str:
        """The place, the problem and the hint, for people."""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.pointer or '/'}: {self.message}{hint}"

    def under(self, prefix: str) -> "Problem":
        """Return the same problem of a document that is at this pointer in a larger one."""
        return replace(self, pointer=prefix + self.pointer)


def under(prefix: str, problems: Iterable[Problem]) -> Iterator[Problem]:
    """Yield the problems of a part as problems of the whole."""
    return (problem.under(prefix) for problem in problems)
