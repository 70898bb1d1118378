"""Return codes of guests: they move a membership to another phone, and sign the old phone out.

A guest is signed in on one phone at a time. The row holds the session of that phone's token, so
that ending the session ends every token of that phone.
"""

import hmac
import secrets
from datetime import timedelta

from sqlalchemy import select

from mymozhem.auth.keys import Keys
from mymozhem.auth.revocations import Revocation
from mymozhem.auth.tables import RevocationKind, RevocationReason, UserRow
from mymozhem.contract import PersonKind
from mymozhem.db.base import new_id
from mymozhem.errors import Gone, NotFound
from mymozhem.rooms.coordination.join_batches import JoinResult
from mymozhem.rooms.core.join_code import ALPHABET, normal_code
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import ENDED, RoomTransaction, room_transaction
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.rooms import RoomRow

from .join_policy import require_not_banned

RETURN_CODE_LENGTH = 10
_PURPOSE = "return-code"


class ReturnCodeUnknown(NotFound):
    """Nobody has this return code in a room with this code."""

    default_code = "RETURN_CODE_UNKNOWN"


def issue_return_code(keys: Keys, row: ParticipantRow) -> str:
    """Give a guest's row a new session and return code; the row keeps only the code's digest."""
    code = "".join(secrets.choice(ALPHABET) for _ in range(RETURN_CODE_LENGTH))
    row.guest_session_id, row.return_code_hash = new_id("ses"), _digest(keys, code)
    return code


async def return_as_guest_of(services: Services, code: str, return_code: str) -> JoinResult:
    """Move the membership with this return code to the caller's phone.

    The tokens of the phone before are refused from now on, and a new return code replaces the old
    one, which works once. Raises `ReturnCodeUnknown`, the same for a wrong code of the room and a
    wrong return code. With the right ones, raises `Gone` if the event is over, and `Forbidden` for
    a person who was removed or rejected.
    """
    digest = _digest(services.keys, normal_code(return_code))
    room_id = await _find_room(services, code, digest)
    async with room_transaction(services, room_id) as transaction:
        found = await transaction.session.execute(
            select(ParticipantRow, UserRow)
            .join(UserRow, UserRow.id == ParticipantRow.user_id)
            .where(
                ParticipantRow.room_id == room_id,
                ParticipantRow.return_code_hash == digest,
                UserRow.kind == PersonKind.GUEST,
                UserRow.deleted_at.is_(None),
            )
        )
        member = found.one_or_none()
        if member is None:  # somebody else used the code first
            raise ReturnCodeUnknown
        row, person = member
        require_not_banned(row)
        if transaction.room.status in ENDED:
            message = "The event is over."
            raise Gone(message, code="ROOM_OVER")
        transaction.actor_id = person.id
        new_code = replace_return_code(transaction, row)
        transaction.audit("participant.return", subject=row.id)
        return JoinResult(transaction.room, row, person, new=False, return_code=new_code)


def replace_return_code(transaction: RoomTransaction, row: ParticipantRow) -> str:
    """End the tokens of a guest's phone, and return a new return code for another phone."""
    settings = transaction.services.settings
    lasts = timedelta(hours=settings.guest_token_hours, minutes=1)
    before = row.guest_session_id
    revocation = Revocation(
        RevocationKind.PERSON if before is None else RevocationKind.SESSION,
        row.user_id if before is None else before,
        expires_at=transaction.now + lasts,
        user_id=row.user_id,
        reason=RevocationReason.MANUAL_REVOKE,
        revoked_by=transaction.actor_id,
        # Without a session, tokens are from an earlier release: none of them is from this second.
        not_before=transaction.now - timedelta(seconds=1) if before is None else None,
    )
    transaction.services.revocations.revoke(transaction.unit, [revocation])
    return issue_return_code(transaction.services.keys, row)


async def _find_room(services: Services, code: str, digest: str) -> str:
    """Return the room's id, in one query, whatever is wrong."""
    async with services.database.read() as session:
        room_id = await session.scalar(
            select(RoomRow.id)
            .join(ParticipantRow, ParticipantRow.room_id == RoomRow.id)
            .where(
                RoomRow.code == normal_code(code),
                RoomRow.deleted_at.is_(None),
                ParticipantRow.return_code_hash == digest,
            )
        )
    if room_id is None:
        raise ReturnCodeUnknown
    return room_id


def _digest(keys: Keys, code: str) -> str:
    return hmac.digest(keys.derive(_PURPOSE), code.encode(errors="replace"), "sha256").hex()
