"""Sample rooms, created through the use cases; creating them is idempotent."""

from dataclasses import dataclass

from pydantic import JsonValue
from sqlalchemy import func, select

from mymozhem.auth.principal import Principal
from mymozhem.contract import PersonKind, Role, RoomStatus, WinnerStatus
from mymozhem.contract.demo import DemoFailed, SampleRoom
from mymozhem.rooms.actions.perform import perform
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import room_transaction
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.lifecycle import update
from mymozhem.rooms.lifecycle.create import NewRoom, create_room
from mymozhem.rooms.lifecycle.update import RoomChanges
from mymozhem.rooms.participants.add_people import NewPerson, add_people
from mymozhem.rooms.prizes import winners
from mymozhem.rooms.prizes.manage import NewPrize
from mymozhem.rooms.tables.draws import DrawRow
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.prizes import WinnerRow
from mymozhem.rooms.tables.rooms import RoomRow
from mymozhem.rooms.tables.windows import WindowRow
from mymozhem.rooms.windows.submit import submit


@dataclass(frozen=True)
class Sampled:
    """A sample room and its state; `new` is True if it was created just now."""

    room: RoomRow
    new: bool


async def make_samples(
    services: Services, organizer: Principal, app_id: str, samples: tuple[SampleRoom, ...]
) -> list[Sampled]:
    """Create every sample room of an app, in the state of its sample; idempotent.

    A room that was left incomplete, by a kill for instance, is completed.
    """
    return [await _make(services, organizer, app_id, sample) for sample in samples]


async def _make(
    services: Services, organizer: Principal, app_id: str, sample: SampleRoom
) -> Sampled:
    room = await _find(services, organizer, sample.name)
    new = room is None
    if room is None:
        room = await create_room(services, organizer, _new_room(app_id, sample))
    if room.status in (RoomStatus.DRAFT, RoomStatus.ACTIVE):
        await _bring(services, organizer, room, sample)
    found = await _find(services, organizer, sample.name)
    return Sampled(found or room, new)


async def _bring(
    services: Services, organizer: Principal, room: RoomRow, sample: SampleRoom
) -> None:
    """Take the missing steps, in their order."""
    if sample.status is RoomStatus.DRAFT:
        return
    if sample.status is not RoomStatus.CANCELLED:
        await _play(services, organizer, room, sample)
    if sample.status is not RoomStatus.ACTIVE:
        await _move(services, organizer, room, sample.status)


async def _play(
    services: Services, organizer: Principal, room: RoomRow, sample: SampleRoom
) -> None:
    if room.status is RoomStatus.DRAFT:
        await _move(services, organizer, room, RoomStatus.ACTIVE)
    if sample.people and not room.active_count:
        guests = tuple(NewPerson(name) for name in sample.people)
        await add_people(services, room.id, organizer, guests)
    if sample.actions and not await _count(services, room.id):
        for step in sample.actions:
            await perform(services, room.id, organizer, step.action, step.payload)
            await Jobs(services).run_due()
            await _answer(services, room.id, step.answers)
    await Jobs(services).run_due()
    await _hand_over(services, organizer, room.id, sample.handed_over)


async def _move(
    services: Services, organizer: Principal, room: RoomRow, status: RoomStatus
) -> None:
    await update.change_room(services, room.id, organizer, RoomChanges(status=status))


async def _hand_over(services: Services, organizer: Principal, room_id: str, count: int) -> None:
    async with room_transaction(services, room_id, actor_id=organizer.user_id) as writer:
        wins = await writer.session.scalars(
            select(WinnerRow.id)
            .where(
                WinnerRow.room_id == room_id,
                WinnerRow.sealed.is_(False),
                WinnerRow.status != WinnerStatus.REVOKED,
            )
            .order_by(WinnerRow.id)
            .limit(count)
        )
        for winner_id in wins.all():
            await winners.fulfill(writer, winner_id)


async def _answer(services: Services, room_id: str, answers: tuple[JsonValue, ...]) -> None:
    """Submit the answers to the window that was opened last, in the order of the participants."""
    if not answers:
        return
    windows = select(WindowRow.key).where(WindowRow.room_id == room_id)
    manage = select(ParticipantRow.user_id).where(
        ParticipantRow.room_id == room_id, ParticipantRow.role == Role.PARTICIPANT
    )
    async with services.database.read() as session:
        window = await session.scalar(windows.order_by(WindowRow.id.desc()).limit(1))
        user_ids = (await session.scalars(manage.order_by(ParticipantRow.id))).all()
    if window is None:
        raise DemoFailed("There is no window that could be answered.")
    for user_id, answer in zip(user_ids, answers, strict=False):
        if answer is not None:
            guest = Principal(user_id, PersonKind.GUEST, room_id, "")
            await submit(services, room_id, guest, window, answer)


async def _find(services: Services, organizer: Principal, name: str) -> RoomRow | None:
    async with services.database.read() as session:
        return await session.scalar(
            select(RoomRow).where(
                RoomRow.name == name,
                RoomRow.created_by == organizer.user_id,
                RoomRow.deleted_at.is_(None),
            )
        )


async def _count(services: Services, room_id: str) -> int:
    """Count the results of the sample's actions: windows, draws, and wins without a draw."""
    async with services.database.read() as session:
        counts = [
            await session.scalar(select(func.count()).where(table.room_id == room_id))
            for table in (WindowRow, DrawRow, WinnerRow)
        ]
    return sum(count or 0 for count in counts)


def _new_room(app_id: str, sample: SampleRoom) -> NewRoom:
    return NewRoom(
        name=sample.name,
        description=sample.description,
        app_id=app_id,
        settings=sample.settings,
        is_public=sample.is_public,
        prizes=tuple(
            NewPrize(each.name, quantity=each.quantity, description=each.description)
            for each in sample.prizes
        ),
    )
