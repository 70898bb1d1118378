"""The exception by which an app refuses a call."""

from .payloads import Refusal
from .wire import JsonObject


class Refuse(Exception):
    """Raise this in any `asked` hook: the caller gets 409, nothing is applied, it is no failure."""

    def __init__(self, code: str, message: str, details: JsonObject | None = None) -> None:
        self.refusal = Refusal(code=code, message=message, details=details or {})
        super().__init__(f"{code}: {message}")
