"""The data that an app keeps in a room: state in three parts, and data of single participants."""

from collections.abc import Mapping, Sequence
from typing import cast

import orjson
from pydantic import JsonValue
from sqlalchemy.orm.attributes import flag_modified

from mymozhem.contract import JsonObject, Level
from mymozhem.contract.events import OwnStateChanged, StateChanged
from mymozhem.errors import Invalid, TooLarge
from mymozhem.manifests.settings import merge_patch
from mymozhem.manifests.validation_errors import by_field

from .core.participant_lookup import require_participants
from .core.revision import room_state
from .core.transaction import RoomTransaction
from .tables.participants import ParticipantRow

MAX_STATE_BYTES = 128 * 1024
MAX_PERSON_BYTES = 16 * 1024


async def replace_state(
    transaction: RoomTransaction, parts: Mapping[Level, JsonObject], *, merge: bool = False
) -> None:
    """Replace the named parts of the room's state; each is shown to its level only.

    With `merge` they are JSON merge patches of the parts as they are now. Raises TooLarge if the
    parts together exceed 128 KiB, and Invalid if the state breaks the manifest's schema.
    """
    row = await room_state(transaction.session, transaction.room.id)
    whole: JsonObject = {
        "public": row.public,
        "organizer": row.organizer,
        "private": row.private,
    }
    if merge:
        parts = {level: merged(whole[level], patch) for level, patch in parts.items()}
    whole |= {str(level): part for level, part in parts.items()}
    _check_size(whole, MAX_STATE_BYTES)
    _validate_state(transaction, whole)
    row.version += 1
    for level, part in parts.items():
        setattr(row, level, part)
        flag_modified(row, level)  # to Python, a 1 that becomes true is the same
        transaction.record(
            StateChanged(part=level, state=part, state_version=row.version), to=level
        )


async def replace_people(
    transaction: RoomTransaction,
    participant_ids: Sequence[str],
    *,
    own: Sequence[JsonObject | None] | None,
    private: Sequence[JsonObject | None] | None,
    merge: bool = False,
) -> None:
    """Replace the data of single participants; None leaves a part unchanged.

    With `merge` they are JSON merge patches of the data as it is now. `own` is shown to that
    participant only. Raises NotFound if one of them is not in the room.
    """
    people = await require_participants(transaction, participant_ids)
    nothing = [None] * len(participant_ids)
    for person_id, mine, hidden in zip(
        participant_ids, own or nothing, private or nothing, strict=True
    ):
        person = people[person_id]
        if merge:
            mine = None if mine is None else merged(person.own, mine)  # noqa: PLW2901  resolved
            hidden = None if hidden is None else merged(person.private, hidden)  # noqa: PLW2901
        _replace_person(transaction, person, mine, hidden)
    # People's data is part of what answers are computed from, so it moves the revision on.
    (await room_state(transaction.session, transaction.room.id)).version += 1


def _replace_person(
    transaction: RoomTransaction,
    person: ParticipantRow,
    own: JsonObject | None,
    private: JsonObject | None,
) -> None:
    if own is not None:
        _check_size(own, MAX_PERSON_BYTES)
        person.own = own
        flag_modified(person, "own")
        transaction.record(OwnStateChanged(own=own), to=person.id)
    if private is not None:
        _check_size(private, MAX_PERSON_BYTES)
        person.private = private
        flag_modified(person, "private")


def merged(document: JsonValue, patch: JsonObject) -> JsonObject:
    """Return an object with a merge patch applied; a patch that is an object gives an object."""
    return cast("JsonObject", merge_patch(document, patch))


def size_of(document: object) -> int:
    """Return the bytes that a document takes as JSON."""
    return len(orjson.dumps(document))


def _check_size(document: object, limit: int) -> None:
    size = size_of(document)
    if size > limit:
        message = f"That is {size} bytes of data; at most {limit} are kept."
        raise TooLarge(message, code="STATE_TOO_LARGE")


def _validate_state(transaction: RoomTransaction, whole: JsonObject) -> None:
    problems = transaction.manifest.state_validator.errors(whole)
    if problems:
        message = "The state breaks the manifest's schema of it."
        raise Invalid(message, code="STATE_INVALID", fields=by_field(problems))
