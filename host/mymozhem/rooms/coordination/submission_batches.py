"""Submissions on their way, and what their senders hear."""

from dataclasses import dataclass

from pydantic import JsonValue

from mymozhem.auth.principal import Principal


@dataclass(frozen=True, eq=False)
class PendingSubmission:
    """A submission on its way; `arrived` is the monotonic second of its receipt."""

    caller: Principal
    window: str
    payload: JsonValue
    arrived: float
    key: str | None


@dataclass(frozen=True)
class AcceptedSubmission:
    """A submission that is durable; `elapsed_ms` counts from the opening to its receipt."""

    submission_id: str
    elapsed_ms: int
