"""What is wrong with a question, as a value: where, which code, and what its sentence names."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .messages_en import say


@dataclass(frozen=True)
class Fault:
    """One fault of a question; `pointer` is a JSON Pointer within the question."""

    code: str
    pointer: str = ""
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """The sentence in English."""
        return self.said("en")

    def said(self, locale: str) -> str:
        """Return the sentence in the language of a room."""
        return say(locale, self.code, **self.values)


def fault(code: str, pointer: str = "", /, **values: object) -> Fault:
    """Return a fault with what its sentence names."""
    return Fault(code, pointer, values)
