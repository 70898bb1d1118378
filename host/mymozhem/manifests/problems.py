"""What is wrong with a document, told so that its author can mend it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace


@dataclass(frozen=True, order=True)
class Problem:
    """One fault: where (a JSON Pointer), a code, a sentence, and what to write instead."""

    pointer: str
    code: str
    message: str
    hint: str = ""

    def under(self, prefix: str) -> "Problem":
        """Return the same problem of a document that stands at this pointer of a larger one."""
        return replace(self, pointer=prefix + self.pointer)


def under(prefix: str, problems: Iterable[Problem]) -> Iterator[Problem]:
    """Yield the problems of a part as problems of the whole."""
    return (problem.under(prefix) for problem in problems)
