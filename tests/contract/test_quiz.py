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
from tests.support.host import HostHarness
from tests.support.quiz_room import (
    EACH,
    FIRST,
    NEWEST,
    QuizRoom,
    asking,
    make_quiz_room,
    manifest_of,
    questions,
    single,
)
from tests.support.transports import HOUSES

Make = Callable[..., Awaitable[QuizRoom]]


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
async def host(
    transport: str, database: Database, clock: Clock, tmp_path: Path, app: object
) -> AsyncIterator[HostHarness]:
    async with HOUSES[transport](database, clock, tmp_path, {"quiz": app}) as host:
        yield host


@pytest.fixture
async def make(host: HostHarness, version: str) -> AsyncIterator[Make]:
    """Start a quiz with these questions and settings; Ada, Bob and Eve are there."""
    jobs = Jobs(host.services)

    async def made(*asked: JsonValue, names: tuple[str, ...] = (), **settings: Any) -> QuizRoom:
        everybody = names or ("Ada", "Bob", "Eve")
        return await make_quiz_room(host, jobs, asking(asked, version), everybody, **settings)

    yield made
    await jobs.stop()


# ----------------------------------------------------------------------------- types and modes


@pytest.mark.parametrize("mode", ["first", "speed", "plain"])
async def test_a_question_of_each_type_counts_in_each_mode(make: Make, mode: str) -> None:
    quiz_room = await make(
        *(question for question, _, _ in EACH.values()), mode=mode, timePerQuestion=20
    )
    points = 87 if mode == "speed" else 100
    winner = [] if mode == "plain" else [(quiz_room.id("Bob"), points, 5_000)]
    for number, (kind, (_, right, wrong)) in enumerate(EACH.items(), start=1):
        await quiz_room.played({"Eve": wrong, "Bob": right}, after=5_000)
        assert await quiz_room.points("Ada", "Bob", "Eve") == [0, number * points, 0], kind
        revealed = await quiz_room.told("quiz:answer_revealed", "Ada")
        assert [(one["answered"], one["right"]) for one in revealed] == [(2, 1)] * number, kind
        winners = await quiz_room.told("quiz:round_winner", "Ada")
        seen = [(one["participantId"], one["points"], one["elapsedMs"]) for one in winners]
        assert seen == winner * number, kind


async def test_the_first_right_answer_ends_the_round(make: Make) -> None:
    quiz_room = await make(*questions(2), mode="first")
    await quiz_room.do("start")
    await quiz_room.wait(200)
    await quiz_room.answer("Ada", "Alpha")
    await quiz_room.answer("Eve", "Beta")
    seen = await quiz_room.sees("Bob")
    assert seen.public["status"] == "BETWEEN_ROUNDS"
    types = [kind for kind, _ in seen.events if kind.startswith(("window", "quiz", "standings"))]
    assert types[-6:] == [
        "window:tallying", "window:closed", "quiz:round_winner", "quiz:answer_revealed",
        "quiz:status_changed", "standings:changed",
    ]  # fmt: skip
    assert await quiz_room.points("Ada", "Bob", "Eve") == [0, 0, 100]


async def test_everybody_has_answered_and_the_next_question_can_come(make: Make) -> None:
    quiz_room = await make(*questions(2), mode="speed", names=("Ada", "Bob"))
    await quiz_room.do("start")
    with pytest.raises(Refused, match="open"):
        await quiz_room.do("next")
    await quiz_room.wait(200)
    await quiz_room.answer("Ada", "Beta")
    await quiz_room.wait(9_800)
    await quiz_room.answer("Bob", "Beta")
    assert await quiz_room.points("Ada", "Bob") == [99, 75]
    await quiz_room.do("next")
    assert (await quiz_room.sees()).public["window"] == "q-2"


async def test_time_that_is_over_closes_a_question(make: Make) -> None:
    quiz_room = await make(*questions(1), mode="plain", timePerQuestion=5)
    await quiz_room.do("start")
    await quiz_room.wait(4_999)
    await quiz_room.answer("Ada", "Beta")
    await quiz_room.wait(1)
    assert (await quiz_room.sees()).public["status"] == "BETWEEN_ROUNDS"
    assert await quiz_room.points("Ada") == [100]


async def test_organizers_cannot_answer_nor_participants_play(make: Make) -> None:
    quiz_room = await make(*questions(1), mode="plain")
    await quiz_room.do("start")
    with pytest.raises(Forbidden):
        await quiz_room.do("close", by="Ada")
    await quiz_room.wait(200)
    services, room_id = quiz_room.host.services, quiz_room.room.id
    with pytest.raises(Forbidden):
        await commands.close(services, room_id, quiz_room.who("Ada"), "q-1")
    with pytest.raises(Forbidden):
        await submit(services, room_id, quiz_room.who(None), "q-1", {"answer": "b"})


# -------------------------------------------------------------------------------------- streaks


async def test_streaks_bring_a_bonus_and_void_rounds_do_not_break_them(make: Make) -> None:
    quiz_room = await make(*questions(3), mode="plain", streakBonus=10)
    await quiz_room.played({"Ada": "Beta", "Bob": "Beta"})
    await quiz_room.played({"Ada": "Beta", "Bob": "Alpha"})
    await quiz_room.played({"Ada": "Beta", "Bob": "Beta"})
    assert await quiz_room.points("Ada", "Bob") == [100 + 110 + 120, 100 + 100]
    await quiz_room.do("void", questionId="question-2")
    await quiz_room.wait(2_000)
    assert await quiz_room.points("Ada", "Bob") == [100 + 110, 100 + 110]


# ---------------------------------------------------------------------------------------- teams


async def test_people_choose_a_team_before_the_start(make: Make) -> None:
    quiz_room = await make(*questions(1), mode="plain", teams="chosen", teamNames=["Red", "Blue"])
    await quiz_room.do("chooseTeam", by="Ada", team="red")
    await quiz_room.do("chooseTeam", by="Bob", team="Blue")
    await quiz_room.do("chooseTeam", by="Ada", team="Blue")
    with pytest.raises(Refused, match="no team"):
        await quiz_room.do("chooseTeam", by="Eve", team="Green")
    await quiz_room.played({"Ada": "Beta", "Bob": "Alpha", "Eve": "Beta"})
    await quiz_room.wait(2_000)
    with pytest.raises(Refused, match="already"):
        await quiz_room.do("chooseTeam", by="Ada", team="Red")
    await quiz_room.do("chooseTeam", by="Eve", team="Red")
    await quiz_room.wait(2_000)
    assert (await quiz_room.sees("Ada")).state.me.own == {"team": "Blue"}
    assert await means(quiz_room) == {"Red": (1, 100), "Blue": (2, 50)}


async def test_an_organizer_assigns_teams_at_any_time(make: Make) -> None:
    quiz_room = await make(*questions(1), mode="plain", teams="assigned", teamNames=["Red", "Blue"])
    for name, team in {"Ada": "Red", "Bob": "Red", "Eve": "Blue"}.items():
        await quiz_room.do("assignTeam", participantId=quiz_room.id(name), team=team)
    await quiz_room.played({"Ada": "Beta"})
    await quiz_room.wait(2_000)
    assert await means(quiz_room) == {"Red": (2, 50), "Blue": (1, 0)}
    await quiz_room.do("assignTeam", participantId=quiz_room.id("Bob"), team=None)
    await quiz_room.wait(2_000)
    assert await means(quiz_room) == {"Red": (1, 100), "Blue": (1, 0)}
    with pytest.raises(Refused):
        await quiz_room.do("chooseTeam", by="Ada", team="Blue")


async def test_balanced_teams_are_dealt_and_latecomers_join_the_smallest(make: Make) -> None:
    names = tuple(f"Guest {number}" for number in range(5))
    quiz_room = await make(
        *questions(1), names=names, mode="plain", teams="balanced", teamNames=["Red", "Blue"]
    )
    await quiz_room.do("start")
    await quiz_room.wait(2_000)
    assert sorted(members for members, _ in (await means(quiz_room)).values()) == [2, 3]
    await quiz_room.let_in("Latecomer")
    await quiz_room.do("close")
    await quiz_room.wait(2_000)
    assert [members for members, _ in (await means(quiz_room)).values()] == [3, 3]
    assert (await quiz_room.sees("Latecomer")).state.me.own in ({"team": "Red"}, {"team": "Blue"})


async def means(quiz_room: QuizRoom) -> dict[str, tuple[int, float | None]]:
    teams = (await quiz_room.sees("Ada" if "Ada" in quiz_room.people else None)).public["teams"]
    return {team["name"]: (team["members"], team["mean"]) for team in teams}


# --------------------------------------------------------------------------------------- reveal


async def test_results_by_hand_reach_nobody_before_they_are_revealed(make: Make) -> None:
    quiz_room = await make(*questions(2), mode="first", revealAnswers="byHand")
    await quiz_room.played({"Ada": "Alpha", "Bob": "Beta"})
    assert await quiz_room.points("Ada", "Bob") == [0, 0]
    for name in ("Ada", "Bob", None):
        seen = await quiz_room.sees(name)
        assert not {"quiz:round_winner", "quiz:answer_revealed"} & {kind for kind, _ in seen.events}
        assert seen.state.standings == []
    assert (await quiz_room.sees("Bob")).own == [("q-1", None, None)]

    await quiz_room.do("reveal")
    assert await quiz_room.points("Ada", "Bob") == [0, 100]
    (winner,) = await quiz_room.told("quiz:round_winner", "Ada")
    assert winner["participantId"] == quiz_room.id("Bob")
    assert (await quiz_room.sees("Bob")).own == [("q-1", "right", 100)]


async def test_results_by_hand_reveal_themselves_after_ten_minutes(make: Make) -> None:
    quiz_room = await make(*questions(1), mode="plain", revealAnswers="byHand")
    await quiz_room.played({"Ada": "Beta"})
    await quiz_room.wait(600_000)
    await quiz_room.wait(2_000)
    assert await quiz_room.points("Ada") == [100]
    assert len(await quiz_room.told("quiz:answer_revealed", "Ada")) == 1


# -------------------------------------------------------------------------------- after the fact


async def test_a_wrong_key_is_corrected_and_the_winner_is_another_one(make: Make) -> None:
    quiz_room = await make(*questions(1), mode="speed", timePerQuestion=10)
    await quiz_room.do("start")
    await quiz_room.wait(2_000)
    await quiz_room.answer("Ada", "Beta")
    await quiz_room.wait(2_000)
    await quiz_room.answer("Bob", "Gamma")
    await quiz_room.do("close")
    assert await quiz_room.points("Ada", "Bob") == [90, 0]
    reply = await quiz_room.do("correct", questionId="question-1", answer="Gamma")
    assert reply == {"windows": ["q-1"]}
    assert await quiz_room.points("Ada", "Bob") == [0, 80]
    winners = [one["participantId"] for one in await quiz_room.told("quiz:round_winner", "Eve")]
    assert winners == [quiz_room.id("Ada"), quiz_room.id("Bob")]
    assert (await quiz_room.told("quiz:answer_revealed", "Eve"))[-1]["texts"] == ["Gamma"]


async def test_an_answer_is_accepted_too(make: Make) -> None:
    quiz_room = await make(EACH["text"][0], mode="plain")
    await quiz_room.played({"Ada": "Saint-Ex", "Bob": "Antoine de Saint-Exupéry"})
    assert await quiz_room.points("Ada", "Bob") == [0, 100]
    await quiz_room.do("accept", questionId="name", answer="saint-ex")
    assert await quiz_room.points("Ada", "Bob") == [100, 100]


async def test_a_void_question_gives_nothing_and_is_played_again(make: Make) -> None:
    quiz_room = await make(*questions(1), mode="plain")
    await quiz_room.played({"Ada": "Beta"})
    await quiz_room.do("replay", questionId="question-1")
    assert await quiz_room.points("Ada") == [0]
    assert (await quiz_room.sees("Ada")).public["window"] == "q-2"
    await quiz_room.wait(1_000)
    await quiz_room.answer("Bob", "Beta")
    await quiz_room.do("close")
    assert await quiz_room.points("Ada", "Bob") == [0, 100]
    await quiz_room.do("void", questionId="question-1")
    assert await quiz_room.points("Ada", "Bob") == [0, 0]
    with pytest.raises(Refused, match="void"):
        await quiz_room.do("void", questionId="question-1")


async def test_only_questions_that_nobody_has_seen_can_be_changed(make: Make, version: str) -> None:
    quiz_room = await make(*questions(2), mode="plain")
    await quiz_room.played({"Ada": "Beta"})
    first, second = single("question-1", right=0), single("question-2", right=0)
    settings = asking([first, single("question-2")], version)
    with pytest.raises(Invalid) as caught:
        await quiz_room.host.change(quiz_room.room.id, settings=settings)
    inside = "" if version == FIRST else "/rounds/0"
    assert list(fields_of(caught.value)) == [f"/appSettings{inside}/questions/0"]
    settings = asking([single("question-1"), second], version)
    await quiz_room.host.change(quiz_room.room.id, settings=settings)
    await quiz_room.played({"Ada": "Alpha"})
    assert await quiz_room.points("Ada") == [200]


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
        quiz_room = await make(*questions(2), mode="plain", streakBonus=50)
        app.down = True
        await quiz_room.played({"Ada": "Beta", "Bob": "Alpha"})
        assert (await quiz_room.sees("Ada")).public["status"] == "QUESTION_ACTIVE"
        services, leader = quiz_room.host.services, quiz_room.host.organizer
        await commands.settle(services, quiz_room.room.id, leader, "q-1")
        assert await quiz_room.points("Ada", "Bob") == [100, 0]
        app.down = False
        await quiz_room.wait(2_000)
        assert (await quiz_room.sees("Ada")).public["status"] == "BETWEEN_ROUNDS"
        assert len(await quiz_room.told("quiz:answer_revealed", "Ada")) == 1
        await quiz_room.played({"Ada": "Beta", "Bob": "Beta"})
        assert await quiz_room.points("Ada", "Bob") == [100 + 150, 100]

    async def test_the_quiz_is_back_and_settles_itself(self, make: Make, app: Fragile) -> None:
        quiz_room = await make(*questions(1), mode="speed", timePerQuestion=10)
        app.down = True
        await quiz_room.played({"Ada": "Beta"}, after=2_000)
        assert await quiz_room.points("Ada") == [0]
        app.down = False
        await quiz_room.wait(10_000)
        assert await quiz_room.points("Ada") == [90]
        assert (await quiz_room.sees("Ada")).public["status"] == "BETWEEN_ROUNDS"


# ------------------------------------------------------------------------------------- own pace


async def test_at_their_own_pace_people_answer_in_any_order_until_the_end(
    make: Make, clock: HeldClock
) -> None:
    quiz_room = await make(
        *questions(3), names=("Ada",), pace="self", closesAt=soon(clock, days=3), tieBreak="share"
    )
    await quiz_room.do("start")
    seen = await quiz_room.sees("Ada")
    assert [window.id for window in seen.state.windows] == ["q-1", "q-2", "q-3"]
    await quiz_room.answer("Ada", "Beta", 3)
    await quiz_room.wait(86_400_000)
    await quiz_room.let_in("Late")
    await quiz_room.answer("Late", "Beta", 1)
    await quiz_room.answer("Ada", "Alpha", 1)
    back = await quiz_room.sees("Ada")
    assert back.own == [("q-3", None, None), ("q-1", None, None)]
    assert [window.left_ms for window in back.state.windows] == [2 * 86_400_000] * 3
    assert await quiz_room.points("Ada", "Late") == [0, 0]

    await quiz_room.host.change(quiz_room.room.id, settings={"closesAt": soon(clock, days=1)})
    await quiz_room.jobs.run_due()
    assert (await quiz_room.sees("Ada")).state.windows[0].left_ms == 86_400_000
    await quiz_room.wait(86_400_000)
    await quiz_room.wait(2_000)
    assert (await quiz_room.sees("Ada")).public["status"] == "FINISHED"
    assert await quiz_room.points("Ada", "Late") == [100, 100]


async def test_an_organizer_ends_it_early(make: Make, clock: HeldClock) -> None:
    quiz_room = await make(*questions(2), pace="self", closesAt=soon(clock, days=30))
    await quiz_room.do("start")
    await quiz_room.answer("Bob", "Beta", 2)
    assert await quiz_room.do("end") == {"closing": 2}
    await quiz_room.wait(2_000)
    assert (await quiz_room.sees("Ada")).public["status"] == "FINISHED"
    assert await quiz_room.points("Bob") == [100]


def soon(clock: HeldClock, *, days: int) -> str:
    return (clock.now() + timedelta(days=days)).isoformat()


# -------------------------------------------------------------------------------- ends and ties


async def test_prizes_go_down_the_standings(make: Make) -> None:
    quiz_room = await make(*questions(3), mode="plain")
    prizes = [await quiz_room.host.prize(quiz_room.room, name=name) for name in ("Gold", "Silver")]
    await quiz_room.played({"Ada": "Beta", "Bob": "Beta", "Eve": "Beta"})
    await quiz_room.played({"Ada": "Beta", "Bob": "Beta"})
    await quiz_room.played({"Bob": "Beta"})
    reply = await quiz_room.do("end")
    assert reply == {"finished": True, "awarded": 2, "left": 0, "draws": [], "undecided": []}
    assert await quiz_room.won() == sorted([("Bob", prizes[0]), ("Ada", prizes[1])])
    (finished,) = await quiz_room.told("quiz:finished", "Eve")
    assert [(one["rank"], one["points"]) for one in finished["standings"]] == [
        (1, 300), (2, 200), (3, 100)
    ]  # fmt: skip
    with pytest.raises(Refused, match="over"):
        await quiz_room.do("next")


async def test_who_is_tied_shares_a_prize_of_enough_units(make: Make) -> None:
    quiz_room = await make(*questions(1), mode="plain", tieBreak="share")
    gold = await quiz_room.host.prize(quiz_room.room, 2, "Gold")
    silver = await quiz_room.host.prize(quiz_room.room, 1, "Silver")
    await quiz_room.played({"Ada": "Beta", "Bob": "Beta"})
    assert (await quiz_room.do("end"))["awarded"] == 2
    assert (await quiz_room.won(), bool(silver)) == ([("Ada", gold), ("Bob", gold)], True)


async def test_without_enough_units_the_organizer_decides(make: Make) -> None:
    quiz_room = await make(*questions(1), mode="plain", tieBreak="share")
    gold = await quiz_room.host.prize(quiz_room.room, 1, "Gold")
    await quiz_room.played({"Ada": "Beta", "Bob": "Beta"})
    reply = await quiz_room.do("end")
    people = sorted((quiz_room.id("Ada"), quiz_room.id("Bob")))
    assert reply["undecided"] == [{"rank": 1, "participantId": people, "prizeId": [gold]}]
    assert await quiz_room.won() == []


async def test_sudden_death_asks_only_those_who_are_tied(make: Make) -> None:
    quiz_room = await make(*questions(3), mode="plain", tieBreak="suddenDeath")
    gold = await quiz_room.host.prize(quiz_room.room, 1, "Gold")
    await quiz_room.played({"Ada": "Beta", "Bob": "Beta"})
    reply = await quiz_room.do("end")
    assert reply == {"finished": False, "tied": sorted((quiz_room.id("Ada"), quiz_room.id("Bob")))}
    await quiz_room.wait(1_000)
    with pytest.raises(Forbidden):
        await quiz_room.answer("Eve", "Beta")
    await quiz_room.answer("Bob", "Beta")
    await quiz_room.answer("Ada", "Beta")
    assert (await quiz_room.do("end"))["finished"] is True
    assert await quiz_room.won() == [("Bob", gold)]
    assert await quiz_room.points("Ada", "Bob") == [100, 100]


async def test_lots_are_drawn_verifiably_among_the_tied(make: Make) -> None:
    quiz_room = await make(*questions(1), mode="plain", tieBreak="draw")
    gold = await quiz_room.host.prize(quiz_room.room, 1, "Gold")
    await quiz_room.played({"Ada": "Beta", "Bob": "Beta", "Eve": "Alpha"})
    assert (await quiz_room.do("end"))["draws"] == ["tie-1"]
    await quiz_room.wait(1_000)
    ((name, prize),) = await quiz_room.won()
    assert (prize, name in {"Ada", "Bob"}) == (gold, True)
    services = quiz_room.host.services
    async with services.database.read() as session:
        (draw,), _ = await list_draws(session, quiz_room.room.id, level=Level.PUBLIC)
    shown = await record(services, quiz_room.room.id, draw.id)
    verification = verify(json.loads(shown))
    assert verification.ok, verification.sentence
    drawn = verification.record
    assert drawn is not None
    assert sorted(drawn.entries.participants) == sorted((quiz_room.id("Ada"), quiz_room.id("Bob")))


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
    host: HostHarness, make: Make, version: str
) -> None:
    room = await host.room("quiz", settings={"mode": "plain"})
    (setting,) = asking([], version)
    wish = TextImport(setting=setting, format="opentrivia", text=TEXT.encode())
    done = await import_setting(host.services, room.id, host.organizer, wish)
    assert (done.saved, done.imported) == (True, 2 if version == FIRST else 1)
    assert [(one.line, one.code) for one in done.problems] == [(7, "ANSWER_NOT_AN_OPTION")]
    await host.change(room.id, status=RoomStatus.ACTIVE)
    quiz_room = QuizRoom(host, (await make(*questions(1))).jobs, room)
    await quiz_room.let_in("Ada", "Bob")
    await quiz_room.played({"Ada": "Four", "Bob": "Three"})
    await quiz_room.played({"Ada": "True", "Bob": "True"})
    assert await quiz_room.points("Ada", "Bob") == [200, 100]
