"""The quiz in a real house: played, mended and ended through the use cases, on either database.

It imports the contract alone and runs over every transport; nothing in the host was made for it.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue

import mymozhem_quiz
from mymozhem.clock import Clock, HeldClock
from mymozhem.contract import (
    CloseWindowRequest,
    Context,
    JsonObject,
    Level,
    RoomStatus,
    hookimpl,
)
from mymozhem.contract.fair import verify
from mymozhem.db.unit_of_work import Database
from mymozhem.errors import Forbidden, Invalid, Refused
from mymozhem.rooms.app_settings.import_text import import_setting
from mymozhem.rooms.app_settings.import_values import TextImport
from mymozhem.rooms.draws.record import list_draws, record
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.windows import commands
from mymozhem.rooms.windows.submit import submit
from tests.support.host import House
from tests.support.quiz_room import (
    EACH,
    FIRST,
    NEWEST,
    Hall,
    asking,
    make_hall,
    manifest_of,
    questions,
    single,
)
from tests.support.transports import HOUSES

Make = Callable[..., Awaitable[Hall]]


# ------------------------------------------------------------------------------------ the house


class Quiz:
    """The code of today, in rooms that were made under some version of its manifest."""

    validate_settings = staticmethod(mymozhem_quiz.validate_settings)
    import_settings = staticmethod(mymozhem_quiz.import_settings)
    migrate_settings = staticmethod(mymozhem_quiz.migrate_settings)
    handle_action = staticmethod(mymozhem_quiz.handle_action)
    on_room_changed = staticmethod(mymozhem_quiz.on_room_changed)
    on_timer = staticmethod(mymozhem_quiz.on_timer)
    prepare_draw = staticmethod(mymozhem_quiz.prepare_draw)

    def __init__(self, version: str) -> None:
        self.version = version

    @hookimpl
    def app_manifest(self) -> JsonObject:
        return manifest_of(self.version)

    @hookimpl
    def close_window(self, context: Context, request: CloseWindowRequest) -> Any:
        return mymozhem_quiz.close_window(context, request)


class Fragile(Quiz):
    """The quiz, but that it does not survive the end of a question while `down`."""

    down = False

    @hookimpl
    def close_window(self, context: Context, request: CloseWindowRequest) -> Any:
        if self.down:
            raise ValueError
        return mymozhem_quiz.close_window(context, request)


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture(params=[NEWEST, FIRST])
def version(request: pytest.FixtureRequest) -> str:
    """The version under which rooms are made; the code of today plays all of them."""
    return str(request.param)


@pytest.fixture
def app(version: str) -> object:
    """The package itself; a test may put one in its place that breaks."""
    return mymozhem_quiz if version == NEWEST else Quiz(version)


@pytest.fixture
async def house(
    transport: str, database: Database, clock: Clock, tmp_path: Path, app: object
) -> AsyncIterator[House]:
    async with HOUSES[transport](database, clock, tmp_path, {"quiz": app}) as house:
        yield house


@pytest.fixture
async def make(house: House, version: str) -> AsyncIterator[Make]:
    """Start a quiz with these questions and settings; Ada, Bob and Eve are there."""
    jobs = Jobs(house.services)

    async def made(*asked: JsonValue, names: tuple[str, ...] = (), **settings: Any) -> Hall:
        everybody = names or ("Ada", "Bob", "Eve")
        return await make_hall(house, jobs, asking(asked, version), everybody, **settings)

    yield made
    await jobs.stop()


# ----------------------------------------------------------------------------- types and modes


@pytest.mark.parametrize("mode", ["first", "speed", "plain"])
async def test_a_question_of_each_type_counts_in_each_mode(make: Make, mode: str) -> None:
    hall = await make(
        *(question for question, _, _ in EACH.values()), mode=mode, timePerQuestion=20
    )
    points = 87 if mode == "speed" else 100
    winner = [] if mode == "plain" else [(hall.id("Bob"), points, 5_000)]
    for number, (kind, (_, right, wrong)) in enumerate(EACH.items(), start=1):
        await hall.played({"Eve": wrong, "Bob": right}, after=5_000)
        assert await hall.points("Ada", "Bob", "Eve") == [0, number * points, 0], kind
        revealed = await hall.told("quiz:answer_revealed", "Ada")
        assert [(one["answered"], one["right"]) for one in revealed] == [(2, 1)] * number, kind
        winners = await hall.told("quiz:round_winner", "Ada")
        seen = [(one["participantId"], one["points"], one["elapsedMs"]) for one in winners]
        assert seen == winner * number, kind


async def test_the_first_right_answer_ends_the_round(make: Make) -> None:
    hall = await make(*questions(2), mode="first")
    await hall.do("start")
    await hall.wait(200)
    await hall.answer("Ada", "Alpha")
    await hall.answer("Eve", "Beta")
    seen = await hall.sees("Bob")
    assert seen.public["status"] == "BETWEEN_ROUNDS"
    types = [kind for kind, _ in seen.events if kind.startswith(("window", "quiz", "standings"))]
    assert types[-6:] == [
        "window:tallying", "window:closed", "quiz:round_winner", "quiz:answer_revealed",
        "quiz:status_changed", "standings:changed",
    ]  # fmt: skip
    assert await hall.points("Ada", "Bob", "Eve") == [0, 0, 100]


async def test_everybody_has_answered_and_the_next_question_can_come(make: Make) -> None:
    hall = await make(*questions(2), mode="speed", names=("Ada", "Bob"))
    await hall.do("start")
    with pytest.raises(Refused, match="open"):
        await hall.do("next")
    await hall.wait(200)
    await hall.answer("Ada", "Beta")
    await hall.wait(9_800)
    await hall.answer("Bob", "Beta")
    assert await hall.points("Ada", "Bob") == [99, 75]
    await hall.do("next")
    assert (await hall.sees()).public["window"] == "q-2"


async def test_time_that_is_over_closes_a_question(make: Make) -> None:
    hall = await make(*questions(1), mode="plain", timePerQuestion=5)
    await hall.do("start")
    await hall.wait(4_999)
    await hall.answer("Ada", "Beta")
    await hall.wait(1)
    assert (await hall.sees()).public["status"] == "BETWEEN_ROUNDS"
    assert await hall.points("Ada") == [100]


async def test_organizers_cannot_answer_nor_participants_play(make: Make) -> None:
    hall = await make(*questions(1), mode="plain")
    await hall.do("start")
    with pytest.raises(Forbidden):
        await hall.do("close", by="Ada")
    await hall.wait(200)
    services, room_id = hall.house.services, hall.room.id
    with pytest.raises(Forbidden):
        await commands.close(services, room_id, hall.who("Ada"), "q-1")
    with pytest.raises(Forbidden):
        await submit(services, room_id, hall.who(None), "q-1", {"answer": "b"})


# -------------------------------------------------------------------------------------- streaks


async def test_streaks_bring_a_bonus_and_void_rounds_do_not_break_them(make: Make) -> None:
    hall = await make(*questions(3), mode="plain", streakBonus=10)
    await hall.played({"Ada": "Beta", "Bob": "Beta"})
    await hall.played({"Ada": "Beta", "Bob": "Alpha"})
    await hall.played({"Ada": "Beta", "Bob": "Beta"})
    assert await hall.points("Ada", "Bob") == [100 + 110 + 120, 100 + 100]
    await hall.do("void", questionId="question-2")
    await hall.wait(2_000)
    assert await hall.points("Ada", "Bob") == [100 + 110, 100 + 110]


# ---------------------------------------------------------------------------------------- teams


async def test_people_choose_a_team_before_the_start(make: Make) -> None:
    hall = await make(*questions(1), mode="plain", teams="chosen", teamNames=["Red", "Blue"])
    await hall.do("chooseTeam", by="Ada", team="red")
    await hall.do("chooseTeam", by="Bob", team="Blue")
    await hall.do("chooseTeam", by="Ada", team="Blue")
    with pytest.raises(Refused, match="no team"):
        await hall.do("chooseTeam", by="Eve", team="Green")
    await hall.played({"Ada": "Beta", "Bob": "Alpha", "Eve": "Beta"})
    await hall.wait(2_000)
    with pytest.raises(Refused, match="already"):
        await hall.do("chooseTeam", by="Ada", team="Red")
    await hall.do("chooseTeam", by="Eve", team="Red")
    await hall.wait(2_000)
    assert (await hall.sees("Ada")).state.me.own == {"team": "Blue"}
    assert await means(hall) == {"Red": (1, 100), "Blue": (2, 50)}


async def test_an_organizer_assigns_teams_at_any_time(make: Make) -> None:
    hall = await make(*questions(1), mode="plain", teams="assigned", teamNames=["Red", "Blue"])
    for name, team in {"Ada": "Red", "Bob": "Red", "Eve": "Blue"}.items():
        await hall.do("assignTeam", participantId=hall.id(name), team=team)
    await hall.played({"Ada": "Beta"})
    await hall.wait(2_000)
    assert await means(hall) == {"Red": (2, 50), "Blue": (1, 0)}
    await hall.do("assignTeam", participantId=hall.id("Bob"), team=None)
    await hall.wait(2_000)
    assert await means(hall) == {"Red": (1, 100), "Blue": (1, 0)}
    with pytest.raises(Refused):
        await hall.do("chooseTeam", by="Ada", team="Blue")


async def test_balanced_teams_are_dealt_and_latecomers_join_the_smallest(make: Make) -> None:
    names = tuple(f"Guest {number}" for number in range(5))
    hall = await make(
        *questions(1), names=names, mode="plain", teams="balanced", teamNames=["Red", "Blue"]
    )
    await hall.do("start")
    await hall.wait(2_000)
    assert sorted(members for members, _ in (await means(hall)).values()) == [2, 3]
    await hall.let_in("Latecomer")
    await hall.do("close")
    await hall.wait(2_000)
    assert [members for members, _ in (await means(hall)).values()] == [3, 3]
    assert (await hall.sees("Latecomer")).state.me.own in ({"team": "Red"}, {"team": "Blue"})


async def means(hall: Hall) -> dict[str, tuple[int, float | None]]:
    teams = (await hall.sees("Ada" if "Ada" in hall.people else None)).public["teams"]
    return {team["name"]: (team["members"], team["mean"]) for team in teams}


# --------------------------------------------------------------------------------------- reveal


async def test_results_by_hand_reach_nobody_before_they_are_revealed(make: Make) -> None:
    hall = await make(*questions(2), mode="first", revealAnswers="byHand")
    await hall.played({"Ada": "Alpha", "Bob": "Beta"})
    assert await hall.points("Ada", "Bob") == [0, 0]
    for name in ("Ada", "Bob", None):
        seen = await hall.sees(name)
        assert not {"quiz:round_winner", "quiz:answer_revealed"} & {kind for kind, _ in seen.events}
        assert seen.state.standings == []
    assert (await hall.sees("Bob")).own == [("q-1", None, None)]

    await hall.do("reveal")
    assert await hall.points("Ada", "Bob") == [0, 100]
    (winner,) = await hall.told("quiz:round_winner", "Ada")
    assert winner["participantId"] == hall.id("Bob")
    assert (await hall.sees("Bob")).own == [("q-1", "right", 100)]


async def test_results_by_hand_reveal_themselves_after_ten_minutes(make: Make) -> None:
    hall = await make(*questions(1), mode="plain", revealAnswers="byHand")
    await hall.played({"Ada": "Beta"})
    await hall.wait(600_000)
    await hall.wait(2_000)
    assert await hall.points("Ada") == [100]
    assert len(await hall.told("quiz:answer_revealed", "Ada")) == 1


# -------------------------------------------------------------------------------- after the fact


async def test_a_wrong_key_is_corrected_and_the_winner_is_another_one(make: Make) -> None:
    hall = await make(*questions(1), mode="speed", timePerQuestion=10)
    await hall.do("start")
    await hall.wait(2_000)
    await hall.answer("Ada", "Beta")
    await hall.wait(2_000)
    await hall.answer("Bob", "Gamma")
    await hall.do("close")
    assert await hall.points("Ada", "Bob") == [90, 0]
    reply = await hall.do("correct", questionId="question-1", answer="Gamma")
    assert reply == {"windows": ["q-1"]}
    assert await hall.points("Ada", "Bob") == [0, 80]
    winners = [one["participantId"] for one in await hall.told("quiz:round_winner", "Eve")]
    assert winners == [hall.id("Ada"), hall.id("Bob")]
    assert (await hall.told("quiz:answer_revealed", "Eve"))[-1]["texts"] == ["Gamma"]


async def test_an_answer_is_accepted_too(make: Make) -> None:
    hall = await make(EACH["text"][0], mode="plain")
    await hall.played({"Ada": "Saint-Ex", "Bob": "Antoine de Saint-Exupéry"})
    assert await hall.points("Ada", "Bob") == [0, 100]
    await hall.do("accept", questionId="name", answer="saint-ex")
    assert await hall.points("Ada", "Bob") == [100, 100]


async def test_a_void_question_gives_nothing_and_is_played_again(make: Make) -> None:
    hall = await make(*questions(1), mode="plain")
    await hall.played({"Ada": "Beta"})
    await hall.do("replay", questionId="question-1")
    assert await hall.points("Ada") == [0]
    assert (await hall.sees("Ada")).public["window"] == "q-2"
    await hall.wait(1_000)
    await hall.answer("Bob", "Beta")
    await hall.do("close")
    assert await hall.points("Ada", "Bob") == [0, 100]
    await hall.do("void", questionId="question-1")
    assert await hall.points("Ada", "Bob") == [0, 0]
    with pytest.raises(Refused, match="void"):
        await hall.do("void", questionId="question-1")


async def test_only_questions_that_nobody_has_seen_can_be_changed(make: Make, version: str) -> None:
    hall = await make(*questions(2), mode="plain")
    await hall.played({"Ada": "Beta"})
    first, second = single("question-1", right=0), single("question-2", right=0)
    settings = asking([first, single("question-2")], version)
    with pytest.raises(Invalid) as caught:
        await hall.house.change(hall.room.id, settings=settings)
    inside = "" if version == FIRST else "/rounds/0"
    assert list(fields_of(caught.value)) == [f"/appSettings{inside}/questions/0"]
    settings = asking([single("question-1"), second], version)
    await hall.house.change(hall.room.id, settings=settings)
    await hall.played({"Ada": "Alpha"})
    assert await hall.points("Ada") == [200]


def fields_of(error: Invalid) -> dict[str, object]:
    fields = error.details["fields"]
    assert isinstance(fields, dict)
    return dict(fields)


# ----------------------------------------------------------------------------------- it is down


class TestFragile:
    @pytest.fixture
    def app(self, version: str) -> Fragile:
        return Fragile(version)

    async def test_the_host_settles_by_the_rules_and_the_quiz_goes_on(
        self, make: Make, app: Fragile
    ) -> None:
        hall = await make(*questions(2), mode="plain", streakBonus=50)
        app.down = True
        await hall.played({"Ada": "Beta", "Bob": "Alpha"})
        assert (await hall.sees("Ada")).public["status"] == "QUESTION_ACTIVE"
        services, leader = hall.house.services, hall.house.organizer
        await commands.settle(services, hall.room.id, leader, "q-1")
        assert await hall.points("Ada", "Bob") == [100, 0]
        app.down = False
        await hall.wait(2_000)
        assert (await hall.sees("Ada")).public["status"] == "BETWEEN_ROUNDS"
        assert len(await hall.told("quiz:answer_revealed", "Ada")) == 1
        await hall.played({"Ada": "Beta", "Bob": "Beta"})
        assert await hall.points("Ada", "Bob") == [100 + 150, 100]

    async def test_the_quiz_is_back_and_settles_itself(self, make: Make, app: Fragile) -> None:
        hall = await make(*questions(1), mode="speed", timePerQuestion=10)
        app.down = True
        await hall.played({"Ada": "Beta"}, after=2_000)
        assert await hall.points("Ada") == [0]
        app.down = False
        await hall.wait(10_000)
        assert await hall.points("Ada") == [90]
        assert (await hall.sees("Ada")).public["status"] == "BETWEEN_ROUNDS"


# ------------------------------------------------------------------------------------- own pace


async def test_at_their_own_pace_people_answer_in_any_order_until_the_end(
    make: Make, clock: HeldClock
) -> None:
    hall = await make(
        *questions(3), names=("Ada",), pace="self", closesAt=soon(clock, days=3), tieBreak="share"
    )
    await hall.do("start")
    seen = await hall.sees("Ada")
    assert [window.id for window in seen.state.windows] == ["q-1", "q-2", "q-3"]
    await hall.answer("Ada", "Beta", 3)
    await hall.wait(86_400_000)
    await hall.let_in("Late")
    await hall.answer("Late", "Beta", 1)
    await hall.answer("Ada", "Alpha", 1)
    back = await hall.sees("Ada")
    assert back.own == [("q-3", None, None), ("q-1", None, None)]
    assert [window.left_ms for window in back.state.windows] == [2 * 86_400_000] * 3
    assert await hall.points("Ada", "Late") == [0, 0]

    await hall.house.change(hall.room.id, settings={"closesAt": soon(clock, days=1)})
    await hall.jobs.run_due()
    assert (await hall.sees("Ada")).state.windows[0].left_ms == 86_400_000
    await hall.wait(86_400_000)
    await hall.wait(2_000)
    assert (await hall.sees("Ada")).public["status"] == "FINISHED"
    assert await hall.points("Ada", "Late") == [100, 100]


async def test_an_organizer_ends_it_early(make: Make, clock: HeldClock) -> None:
    hall = await make(*questions(2), pace="self", closesAt=soon(clock, days=30))
    await hall.do("start")
    await hall.answer("Bob", "Beta", 2)
    assert await hall.do("end") == {"closing": 2}
    await hall.wait(2_000)
    assert (await hall.sees("Ada")).public["status"] == "FINISHED"
    assert await hall.points("Bob") == [100]


def soon(clock: HeldClock, *, days: int) -> str:
    return (clock.now() + timedelta(days=days)).isoformat()


# -------------------------------------------------------------------------------- ends and ties


async def test_prizes_go_down_the_standings(make: Make) -> None:
    hall = await make(*questions(3), mode="plain")
    prizes = [await hall.house.prize(hall.room, name=name) for name in ("Gold", "Silver")]
    await hall.played({"Ada": "Beta", "Bob": "Beta", "Eve": "Beta"})
    await hall.played({"Ada": "Beta", "Bob": "Beta"})
    await hall.played({"Bob": "Beta"})
    reply = await hall.do("end")
    assert reply == {"finished": True, "awarded": 2, "left": 0, "draws": [], "undecided": []}
    assert await hall.won() == sorted([("Bob", prizes[0]), ("Ada", prizes[1])])
    (finished,) = await hall.told("quiz:finished", "Eve")
    assert [(one["rank"], one["points"]) for one in finished["standings"]] == [
        (1, 300), (2, 200), (3, 100)
    ]  # fmt: skip
    with pytest.raises(Refused, match="over"):
        await hall.do("next")


async def test_who_is_tied_shares_a_prize_of_enough_units(make: Make) -> None:
    hall = await make(*questions(1), mode="plain", tieBreak="share")
    gold = await hall.house.prize(hall.room, 2, "Gold")
    silver = await hall.house.prize(hall.room, 1, "Silver")
    await hall.played({"Ada": "Beta", "Bob": "Beta"})
    assert (await hall.do("end"))["awarded"] == 2
    assert (await hall.won(), bool(silver)) == ([("Ada", gold), ("Bob", gold)], True)


async def test_without_enough_units_the_organizer_decides(make: Make) -> None:
    hall = await make(*questions(1), mode="plain", tieBreak="share")
    gold = await hall.house.prize(hall.room, 1, "Gold")
    await hall.played({"Ada": "Beta", "Bob": "Beta"})
    reply = await hall.do("end")
    people = sorted((hall.id("Ada"), hall.id("Bob")))
    assert reply["undecided"] == [{"rank": 1, "participantId": people, "prizeId": [gold]}]
    assert await hall.won() == []


async def test_sudden_death_asks_only_those_who_are_tied(make: Make) -> None:
    hall = await make(*questions(3), mode="plain", tieBreak="suddenDeath")
    gold = await hall.house.prize(hall.room, 1, "Gold")
    await hall.played({"Ada": "Beta", "Bob": "Beta"})
    reply = await hall.do("end")
    assert reply == {"finished": False, "tied": sorted((hall.id("Ada"), hall.id("Bob")))}
    await hall.wait(1_000)
    with pytest.raises(Forbidden):
        await hall.answer("Eve", "Beta")
    await hall.answer("Bob", "Beta")
    await hall.answer("Ada", "Beta")
    assert (await hall.do("end"))["finished"] is True
    assert await hall.won() == [("Bob", gold)]
    assert await hall.points("Ada", "Bob") == [100, 100]


async def test_lots_are_drawn_verifiably_among_the_tied(make: Make) -> None:
    hall = await make(*questions(1), mode="plain", tieBreak="draw")
    gold = await hall.house.prize(hall.room, 1, "Gold")
    await hall.played({"Ada": "Beta", "Bob": "Beta", "Eve": "Alpha"})
    assert (await hall.do("end"))["draws"] == ["tie-1"]
    await hall.wait(1_000)
    ((name, prize),) = await hall.won()
    assert (prize, name in {"Ada", "Bob"}) == (gold, True)
    services = hall.house.services
    async with services.database.read() as session:
        (draw,), _ = await list_draws(session, hall.room.id, level=Level.PUBLIC)
    shown = await record(services, hall.room.id, draw.id)
    verification = verify(json.loads(shown))
    assert verification.ok, verification.sentence
    drawn = verification.record
    assert drawn is not None
    assert sorted(drawn.entries.participants) == sorted((hall.id("Ada"), hall.id("Bob")))


# --------------------------------------------------------------------------------------- import

TEXT = """#Q What is two and two?
^ Four
A Three
B Four

#Q Which has no right option?
^ Seven
A Eight
B Nine

#Q Is water wet?
^ True
A True
B False
"""


async def test_questions_are_imported_with_faults_by_line_and_played(
    house: House, make: Make, version: str
) -> None:
    room = await house.room("quiz", settings={"mode": "plain"})
    (setting,) = asking([], version)
    wish = TextImport(setting=setting, format="opentrivia", text=TEXT.encode())
    done = await import_setting(house.services, room.id, house.organizer, wish)
    assert (done.saved, done.imported) == (True, 2 if version == FIRST else 1)
    assert [(one.line, one.code) for one in done.problems] == [(7, "ANSWER_NOT_AN_OPTION")]
    await house.change(room.id, status=RoomStatus.ACTIVE)
    hall = Hall(house, (await make(*questions(1))).jobs, room)
    await hall.let_in("Ada", "Bob")
    await hall.played({"Ada": "Four", "Bob": "Three"})
    await hall.played({"Ada": "True", "Bob": "True"})
    assert await hall.points("Ada", "Bob") == [200, 100]
