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
from tests.support.apps.window_app import RULES, Desk, opening

SAID = {"effect": "emit", "type": "desk:said", "payload": {}}


class Forgiving(Desk):
    """Its windows are settled by the host where it fails."""

    policies = {"windows": {"onFailure": "platform"}}


class Thinker(Desk):
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


async def played(evening, name="w", **wishes):
    """Open a window, let the first guest be right, and let its time pass."""
    await evening.do(opening(name, **{"rules": RULES, "points": 2, "durationMs": 10} | wishes))
    await evening.send(0, {"n": 4}, name)
    await evening.later(10)


@pytest.mark.parametrize("way", ["raises", "undeclared"])
async def test_an_app_that_fails_is_asked_again_and_its_answer_counts_when_it_is_back(evening, way):
    evening.app.closing, code = WAYS[way]
    await played(evening, results="onReveal")
    asked = 1
    for wait in (500, 2_000, 5_000):
        await evening.later(wait - 1)
        assert len(evening.app.closed) == asked
        await evening.later(1)
        asked += 1
        assert len(evening.app.closed) == asked
    window = await evening.window()
    assert (window.status, window.attempts) == ("tallying", 4)
    assert window.last_error.startswith(code)
    (told,) = await evening.house.events(evening.room.id, "app:fallback_used")
    assert (told.payload["code"], told.payload["decidedBy"], told.stream) == (
        code, "queue", "organizer",
    )  # fmt: skip
    assert await evening.told("desk:said") == []
    evening.app.closing = lambda a: {"effects": [SAID], "verdicts": verdicts(*a.submissions.id)}
    async with room_transaction(evening.house.services, evening.room.id) as transaction:
        assert await retry.retry_now(transaction) == 1
    await evening.later(0)
    await evening.control(commands.reveal)
    assert await evening.points() == [9, 0, 0]
    assert await evening.told("desk:said", "window:closed") == ["window:closed", "desk:said"]
    await evening.check_log()


async def test_every_way_to_fail_has_its_code_and_changes_nothing(evening):
    for way, (closing, code) in WAYS.items():
        evening.app.closing = closing
        await played(evening, way, results="onReveal")
        window = await evening.window(way)
        assert (window.status, window.attempts) == ("tallying", 1), way
        assert window.last_error.startswith(code), way
    told = await evening.house.events(evening.room.id, "app:fallback_used")
    assert [event.payload["code"] for event in told] == [code for _, code in WAYS.values()]
    assert await evening.told("desk:said", "window:closed") == []
    await evening.check_log()


async def test_an_app_that_refuses_leaves_it_to_the_host(evening):
    evening.app.closing = refusing
    await played(evening)
    assert await evening.points() == [2, 0, 0]
    (told,) = await evening.house.events(evening.room.id, "app:fallback_used")
    assert (told.payload["code"], told.payload["decidedBy"]) == ("NO", "platform")
    assert ("settled", "w") in evening.app.told
    assert len(evening.app.closed) == 1


class TestForgiving:
    @pytest.fixture
    def app(self):
        return Forgiving()

    async def test_where_the_manifest_wants_it_the_host_settles_at_once(self, evening):
        for way, (closing, code) in WAYS.items():
            evening.app.closing = closing
            await played(evening, way)
            assert (await evening.window(way)).decided_by == "platform"
            *_, told = await evening.house.events(evening.room.id, "app:fallback_used")
            assert (told.payload["code"], told.payload["decidedBy"]) == (code, "platform")
            assert ("settled", way) in evening.app.told
        assert await evening.points() == [2 * len(WAYS), 0, 0]
        assert await evening.told("desk:said") == []

    async def test_points_that_nobody_can_have_wait_for_an_organizer(self, evening):
        most = 1_000_000_000
        await evening.do(opening(rules=RULES, points=most, submissions="many", judge="rules"))
        await evening.send(0, {"n": 4})
        await evening.send(0, {"n": 4})
        await evening.later(10_000)
        window = await evening.window()
        assert (window.status, window.attempts) == ("tallying", 1)
        assert window.last_error.startswith("POINTS_OUT_OF_RANGE")
        await evening.control(commands.rejudge, void=True)
        assert await evening.points() == [0, 0, 0]


async def test_points_that_nobody_can_have_are_no_secret_for_ever(evening):
    most = {"rules": RULES, "judge": "rules", "points": 1_000_000_000}
    await played(evening, "a", **most)
    await played(evening, **most, results="onReveal")
    await evening.later(600_000)
    await evening.later(60_000)
    window = await evening.window()
    assert (window.revealed_at, window.attempts) == (None, 2)
    (told,) = await evening.house.events(evening.room.id, "app:fallback_used")
    assert told.payload["code"] == "POINTS_OUT_OF_RANGE"
    with pytest.raises(Conflict) as refused:
        await evening.control(commands.reveal)
    assert refused.value.code == "POINTS_OUT_OF_RANGE"
    await evening.control(commands.rejudge, rules={"const": 7})
    await evening.control(commands.reveal)
    assert await evening.points() == [1_000_000_000, 0, 0]


class TestThinking:
    @pytest.fixture
    def app(self):
        return Thinker()

    async def test_a_late_answer_finds_the_window_settled_and_its_app_is_told(self, evening):
        async def late(asked):
            settle = evening.control(commands.settle)
            await asyncio.create_task(settle)
            return {"effects": [SAID], "verdicts": verdicts(*asked.submissions.id)}

        evening.app.closing = late
        await played(evening)
        assert await evening.points() == [2, 0, 0]
        assert await evening.told("window:closed", "desk:said") == ["window:closed"]
        assert evening.app.told[-1] == ("settled", "w")
        assert (await evening.window()).decided_by == "platform"

    async def test_a_window_voided_as_it_is_judged_and_settled_stays_void(self, evening):
        async def void(_):
            await asyncio.create_task(evening.control(commands.rejudge, void=True))
            return {"verdict": "right", "points": 3}

        evening.app.judging = void
        await played(evening, judge="app")
        await asyncio.gather(*evening.house.services.judges.values())
        assert (await evening.window()).status == "void"
        assert evening.app.closed == []
        assert await evening.points() == [0, 0, 0]

    async def test_an_app_that_judges_for_ever_is_asked_for_half_a_minute_in_all(self, evening):
        async def slow(_):
            evening.clock.advance(10)
            return {"verdict": "wrong", "points": 0}

        async def nothing(_):
            return None

        evening.app.closing = nothing
        evening.guests = await evening.crowd(40)
        evening.app.judging = slow
        await evening.do(opening(judge="app", rules=RULES, points=2))
        # as if whoever judged meanwhile had died
        judges, row = evening.house.services.judges, await evening.window()
        judges[row.id] = asyncio.create_task(asyncio.Event().wait())
        for guest in range(40):
            await evening.send(guest, {"n": 4})
        await evening.later(10_000)
        assert len(evening.app.judged) == AT_ONCE
        found = [row.verdict for row in await evening.rows()]
        assert found == ["wrong"] * AT_ONCE + ["right"] * (40 - AT_ONCE)
        assert (await evening.window()).status == "closed"

    async def test_the_room_goes_on_while_its_app_thinks_and_it_is_asked_of_what_is_new(
        self, evening
    ):
        async def slow(asked):
            if len(evening.app.closed) == 1:
                with pytest.raises(Conflict):
                    await asyncio.create_task(evening.send(1, {"n": 4}))
                await asyncio.create_task(_move_on(evening))
            return {"effects": [SAID]}

        evening.app.closing = slow
        await played(evening)
        assert len(evening.app.closed) == 2
        assert await evening.told("window:closed", "desk:said") == ["window:closed", "desk:said"]


async def _move_on(evening):
    """Change what the app's answer is computed from."""
    async with room_transaction(evening.house.services, evening.room.id) as transaction:
        await apply_effects(transaction, [SetState(public={"n": 1})])


JUDGES = {
    "refuses": refusing,  # which is no failure
    "raises": broken,
    "nonsense": lambda _: {"verdict": "perhaps"},
    "greedy": lambda _: {"verdict": "right", "points": 10**12},
}


async def test_what_the_app_does_not_judge_the_rules_do(evening):
    for way, judging in JUDGES.items():
        evening.app.judging = judging
        with_rules, without = opening(way, judge="app", rules=RULES, points=2), f"{way}2"
        await evening.do(with_rules, opening(without, judge="app"))
        for name in (way, without):
            await evening.send(0, {"n": 4}, name)
            await evening.send(1, {"n": 5}, name)
        await evening.later(10_000)
        assert [row.verdict for row in await evening.rows(way)] == ["right", "wrong"], way
        assert [row.verdict for row in await evening.rows(without)] == [Verdict.PENDING] * 2, way
        told = await evening.house.events(evening.room.id, "app:fallback_used")
        assert bool(told) is (way != "refuses"), way
    assert await evening.points() == [2 * len(JUDGES), 0, 0]
    assert {event.payload["hook"] for event in told} == {"judge_submission"}


async def test_windows_that_open_one_another_at_once_stop_at_eight(evening):
    def again(asked):
        number = len(evening.app.closed)
        return {"effects": [opening(f"w{number}", durationMs=0)]}

    evening.app.closing = again
    await evening.do(opening(durationMs=0))
    await evening.later(0)

    async def opened():
        return len(await evening.house.events(evening.room.id, "window:opened"))

    first = await opened()
    assert first == MAX_DEPTH
    await evening.later(500)
    assert await opened() == first
    last = await evening.window(evening.app.closed[-1].window.id)
    assert last.last_error.startswith("EFFECT_REFUSED")
    assert (await evening.window()).status == "closed"
    evening.app.closing = lambda _: None
    await evening.later(2_000)
    assert (await evening.window(last.name)).status == "closed"


async def test_a_thousand_people_answer_one_window_and_all_of_it_is_settled(evening):
    guests = await evening.crowd(1_000)
    evening.guests = guests
    await evening.do(opening(rules=RULES, judge="rules", points=3, closeOn="everyoneAnswered",
                             participants=evening.ids))  # fmt: skip
    accepted = await asyncio.gather(
        *(evening.send(place, {"n": place % 5}) for place in range(1_000))
    )
    assert len({each.submission_id for each in accepted}) == 1_000
    await evening.later(0)
    assert (await evening.window()).close_reason == "everyoneAnswered"
    assert await evening.points() == [3 * (place % 5 == 4) for place in range(1_000)]
    (asked,) = evening.app.closed
    assert list(asked.submissions.id) == [row.id for row in await evening.rows()]
    await evening.check_log()
