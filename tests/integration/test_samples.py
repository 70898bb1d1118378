"""A sample room that was left half-way is completed, and one that is complete is left alone."""

import logging

import pytest
from sqlalchemy import select

from mymozhem.config import Settings
from mymozhem.contract import Role, RoomStatus
from mymozhem.contract.demo import DemoFailed, SampleAction, SamplePrize, SampleRoom
from mymozhem.demo.accounts import Login, ensure_account
from mymozhem.demo.samples import make_samples
from mymozhem.demo.setup import idle_host
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.prizes import PrizeRow, WinnerRow
from mymozhem.rooms.tables.windows import WindowRow

WHOLE = SampleRoom(
    name="Raffle",
    settings={"theme": "birthday"},
    status=RoomStatus.COMPLETED,
    prizes=(SamplePrize(name="Kite", quantity=2),),
    people=("Ada", "Bob", "Chen"),
    actions=(SampleAction(action="draw"),),
    handed_over=1,
)


@pytest.fixture(autouse=True)
def _logging_as_it_was():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


WET = {"id": "wet", "type": "boolean", "text": "Is water wet?", "answer": True}

ANSWERED = SampleRoom(
    name="Quiz",
    settings={
        "mode": "plain",
        "minElapsedMs": 0,
        "rounds": [{"id": "r1", "title": "Water", "questions": [WET]}],
    },
    status=RoomStatus.COMPLETED,
    prizes=(SamplePrize(name="Kite"),),
    people=("Ada", "Bob", "Chen"),
    actions=(
        SampleAction(action="start", answers=({"answer": "false"}, None, {"answer": "true"})),
        SampleAction(action="close"),
        SampleAction(action="end"),
    ),
)

LEFT = {
    "as a draft": {"status": RoomStatus.DRAFT},
    "started": {"status": RoomStatus.ACTIVE, "people": (), "actions": (), "handed_over": 0},
    "with its people": {"status": RoomStatus.ACTIVE, "actions": (), "handed_over": 0},
    "drawn": {"status": RoomStatus.ACTIVE, "handed_over": 0},
    "handed over": {"status": RoomStatus.ACTIVE},
    "complete": {},
}


@pytest.mark.parametrize("left", LEFT.values(), ids=LEFT)
async def test_a_room_that_was_left_half_way_is_completed_once(database_url, tmp_path, left):
    settings = Settings(data_dir=tmp_path, database_url=database_url, enable_apps=("lottery",))
    async with idle_host(settings) as host:
        services = host.services
        login = Login("ada@example.com", "Ada", "correct horse battery")
        organizer = await ensure_account(services.database, login)
        assert await ensure_account(services.database, login) == organizer
        half = WHOLE.model_copy(update=left)
        (first,) = await make_samples(services, organizer, "lottery", (half,))
        (second,) = await make_samples(services, organizer, "lottery", (WHOLE,))
        assert (first.new, second.new) == (True, False)
        assert first.room.id == second.room.id
        assert (second.room.status, second.room.active_count) == (RoomStatus.COMPLETED, 3)
        async with services.database.read() as session:
            wins = (await session.scalars(select(WinnerRow))).all()
            prize = (await session.scalars(select(PrizeRow))).one()
        assert sorted(win.status for win in wins) == ["awarded", "fulfilled"]
        assert prize.quantity_remaining == 0


async def test_people_of_a_sample_answer_what_they_are_asked(database_url, tmp_path):
    settings = Settings(data_dir=tmp_path, database_url=database_url, enable_apps=("quiz",))
    async with idle_host(settings) as host:
        services = host.services
        login = Login("ada@example.com", "Ada", "correct horse battery")
        organizer = await ensure_account(services.database, login)
        for _ in range(2):
            await make_samples(services, organizer, "quiz", (ANSWERED,))
        async with services.database.read() as session:
            found = await session.execute(
                select(ParticipantRow.display_name, ParticipantRow.points)
                .where(ParticipantRow.role == Role.PARTICIPANT)
                .order_by(ParticipantRow.display_name)
            )
            assert [tuple(row) for row in found] == [("Ada 2", 0), ("Bob", 0), ("Chen", 100)]
            assert [row.status for row in await session.scalars(select(WindowRow))] == ["closed"]
            assert len((await session.scalars(select(WinnerRow))).all()) == 1


async def test_answers_without_a_question_are_a_fault_of_the_sample(database_url, tmp_path):
    settings = Settings(data_dir=tmp_path, database_url=database_url, enable_apps=("lottery",))
    step = SampleAction(action="draw", answers=({"answer": 1},))
    async with idle_host(settings) as host:
        login = Login("ada@example.com", "Ada", "correct horse battery")
        organizer = await ensure_account(host.services.database, login)
        wrong = WHOLE.model_copy(update={"actions": (step,)})
        with pytest.raises(DemoFailed, match="no window"):
            await make_samples(host.services, organizer, "lottery", (wrong,))
