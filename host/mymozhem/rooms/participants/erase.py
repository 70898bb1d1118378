"""Erase a person: their rows keep their ids, and nothing else."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.auth.principal import Principal
from mymozhem.auth.tables import RevocationReason, UserRow
from mymozhem.auth.users import ERASED_NAME, delete_user, get_user
from mymozhem.contract import Change, ChangeKind, ParticipantStatus, Role
from mymozhem.contract.events import OwnStateChanged, ParticipantLeft, ParticipantUpdated
from mymozhem.deliveries.retention import forget_delivered
from mymozhem.errors import NotFound
from mymozhem.idempotency.tables import IdempotencyRow
from mymozhem.monitoring.mail_queue import forget_recipient
from mymozhem.registry.remote_apps import forget_owner
from mymozhem.rooms.app_calls.pending import forget_room
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import RoomTransaction, room_transaction
from mymozhem.rooms.tables.notifications import NotificationRow
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.windows import SubmissionRow
from mymozhem.rooms.windows.on_room_change import close_answered

from .display_names import free_name
from .join import count_people

_IN = (ParticipantStatus.ACTIVE, ParticipantStatus.PENDING)


async def erase_person(services: Services, caller: Principal, user_id: str) -> datetime:
    """Erase a person everywhere: they leave every room, and their names and answers are deleted.

    Entries, winners and the log stay, by id. Rooms are processed one at a time and the person last,
    so that a repeated call continues after a crash. Returns the time of the erasure. Raises
    `NotFound`: see `get_user`.
    """
    async with services.database.read() as session:
        await get_user(session, caller, user_id)
        rooms = await _rooms_of(session, user_id)
    for room_id in rooms:
        await _remove_from_room(services, caller, room_id, user_id)
        await forget_delivered(services.database, room_id)
    async with services.database.write(turn=user_id) as unit:
        email = await unit.session.scalar(select(UserRow.email).where(UserRow.id == user_id))
        if email is not None:
            await forget_recipient(unit.session, email)
        await delete_user(unit, caller, user_id)
        await services.sessions.revoke_person(
            unit, user_id, reason=RevocationReason.DELETED, by=caller.user_id
        )
        await forget_owner(unit.session, user_id)
        await unit.session.execute(
            delete(NotificationRow).where(NotificationRow.user_id == user_id)
        )
        await unit.session.execute(delete(IdempotencyRow).where(IdempotencyRow.caller == user_id))
        return unit.now


async def _rooms_of(session: AsyncSession, user_id: str) -> Sequence[str]:
    mine = select(ParticipantRow.room_id).where(ParticipantRow.user_id == user_id)
    return (await session.scalars(mine.order_by(ParticipantRow.id))).all()


async def _remove_from_room(
    services: Services, caller: Principal, room_id: str, user_id: str
) -> None:
    try:
        async with room_transaction(services, room_id, actor_id=caller.user_id) as transaction:
            await _vacate(transaction, user_id)
    except NotFound:  # the room was deleted: nobody reads its log, and nobody counts its people
        async with services.database.write(turn=room_id) as unit:
            await unit.session.execute(
                update(ParticipantRow)
                .where(ParticipantRow.room_id == room_id, ParticipantRow.user_id == user_id)
                .values(
                    display_name=ERASED_NAME,
                    reason=None,
                    data={},
                    own={},
                    private={},
                    self_metadata=None,
                    return_code_hash=None,
                )
            )
            mine = select(ParticipantRow.id).where(
                ParticipantRow.room_id == room_id, ParticipantRow.user_id == user_id
            )
            await unit.session.execute(
                update(SubmissionRow)
                .where(SubmissionRow.participant_id.in_(mine))
                .values(payload=None, key=None)
                .execution_options(synchronize_session=False)
            )


async def _vacate(transaction: RoomTransaction, user_id: str) -> None:
    query = select(ParticipantRow).where(
        ParticipantRow.room_id == transaction.room.id, ParticipantRow.user_id == user_id
    )
    row = (await transaction.session.scalars(query)).one()
    row.display_name = await free_name(transaction, ERASED_NAME, but=row)
    if row.own:
        transaction.record(OwnStateChanged(own={}), to=row.id)
    row.data, row.own, row.private = {}, {}, {}
    row.self_metadata, row.reason, row.return_code_hash = None, None, None
    row.updated_at = transaction.now
    await transaction.session.execute(
        update(SubmissionRow)
        .where(SubmissionRow.participant_id == row.id)
        .values(payload=None, key=None)
        .execution_options(synchronize_session=False)
    )
    await forget_room(transaction.session, transaction.room.id)  # they may show what is gone
    transaction.record(
        ParticipantUpdated(participant_id=row.id, fields=("name", "metadata"), status=row.status)
    )
    if row.status in _IN:
        _leave(transaction, row)
        await close_answered(transaction)
    transaction.audit("participant.erase", subject=row.id)


def _leave(transaction: RoomTransaction, row: ParticipantRow) -> None:
    was_in, row.status = row.status == ParticipantStatus.ACTIVE, ParticipantStatus.LEFT
    if was_in and row.role == Role.PARTICIPANT:
        count_people(transaction, -1)
    transaction.record(ParticipantLeft(participant_id=row.id, status=row.status))
    if was_in:
        transaction.changed(Change(kind=ChangeKind.LEFT, what="left", participant_id=row.id))
