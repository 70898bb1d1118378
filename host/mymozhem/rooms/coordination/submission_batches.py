"""Submissions that wait for their commit, and the answer to their senders."""

from dataclasses import dataclass

from pydantic import JsonValue

from mymozhem.auth.principal import Principal

#: submissions of one commit at most
MAX_SUBMISSIONS = 500


@dataclass(frozen=True, eq=False)
class PendingSubmission:
    """A submission before its commit; `arrived` is the monotonic second of its arrival.

    `key` is the submission's own: with it, a repeated request finds the first answer.
    """

    caller: Principal
    window_key: str
    payload: JsonValue
    arrived: float
    key: str | None


@dataclass(frozen=True)
class AcceptedSubmission:
    """A durable submission; `elapsed_ms` counts from the opening to its arrival."""

    submission_id: str
    elapsed_ms: int
