"""Submissions: committed in batches, in order of arrival, acknowledged after the commit.

Each is judged on its own, so that an invalid one never fails the others. All of it happens under
the lock of the room's row: the commit order counts, whichever process received them.
"""

from collections.abc import Sequence
from functools import partial

from pydantic import JsonValue

from mymozhem.auth.principal import Principal
from mymozhem.errors import Forbidden, MymozhemError, NotFound
from mymozhem.rooms.coordination.submission_batches import AcceptedSubmission, PendingSubmission
from mymozhem.rooms.core.access import membership_for
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import room_transaction

from .submission_batch import SubmissionBatch

__all__ = ["AcceptedSubmission", "submit"]

_ENDPOINT = "POST /rooms/{id}/windows/{windowId}/submissions"


async def submit(
    services: Services,
    room_id: str,
    caller: Principal,
    window_key: str,
    payload: JsonValue,
    *,
    key: str | None = None,
    received: float | None = None,
) -> AcceptedSubmission:
    """Submit to a window; the submission is durable on return, and not judged yet.

    A `key` that the same person used for the same payload in this window returns the first answer
    again. `received` is the monotonic second of arrival, by default now.

    Raises Conflict WINDOW_CLOSED, WINDOW_PAUSED, TOO_EARLY (try again), ALREADY_ANSWERED,
    TOO_MANY_SUBMISSIONS, IDEMPOTENCY_MISMATCH; Invalid if the payload breaks the schema; TooLarge;
    and NotFound or Forbidden for callers who may not submit.
    """
    arrived = services.clock.monotonic() if received is None else received
    arriving = PendingSubmission(caller, window_key, payload, arrived, key)
    process = partial(_commit, services, room_id)
    try:
        return await services.submissions.submit(room_id, arriving, process)
    except (NotFound, Forbidden):
        async with services.database.read() as session:  # strangers learn what the table tells them
            await membership_for(session, room_id, caller, _ENDPOINT)
        raise


async def _commit(
    services: Services, room_id: str, arriving: Sequence[PendingSubmission]
) -> dict[PendingSubmission, AcceptedSubmission | Exception]:
    """Commit a batch; if that fails, commit each of its submissions alone."""
    try:
        async with room_transaction(services, room_id) as transaction:
            return await SubmissionBatch(transaction).take(arriving)
    except MymozhemError as error:  # of the room or the database: it is everybody's
        return dict.fromkeys(arriving, error)
    except Exception as error:  # noqa: BLE001  told to whom it belongs, once that is known
        if len(arriving) == 1:
            return {arriving[0]: error}
    alone = [await _commit(services, room_id, [each]) for each in arriving]
    return {each: found[each] for each, found in zip(arriving, alone, strict=True)}
