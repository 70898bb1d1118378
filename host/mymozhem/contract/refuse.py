"""How an app says no."""

from .payloads import Refusal
from .wire import JsonObject


class Refuse(Exception):
    """Raise this from any asked hook: 409 to the caller, nothing applied, no failure of the app."""

    def __init__(self, code: str, message: str, details: JsonObject | None = None) -> None:
        self.refusal = Refusal(code=code, message=message, details=details or {})
        super().__init__(f"{code}: {message}")
