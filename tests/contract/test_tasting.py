"""The tasting of the documentation, in a real house: what authors copy does what it says.

It imports the contract alone and runs over every transport; nothing in the host was made for it.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import mymozhem_tasting
from mymozhem.auth.principal import Principal
from mymozhem.clock import Clock, HeldClock
from mymozhem.contract import JsonObject, RoomStatus, hookimpl
from mymozhem.db.unit_of_work import Database
from mymozhem.errors import Conflict, Invalid, Refused
from mymozhem.rooms.actions.perform import ActionResponse, perform
from mymozhem.rooms.coordination.join_batches import JoinResult
from mymozhem.rooms.core.event_log import read_events
from mymozhem.rooms.core.membership import find_membership
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.tables.rooms import RoomRow
from mymozhem.rooms.views.paging import PageRequest
from mymozhem.rooms.views.rooms import RoomReader
from mymozhem.rooms.views.snapshot import snapshot
from mymozhem.rooms.views.windows import windows
from mymozhem.rooms.windows import commands
from mymozhem.rooms.windows.submit import submit
from tests.support.host import HostHarness, principal
from tests.support.transports import HOUSES

BOTTLES = ("Margaux", "Rioja", "Zweigelt")


# ------------------------------------------------------------------------------------ the house


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def app() -> object:
    """The module itself; a test may put one in its place that breaks."""
    return mymozhem_tasting


@pytest.fixture
async def host(
    transport: str, database: Database, clock: Clock, tmp_path: Path, app: object
) -> AsyncIterator[HostHarness]:
    async with HOUSES[transport](database, clock, tmp_path, {"tasting": app}) as host:
        yield host


@dataclass
class Cellar:
    """A room with three bottles and three tasters."""

    host: HostHarness
    jobs: Jobs
    room: RoomRow
    ada: JoinResult
    bob: JoinResult
    eve: JoinResult

    async def do(self, action: str, **payload: Any) -> ActionResponse:
        """Act as the organizer, and let what is due by then be done."""
        services = self.host.services
        acted = await perform(services, self.room.id, self.host.organizer, action, payload)
        await self.jobs.run_due()
        return acted

    async def rate(self, who: JoinResult, sample: int, rating: int, **more: str) -> None:
        payload: JsonObject = {"rating": rating, **more}
        caller, window = principal(who), f"sample-{sample}"
        await submit(self.host.services, self.room.id, caller, window, payload)
        await self.jobs.run_due()

    async def rated(self, sample: int, *ratings: int) -> None:
        """Pour a sample, have it rated, and close it."""
        await self.do("pour", sample=sample)
        for who, rating in zip((self.ada, self.bob, self.eve), ratings, strict=False):
            await self.rate(who, sample, rating)
        await self.do("close")

    async def sees(self, who: JoinResult | None) -> SimpleNamespace:
        """Return all that somebody is shown (None: the organizer), also as one text."""
        caller: Principal = self.host.organizer if who is None else principal(who)
        services = self.host.services
        now = services.clock.now()
        shown = await RoomReader(services).room(self.room.id, caller)
        async with services.database.read() as session:
            seat = await find_membership(session, self.room.id, caller)
            state = await snapshot(session, seat, now=now)
            events = await read_events(session, seat, after=None)
        listed = await windows(services, self.room.id, caller, PageRequest())
        told = [(event.type, event.payload) for event in events]
        whole = [shown.document, state.model_dump(mode="json"), told]
        whole += [each.model_dump(mode="json") for each in listed.items]
        return SimpleNamespace(
            settings=shown.room.app_settings, state=state, events=told, text=json.dumps(whole)
        )

    async def public(self) -> dict[str, Any]:
        return dict((await self.sees(self.ada)).state.state.public)


@pytest.fixture
def settings() -> JsonObject:
    """What a room chooses besides its bottles; a test may override it."""
    return {}


@pytest.fixture
async def cellar(host: HostHarness, settings: JsonObject) -> AsyncIterator[Cellar]:
    jobs = Jobs(host.services)
    bottles: JsonObject = {"samples": [{"bottle": each} for each in BOTTLES]}
    room = await host.start("tasting", settings=bottles | settings)
    yield Cellar(host, jobs, room, *[await host.guest(room, n) for n in ("Ada", "Bob", "Eve")])
    await jobs.stop()


# ------------------------------------------------------------------------------------ an evening


async def test_ratings_change_until_the_close_and_the_latest_counts(cellar: Cellar) -> None:
    await cellar.do("pour", sample=2)
    await cellar.rate(cellar.ada, 2, 10, comment="Corked?")
    await cellar.rate(cellar.bob, 2, 70)
    await cellar.rate(cellar.ada, 2, 90, comment="No. Smoke and cherries.")
    with pytest.raises(Invalid):
        await cellar.rate(cellar.eve, 2, 101)
    with pytest.raises(Refused, match="still open"):
        await cellar.do("pour", sample=3)
    await cellar.do("close")

    with pytest.raises(Conflict) as late:
        await cellar.rate(cellar.eve, 2, 50)
    assert late.value.code == "WINDOW_CLOSED"
    result = {"sample": 2, "count": 2, "mean": 80.0, "median": 80.0, "spread": 10.0, "void": False}
    assert await cellar.public() == {"results": {"2": result}, "ranking": [], "finished": False}
    events = (await cellar.sees(cellar.bob)).events
    assert ("tasting:sample_closed", result) in events
    names = [name for name, _ in events]
    assert names.index("window:closed") < names.index("tasting:sample_closed")


async def test_nobody_sees_a_bottle_before_it_is_revealed(cellar: Cellar) -> None:
    assert (await cellar.sees(cellar.ada)).settings["samples"] == [{}, {}, {}]
    for sample in (1, 2, 3):
        await cellar.rated(sample, 60 + sample, 80)
        for who in (cellar.ada, cellar.bob):
            seen = (await cellar.sees(who)).text
            assert [bottle for bottle in BOTTLES if bottle in seen] == []

    await cellar.do("reveal", sample=2)
    seen = (await cellar.sees(cellar.bob)).text
    assert [bottle for bottle in BOTTLES if bottle in seen] == ["Rioja"]
    assert [bottle for bottle in BOTTLES if bottle in (await cellar.sees(None)).text] == [*BOTTLES]


async def test_nobody_sees_what_others_say_of_an_open_sample(cellar: Cellar) -> None:
    await cellar.do("pour", sample=1)
    await cellar.rate(cellar.ada, 1, 93, comment="Smoke and cherries.")
    own = (await cellar.sees(cellar.ada)).state.me.submissions
    assert [each.payload for each in own] == [{"rating": 93, "comment": "Smoke and cherries."}]
    for who in (cellar.bob, None):
        assert "Smoke" not in (await cellar.sees(who)).text


async def test_comments_are_shared_with_all_and_ratings_with_organizers(cellar: Cellar) -> None:
    await cellar.rated(1, 50)
    shared = [{"windowId": "sample-1", "fields": [field]} for field in ("/comment", "/rating")]
    for who, expected in ((cellar.bob, shared[:1]), (None, shared)):
        events = (await cellar.sees(who)).events
        assert [payload for name, payload in events if name == "window:shared"] == expected


async def test_the_evening_ends_with_a_ranking(cellar: Cellar) -> None:
    await cellar.rated(1, 60, 70, 71)
    await cellar.rated(3, 90, 95)
    reply = (await cellar.do("finish")).reply
    assert reply == {
        "ranking": [
            {"rank": 1, "mean": 92.5, "sample": 3, "bottle": "Zweigelt"},
            {"rank": 2, "mean": 67.0, "sample": 1, "bottle": "Margaux"},
        ]
    }
    seen = await cellar.sees(cellar.eve)
    assert seen.state.state.public["finished"] is True
    revealed = [payload for name, payload in seen.events if name == "tasting:bottle_revealed"]
    assert [(each["bottle"], each["count"]) for each in revealed] == [
        ("Margaux", 3), ("Zweigelt", 2)
    ]  # fmt: skip
    assert "Rioja" not in seen.text  # which was never poured


class TestPoints:
    @pytest.fixture
    def settings(self) -> JsonObject:
        return {"palatePoints": 5, "closeOn": "everyoneAnswered"}

    async def test_the_best_palate_gets_points_until_its_sample_is_void(
        self, cellar: Cellar
    ) -> None:
        await cellar.do("pour", sample=1)
        for who, rating in ((cellar.ada, 10), (cellar.bob, 50), (cellar.eve, 100)):
            await cellar.rate(who, 1, rating)
        assert "open" not in await cellar.public()  # everybody has rated it
        points = [(await cellar.sees(w)).state.me.points for w in (cellar.ada, cellar.bob)]
        assert points == [0, 5]
        await cellar.do("void", sample=1)
        assert (await cellar.sees(cellar.bob)).state.me.points == 0
        assert (await cellar.public())["results"]["1"] == {"sample": 1, "count": 0, "void": True}


# ----------------------------------------------------------------- by the host's own means


class Breaking:
    """The tasting, but that it does not survive the end of a sample."""

    app_manifest = staticmethod(mymozhem_tasting.app_manifest)
    validate_settings = staticmethod(mymozhem_tasting.validate_settings)
    handle_action = staticmethod(mymozhem_tasting.handle_action)
    on_room_changed = staticmethod(mymozhem_tasting.on_room_changed)

    @hookimpl
    def close_window(self) -> None:
        raise ValueError


class TestBreaking:
    @pytest.fixture
    def app(self) -> object:
        return Breaking()

    async def test_what_was_settled_without_the_app_is_added_up_later(self, cellar: Cellar) -> None:
        await cellar.rated(1, 40, 60)
        assert (await cellar.public())["open"] == 1
        services, leader = cellar.host.services, cellar.host.organizer
        await commands.settle(services, cellar.room.id, leader, "sample-1")
        await cellar.jobs.run_due()
        state = await cellar.public()
        assert ("open" in state, state["results"]["1"]["mean"]) == (False, 50)
        await cellar.do("pour", sample=2)


async def test_a_sample_that_an_organizer_voids_is_left_out(cellar: Cellar) -> None:
    await cellar.rated(1, 40)
    await cellar.do("pour", sample=2)
    services, leader = cellar.host.services, cellar.host.organizer
    for window in ("sample-1", "sample-2"):
        await commands.rejudge(services, cellar.room.id, leader, window, void=True)
        await cellar.jobs.run_due()
    state = await cellar.public()
    assert "open" not in state
    assert [each["void"] for each in state["results"].values()] == [True, True]
    await cellar.do("pour", sample=3)


async def test_the_end_of_the_room_closes_what_is_open(cellar: Cellar) -> None:
    await cellar.do("pour", sample=1)
    await cellar.rate(cellar.ada, 1, 80)
    await cellar.host.change(cellar.room.id, status=RoomStatus.COMPLETED)
    await cellar.jobs.run_due()
    assert (await cellar.public())["results"]["1"]["mean"] == 80


async def test_a_room_without_samples_does_not_start(host: HostHarness) -> None:
    with pytest.raises(Invalid) as caught:
        await host.start("tasting")
    assert caught.value.details["fields"] == {"/appSettings/samples": ["List at least one sample."]}
