"""Apps that fail at windows: asked again in time, or settled without, and nothing done twice."""

import asyncio

import pytest
from structlog.testing import capture_logs

from mymozhem.contract import CloseWindowRequest, JudgeRequest, Refuse, SetState, Verdict, hookimpl
from mymozhem.errors import Conflict
from mymozhem.rooms.app_calls import retry
from mymozhem.rooms.core.transaction import MAX_DEPTH, room_transaction
from mymozhem.rooms.effects import apply_effects
from mymozhem.rooms.windows import commands
from mymozhem.rooms.windows.judge import AT_ONCE
from tests.support.apps.window_app import RULES, WindowApp, opening

SAID = {"effect": "emit", "type": "desk:said", "payload": {}}


class Forgiving(WindowApp):
    """Its windows are settled by the host where it fails."""

    policies = {"windows": {"onFailure": "platform"}}


class Thinker(WindowApp):
    """It does something else before it answers."""

    @hookimpl
    async def close_window(self, request: CloseWindowRequest):
        self.closed.append(request)
        return await self.closing(request)

    @hookimpl
    async def judge_submission(self, request: JudgeRequest):
        self.judged.append(request)
        return await self.judging(request)


@pytest.fixture(autouse=True)
def quiet():
    with capture_logs():
        yield


def broken(_):
    raise ValueError


def refusing(_):
    raise Refuse("NO", "Not today.")


def verdicts(*ids):
    return {"submissionId": ids, "verdict": ["right"] * len(ids), "points": [9] * len(ids)}


WAYS = {
    "raises": (broken, "APP_FAILED"),
    "nonsense": (lambda _: "soup", "APP_BAD_RESULT"),
    "unknown": (lambda _: {"verdicts": verdicts("sub_x")}, "APP_BAD_RESULT"),
    "twice": (lambda a: {"verdicts": verdicts(*a.submissions.id * 2)}, "APP_BAD_RESULT"),
    "arrays": (
        lambda a: {"verdicts": verdicts(*a.submissions.id) | {"points": []}}, "APP_BAD_RESULT"
    ),
    "undeclared": (
        lambda _: {"effects": [SAID, {"effect": "emit", "type": "desk:shouted"}]}, "EFFECT_REFUSED"
    ),
    "reopens": (lambda a: {"effects": [SAID, opening(a.window.id)]}, "EFFECT_REFUSED"),
    "overdraws": (
        lambda a: {"effects": [SAID, {"effect": "adjust", "points": 10**12, "reason": "x",
                    "participantId": a.submissions.participant_id[0]}]}, "EFFECT_REFUSED",
    ),
}  # fmt: skip


async def played(window_room, name="w", **wishes):
    """Open a window, let the first guest be right, and let its time pass."""
    await window_room.do(opening(name, **{"rules": RULES, "points": 2, "durationMs": 10} | wishes))
    await window_room.send(0, {"n": 4}, name)
    await window_room.later(10)


@pytest.mark.parametrize("way", ["raises", "undeclared"])
async def test_an_app_that_fails_is_asked_again_and_its_answer_counts_when_it_is_back(
    window_room, way
):
    window_room.app.closing, code = WAYS[way]
    await played(window_room, results="onReveal")
    asked = 1
    for wait in (500, 2_000, 5_000):
        await window_room.later(wait - 1)
        assert len(window_room.app.closed) == asked
        await window_room.later(1)
        asked += 1
        assert len(window_room.app.closed) == asked
    window = await window_room.window()
    assert (window.status, window.attempts) == ("tallying", 4)
    assert window.last_error.startswith(code)
    (told,) = await window_room.host.events(window_room.room.id, "app:fallback_used")
    assert (told.payload["code"], told.payload["decidedBy"], told.stream) == (
        code, "queue", "organizer",
    )  # fmt: skip
    assert await window_room.told("desk:said") == []
    window_room.app.closing = lambda a: {"effects": [SAID], "verdicts": verdicts(*a.submissions.id)}
    async with room_transaction(window_room.host.services, window_room.room.id) as transaction:
        assert await retry.retry_now(transaction) == 1
    await window_room.later(0)
    await window_room.control(commands.reveal)
    assert await window_room.points() == [9, 0, 0]
    assert await window_room.told("desk:said", "window:closed") == ["window:closed", "desk:said"]
    await window_room.check_log()


async def test_every_way_to_fail_has_its_code_and_changes_nothing(window_room):
    for way, (closing, code) in WAYS.items():
        window_room.app.closing = closing
        await played(window_room, way, results="onReveal")
        window = await window_room.window(way)
        assert (window.status, window.attempts) == ("tallying", 1), way
        assert window.last_error.startswith(code), way
    told = await window_room.host.events(window_room.room.id, "app:fallback_used")
    assert [event.payload["code"] for event in told] == [code for _, code in WAYS.values()]
    assert await window_room.told("desk:said", "window:closed") == []
    await window_room.check_log()


async def test_an_app_that_refuses_leaves_it_to_the_host(window_room):
    window_room.app.closing = refusing
    await played(window_room)
    assert await window_room.points() == [2, 0, 0]
    (told,) = await window_room.host.events(window_room.room.id, "app:fallback_used")
    assert (told.payload["code"], told.payload["decidedBy"]) == ("NO", "platform")
    assert ("settled", "w") in window_room.app.told
    assert len(window_room.app.closed) == 1


class TestForgiving:
    @pytest.fixture
    def app(self):
        return Forgiving()

    async def test_where_the_manifest_wants_it_the_host_settles_at_once(self, window_room):
        for way, (closing, code) in WAYS.items():
            window_room.app.closing = closing
            await played(window_room, way)
            assert (await window_room.window(way)).decided_by == "platform"
            *_, told = await window_room.host.events(window_room.room.id, "app:fallback_used")
            assert (told.payload["code"], told.payload["decidedBy"]) == (code, "platform")
            assert ("settled", way) in window_room.app.told
        assert await window_room.points() == [2 * len(WAYS), 0, 0]
        assert await window_room.told("desk:said") == []

    async def test_points_that_nobody_can_have_wait_for_an_organizer(self, window_room):
        most = 1_000_000_000
        await window_room.do(opening(rules=RULES, points=most, submissions="many", judge="rules"))
        await window_room.send(0, {"n": 4})
        await window_room.send(0, {"n": 4})
        await window_room.later(10_000)
        window = await window_room.window()
        assert (window.status, window.attempts) == ("tallying", 1)
        assert window.last_error.startswith("POINTS_OUT_OF_RANGE")
        await window_room.control(commands.rejudge, void=True)
        assert await window_room.points() == [0, 0, 0]


async def test_points_that_nobody_can_have_are_no_secret_for_ever(window_room):
    most = {"rules": RULES, "judge": "rules", "points": 1_000_000_000}
    await played(window_room, "a", **most)
    await played(window_room, **most, results="onReveal")
    await window_room.later(600_000)
    await window_room.later(60_000)
    window = await window_room.window()
    assert (window.revealed_at, window.attempts) == (None, 2)
    (told,) = await window_room.host.events(window_room.room.id, "app:fallback_used")
    assert told.payload["code"] == "POINTS_OUT_OF_RANGE"
    with pytest.raises(Conflict) as refused:
        await window_room.control(commands.reveal)
    assert refused.value.code == "POINTS_OUT_OF_RANGE"
    await window_room.control(commands.rejudge, rules={"const": 7})
    await window_room.control(commands.reveal)
    assert await window_room.points() == [1_000_000_000, 0, 0]


class TestThinking:
    @pytest.fixture
    def app(self):
        return Thinker()

    async def test_a_late_answer_finds_the_window_settled_and_its_app_is_told(self, window_room):
        async def late(asked):
            settle = window_room.control(commands.settle)
            await asyncio.create_task(settle)
            return {"effects": [SAID], "verdicts": verdicts(*asked.submissions.id)}

        window_room.app.closing = late
        await played(window_room)
        assert await window_room.points() == [2, 0, 0]
        assert await window_room.told("window:closed", "desk:said") == ["window:closed"]
        assert window_room.app.told[-1] == ("settled", "w")
        assert (await window_room.window()).decided_by == "platform"

    async def test_a_window_voided_as_it_is_judged_and_settled_stays_void(self, window_room):
        async def void(_):
            await asyncio.create_task(window_room.control(commands.rejudge, void=True))
            return {"verdict": "right", "points": 3}

        window_room.app.judging = void
        await played(window_room, judge="app")
        await asyncio.gather(*window_room.host.services.judges.values())
        assert (await window_room.window()).status == "void"
        assert window_room.app.closed == []
        assert await window_room.points() == [0, 0, 0]

    async def test_an_app_that_judges_for_ever_is_asked_for_half_a_minute_in_all(self, window_room):
        async def slow(_):
            window_room.clock.advance(10)
            return {"verdict": "wrong", "points": 0}

        async def nothing(_):
            return None

        window_room.app.closing = nothing
        window_room.guests = await window_room.crowd(40)
        window_room.app.judging = slow
        await window_room.do(opening(judge="app", rules=RULES, points=2))
        # as if whoever judged meanwhile had died
        judges, row = window_room.host.services.judges, await window_room.window()
        judges[row.id] = asyncio.create_task(asyncio.Event().wait())
        for guest in range(40):
            await window_room.send(guest, {"n": 4})
        await window_room.later(10_000)
        assert len(window_room.app.judged) == AT_ONCE
        found = [row.verdict for row in await window_room.rows()]
        assert found == ["wrong"] * AT_ONCE + ["right"] * (40 - AT_ONCE)
        assert (await window_room.window()).status == "closed"

    async def test_the_room_goes_on_while_its_app_thinks_and_it_is_asked_of_what_is_new(
        self, window_room
    ):
        async def slow(asked):
            if len(window_room.app.closed) == 1:
                with pytest.raises(Conflict):
                    await asyncio.create_task(window_room.send(1, {"n": 4}))
                await asyncio.create_task(_move_on(window_room))
            return {"effects": [SAID]}

        window_room.app.closing = slow
        await played(window_room)
        assert len(window_room.app.closed) == 2
        assert await window_room.told("window:closed", "desk:said") == [
            "window:closed",
            "desk:said",
        ]


async def _move_on(window_room):
    """Change what the app's answer is computed from."""
    async with room_transaction(window_room.host.services, window_room.room.id) as transaction:
        await apply_effects(transaction, [SetState(public={"n": 1})])


JUDGES = {
    "refuses": refusing,  # which is no failure
    "raises": broken,
    "nonsense": lambda _: {"verdict": "perhaps"},
    "greedy": lambda _: {"verdict": "right", "points": 10**12},
}


async def test_what_the_app_does_not_judge_the_rules_do(window_room):
    for way, judging in JUDGES.items():
        window_room.app.judging = judging
        with_rules, without = opening(way, judge="app", rules=RULES, points=2), f"{way}2"
        await window_room.do(with_rules, opening(without, judge="app"))
        for name in (way, without):
            await window_room.send(0, {"n": 4}, name)
            await window_room.send(1, {"n": 5}, name)
        await window_room.later(10_000)
        assert [row.verdict for row in await window_room.rows(way)] == ["right", "wrong"], way
        assert [row.verdict for row in await window_room.rows(without)] == [Verdict.PENDING] * 2, (
            way
        )
        told = await window_room.host.events(window_room.room.id, "app:fallback_used")
        assert bool(told) is (way != "refuses"), way
    assert await window_room.points() == [2 * len(JUDGES), 0, 0]
    assert {event.payload["hook"] for event in told} == {"judge_submission"}


async def test_windows_that_open_one_another_at_once_stop_at_eight(window_room):
    def again(asked):
        number = len(window_room.app.closed)
        return {"effects": [opening(f"w{number}", durationMs=0)]}

    window_room.app.closing = again
    await window_room.do(opening(durationMs=0))
    await window_room.later(0)

    async def opened():
        return len(await window_room.host.events(window_room.room.id, "window:opened"))

    first = await opened()
    assert first == MAX_DEPTH
    await window_room.later(500)
    assert await opened() == first
    last = await window_room.window(window_room.app.closed[-1].window.id)
    assert last.last_error.startswith("EFFECT_REFUSED")
    assert (await window_room.window()).status == "closed"
    window_room.app.closing = lambda _: None
    await window_room.later(2_000)
    assert (await window_room.window(last.key)).status == "closed"


async def test_a_thousand_people_answer_one_window_and_all_of_it_is_settled(window_room):
    guests = await window_room.crowd(1_000)
    window_room.guests = guests
    await window_room.do(opening(rules=RULES, judge="rules", points=3, closeOn="everyoneAnswered",
                             participants=window_room.ids))  # fmt: skip
    accepted = await asyncio.gather(
        *(window_room.send(place, {"n": place % 5}) for place in range(1_000))
    )
    assert len({each.submission_id for each in accepted}) == 1_000
    await window_room.later(0)
    assert (await window_room.window()).close_reason == "everyoneAnswered"
    assert await window_room.points() == [3 * (place % 5 == 4) for place in range(1_000)]
    (asked,) = window_room.app.closed
    assert list(asked.submissions.id) == [row.id for row in await window_room.rows()]
    await window_room.check_log()
