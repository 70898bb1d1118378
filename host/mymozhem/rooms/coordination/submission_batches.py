"""Submissions on their way, and what their senders hear."""

from dataclasses import dataclass

from pydantic import JsonValue

from mymozhem.auth.principal import Principal


@dataclass(frozen=True, eq=False)
class Arriving:
    """A submission on its way; `arrived` is the monotonic second of its receipt.

    `key` is the submission's own: with it a repeated request finds its first answer.
    """

    caller: Principal
    window_key: str
    payload: JsonValue
    arrived: float
    key: str | None


@dataclass(frozen=True)
class Accepted:
    """A submission that is durable; `elapsed_ms` counts from the opening to its receipt."""

    submission_id: str
    elapsed_ms: int
