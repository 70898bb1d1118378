"""The submissions of participants, row by row."""

from collections.abc import Iterator
from typing import NamedTuple

from pydantic import JsonValue

from mymozhem.contract import Submissions, Verdict


class Sent(NamedTuple):
    """A submission; a tuple, since streaks are computed from tens of thousands of them."""

    id: str
    window_id: str
    participant_id: str
    payload: JsonValue
    elapsed_ms: int
    verdict: Verdict
    points: int


def rows_of(submissions: Submissions | None) -> Iterator[Sent]:
    """Yield submissions one by one, in commit order; none if the call has no submissions."""
    given = Submissions() if submissions is None else submissions
    return map(
        Sent,
        given.id,
        given.window_id,
        given.participant_id,
        given.payload,
        given.elapsed_ms,
        given.verdict,
        given.points,
    )
