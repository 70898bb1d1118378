"""What is wrong with a question, as a value: the place, the code and the values of the message."""

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
        """The message in English."""
        return self.said("en")

    def said(self, locale: str) -> str:
        """Return the message in the language of a room."""
        return say(locale, self.code, **self.values)


def fault(code: str, pointer: str = "", /, **values: object) -> Fault:
    """Return a fault with the values of its message."""
    return Fault(code, pointer, values)
