"""The host's own verdict: a submission is right if it satisfies the rules."""

from pydantic import JsonValue

from mymozhem.contract import Verdict
from mymozhem.manifests.validators import compile_schema
from mymozhem.rooms.tables.windows import WindowRow

from .text_folding import fold_known_rules, fold_payload


class Rules:
    """The current rules of a window; reuse one object for many submissions."""

    def __init__(self, window: WindowRow) -> None:
        self._fold, self._locale = window.fold, window.fold_locale
        # Folded again, because an earlier version of the host may have stored them.
        self._validator = (
            None
            if window.rules is None
            else compile_schema(fold_known_rules(window.rules, self._fold, self._locale))
        )
        self._points = window.points

    def is_right(self, payload: JsonValue) -> bool:
        """Return whether a submission satisfies the rules; False without rules."""
        if self._validator is None:
            return False
        return self._validator.is_valid(fold_payload(payload, self._fold, self._locale))

    def verdict(self, payload: JsonValue, *, without: Verdict) -> tuple[Verdict, int]:
        """Return verdict and points; without rules, the verdict `without` and no points."""
        if self._validator is None:
            return without, 0
        return (Verdict.RIGHT, self._points) if self.is_right(payload) else (Verdict.WRONG, 0)
