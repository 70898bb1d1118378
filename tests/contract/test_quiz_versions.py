"""A quiz that began with the first release goes on with the second, beside one that has rounds."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import mymozhem_quiz
from mymozhem.auth.principal import Principal
from mymozhem.clock import Clock, HeldClock
from mymozhem.contract import PersonKind
from mymozhem.db.unit_of_work import Database
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.tables.rooms import RoomRow
from mymozhem.rooms.upgrades.upgrade import UpgradeRequest, upgrade_room
from tests.integration.rooms.upgrades.test_first_apps import install
from tests.support.apps.released_apps import first_release
from tests.support.host import HostHarness, loaded, make_services
from tests.support.quiz_room import FIRST, NEWEST, QuizRoom, asking, make_quiz_room, questions

NAMES = ("Ada", "Bob")


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
async def host(database: Database, clock: Clock, tmp_path: Path) -> AsyncIterator[HostHarness]:
    """A house that has the first quiz."""
    services = await make_services(database, clock, tmp_path, {})
    host = HostHarness(services, Principal("", PersonKind.REGISTERED, None, "token"))
    host.organizer = await host.person("organizer@example.com")
    await install(host, first_release("quiz"))
    yield host
    await host.services.dispatcher.close()


async def second(host: HostHarness, *halls: QuizRoom) -> None:
    """Put the quiz of today in the place of the first one, under rooms that run."""
    await install(host, loaded(mymozhem_quiz, "quiz"))
    for quiz_room in halls:
        quiz_room.jobs = Jobs(host.services)


async def version_of(host: HostHarness, room: RoomRow) -> str:
    async with host.services.database.read() as session:
        return (await session.get_one(RoomRow, room.id)).app_manifest_version


async def test_a_quiz_goes_on_under_the_version_that_it_began_with(host: HostHarness) -> None:
    asked = asking(questions(3), FIRST)
    old = await make_quiz_room(
        host, Jobs(host.services), asked, NAMES, mode="plain", streakBonus=10
    )
    await old.played({"Ada": "Beta", "Bob": "Alpha"})
    await second(host, old)
    await old.played({"Ada": "Beta", "Bob": "Beta"})
    new = await make_quiz_room(host, old.jobs, asking(questions(2)), NAMES, mode="plain")
    await new.played({"Ada": "Beta"})
    await old.do("accept", questionId="question-1", answer="Alpha")
    await old.played({"Ada": "Gamma", "Bob": "Beta"})
    assert (await old.do("end"))["finished"]

    assert await old.points("Ada", "Bob") == [100 + 110, 100 + 110 + 120]
    assert (await version_of(host, old.room), await version_of(host, new.room)) == (FIRST, NEWEST)
    assert await old.told("quiz:part_started", "Ada") == []
    assert "part" not in (await old.sees("Ada")).public
    begun = {"part": 1, "of": 1, "title": "Round 1"}
    assert await new.told("quiz:part_started", "Ada") == [begun]
    assert (await new.sees("Ada")).public["part"]["title"] == "Round 1"


async def test_a_draft_of_the_first_quiz_is_played_in_rounds(host: HostHarness) -> None:
    draft = await host.room("quiz", settings={**asking(questions(2), FIRST), "mode": "plain"})
    await second(host)
    wish = UpgradeRequest(target=NEWEST)
    assert (await upgrade_room(host.services, draft.id, host.organizer, wish)).moved
    await host.change(draft.id, status="ACTIVE")
    quiz_room = QuizRoom(host, Jobs(host.services), draft)
    await quiz_room.let_in(*NAMES)
    await quiz_room.played({"Ada": "Beta"})
    await quiz_room.played({"Ada": "Beta", "Bob": "Beta"})
    assert await quiz_room.points(*NAMES) == [200, 100]
    seen = (await quiz_room.sees("Bob")).public
    assert [one["points"] for one in seen["standings"]] == [200, 100]
