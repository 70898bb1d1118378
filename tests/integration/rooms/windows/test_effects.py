"""What apps may ask for about windows: applied whole, or refused with a code and nothing done."""

from datetime import timedelta

import pytest

from mymozhem.contract import RoomStatus
from mymozhem.errors import Conflict, TooLarge
from mymozhem.rooms.lifecycle.update import delete_room
from mymozhem.rooms.participants.erase import erase_person
from mymozhem.rooms.windows import commands
from tests.support.apps.window_app import RULES, opening
from tests.support.host import principal

SAID = {"effect": "emit", "type": "desk:said", "payload": {}}
LONG = {"text": "x" * 33_000}
FOUR = {"properties": {"n": {"const": 4}}}
FIVE = {"properties": {"n": {"const": 5}}}


def about(effect, name="w", **more):
    key = "windowId" if effect in ("share", "rejudge") else "id"
    return {"effect": effect, key: name, **more}


def adjust(evening, guest, points):
    person = evening.ids[guest]
    return {"effect": "adjust", "participantId": person, "points": points, "reason": "style"}


def verdict(submission, found, points):
    return {"submissionId": [submission], "verdict": [found], "points": [points]}


async def refusal(evening, *effects):
    """Return the code of what is wrong; a true effect before it shows that none is applied."""
    with pytest.raises(Conflict) as refused:
        await evening.do(SAID, *effects)
    assert await evening.told("desk:said") == []
    return refused.value.details.get("code")


async def closed(evening, **wishes):
    """Play a window: the first guest is right with 4, the second wrong with 5."""
    await evening.do(opening(rules=RULES, points=2, **wishes))
    await evening.send(0, {"n": 4})
    await evening.send(1, {"n": 5})
    await evening.later(10_000)


async def test_what_cannot_be_done_while_a_window_is_open(evening):
    await evening.do(opening(rules=RULES))
    for effect, code in [
        (about("share", to="public", fields=["payload"]), "WINDOW_NOT_CLOSED"),
        (about("rejudge", rules=FIVE), "WINDOW_NOT_CLOSED"),
        (about("revealWindow"), "WINDOW_NOT_CLOSED"),
        (opening(), "WINDOW_ID_USED"),
        (about("closeWindow", "unheard"), "WINDOW_NOT_FOUND"),
        (opening("b", accepts={"type": "strange"}), "SCHEMA_REFUSED"),
        (opening("b", accepts={"$ref": "https://example.com/schema"}), "SCHEMA_REFUSED"),
        (opening("b", rules={"$ref": "#/$defs/a", "$defs": {"a": {}}}, fold=["/n"]),
         "SCHEMA_REFUSED"),
        (opening("b", participants=["part_of_elsewhere"]), "PARTICIPANT_NOT_FOUND"),
        (opening("b", prompt=LONG), "WINDOW_TOO_LARGE"),
        (opening("b", data=LONG), "WINDOW_TOO_LARGE"),
        (adjust(evening, 0, 10**12), "POINTS_OUT_OF_RANGE"),
    ]:  # fmt: skip
        assert await refusal(evening, effect) == code, effect


async def test_what_cannot_be_done_once_it_is_closed(evening):
    await closed(evening)
    later = "2031-01-01T00:00:00Z"
    for effect, code in [
        (about("changeWindow", closesAt=later), "WINDOW_NOT_NOW"),
        (opening(), "WINDOW_ID_USED"),
        (about("rejudge", rules={"type": "strange"}), "SCHEMA_REFUSED"),
        (about("rejudge", verdicts=verdict("sub_x", "right", 1)), "SUBMISSION_NOT_FOUND"),
        (about("share", to=["part_of_elsewhere"], fields=["payload"]), "PARTICIPANT_NOT_FOUND"),
    ]:  # fmt: skip
        assert await refusal(evening, effect) == code, effect
    for act in (commands.pause, commands.resume, commands.settle):
        with pytest.raises(Conflict) as not_now:
            await evening.control(act)
        assert not_now.value.code == "WINDOW_NOT_NOW"
    before = await evening.told()
    await evening.do(about("closeWindow"), about("revealWindow"))
    await evening.control(commands.close)
    await evening.control(commands.reveal)
    assert await evening.told() == before
    assert await evening.points() == [2, 0, 0]


async def test_a_room_has_two_hundred_open_windows_at_most(evening):
    await evening.do(*(opening(f"w{number}", durationMs=None) for number in range(200)))
    assert await refusal(evening, opening("more")) == "TOO_MANY_WINDOWS"
    await evening.control(commands.close, name="w7")
    await evening.do(opening("more"))
    await evening.check_log()


async def _open(evening):
    await evening.do(opening(rules=RULES, points=2))
    await evening.send(0, {"n": 4})


async def _paused(evening):
    await _open(evening)
    await evening.control(commands.pause)


async def _tallying(evening):
    evening.app.closing = lambda _: "soup"
    await _open(evening)
    await evening.later(10_000)


async def _unrevealed(evening):
    await closed(evening, results="onReveal")


@pytest.mark.parametrize("state", [_open, _paused, _tallying, closed, _unrevealed])
async def test_a_window_can_be_void_whatever_it_is_and_gives_nothing_for_ever(evening, state):
    await state(evening)
    await evening.do(about("rejudge", void=True))
    assert await evening.points() == [0, 0, 0]
    await evening.control(commands.rejudge, void=True)
    assert (await evening.window()).status == "void"
    with pytest.raises(Conflict) as late:
        await evening.send(2, {"n": 4})
    assert late.value.code == "WINDOW_CLOSED"
    types = await evening.told()
    await evening.later(700_000)
    await evening.later(700_000)
    assert (await evening.window()).lease is None  # nobody works on it any more
    assert await evening.told() == types
    assert types.count("window:corrected") == 1
    await evening.check_log()


async def test_a_void_window_that_was_held_back_counts_again_and_is_revealed(evening):
    await _unrevealed(evening)
    await evening.control(commands.rejudge, void=True)
    await evening.later(1_200_000)
    await evening.control(commands.rejudge, rules=FIVE)
    await evening.later(0)
    assert await evening.points() == [0, 0, 0]
    await evening.later(600_000)
    assert await evening.points() == [0, 2, 0]


async def test_a_correction_before_the_reveal_tells_nobody_and_holds_afterwards(evening):
    await _unrevealed(evening)
    await evening.control(commands.rejudge, rules=FIVE)
    first = (await evening.rows())[0]
    await evening.do(about("rejudge", verdicts=verdict(first.id, "wrong", -7)))
    assert await evening.points() == [0, 0, 0]
    hidden = ("scores:changed", "standings:changed", "window:revealed")
    assert await evening.told(*hidden) == []
    corrected = await evening.house.events(evening.room.id, "window:corrected")
    assert [event.payload for event in corrected] == [{"windowId": "w", "void": False}] * 2
    await evening.do(about("revealWindow"))
    assert await evening.points() == [-7, 2, 0]
    await evening.control(commands.rejudge, rules=FOUR)
    assert await evening.points() == [2, 0, 0]
    assert (await evening.rows())[1].verdict == "wrong"
    await evening.check_log()


async def test_what_was_erased_stays_judged_as_it_was(evening):
    rules = {"type": "object", **RULES}
    await evening.do(opening(rules=rules, judge="rules", points=2))
    await evening.send(0, {"n": 4})
    await evening.send(1, {"n": 5})
    await evening.later(10_000)
    person = principal(evening.guests[0])
    await erase_person(evening.house.services, person, person.user_id)
    await evening.control(commands.rejudge, rules={"type": "object", **FIVE})
    assert [row.payload for row in await evening.rows()] == [None, {"n": 5}]
    assert await evening.points() == [2, 2, 0]


async def test_rules_of_a_correction_have_the_size_of_rules(evening):
    await evening.do(opening(rules=RULES, judge="rules", points=2))
    await evening.later(10_000)
    with pytest.raises(TooLarge) as refused:
        await evening.control(commands.rejudge, rules={"enum": list(range(10_000))})
    assert refused.value.code == "WINDOW_TOO_LARGE"


async def test_what_an_app_gives_as_it_settles_is_held_back_with_the_results(evening):
    evening.app.closing = lambda _: {"effects": [adjust(evening, 2, 3)]}
    await _unrevealed(evening)
    await evening.do(adjust(evening, 2, 100))  # of its own accord, so at once
    assert await evening.points() == [0, 0, 100]
    await evening.control(commands.reveal)
    assert await evening.points() == [2, 0, 103]
    assert await evening.told("standings:changed") == ["standings:changed"]


async def test_an_app_may_reveal_as_it_settles(evening):
    def reveal(asked):
        ids = list(asked.submissions.id)
        verdicts = {"submissionId": ids, "verdict": ["right", "none"], "points": [5, 1]}
        return {"effects": [about("revealWindow")], "verdicts": verdicts}

    evening.app.closing = reveal
    await _unrevealed(evening)
    assert await evening.points() == [5, 1, 0]
    assert (await evening.window()).due_at is None
    assert (await evening.told()).count("window:revealed") == 1


async def test_an_app_may_void_as_it_settles(evening):
    evening.app.closing = lambda _: {"effects": [about("rejudge", void=True)]}
    await _unrevealed(evening)
    window = await evening.window()
    assert (window.status, window.due_at) == ("void", None)
    assert await evening.points() == [0, 0, 0]


async def test_standings_are_told_by_the_windows_that_announce_them(evening):
    async def play(name, **announce):
        await evening.do(opening(name, rules=RULES, points=2, announce=announce))
        await evening.send(0, {"n": 4}, name)
        await evening.later(10_000)

    await play("a")
    await play("b", standings=False)
    assert len(await evening.told("standings:changed")) == 1
    await play("c")
    places = [
        event.payload["top"]
        for event in await evening.house.events(evening.room.id, "standings:changed")
    ]
    assert [top[0]["points"] for top in places] == [2, 6]
    assert await evening.points() == [6, 0, 0]


async def test_times_that_are_moved_hold_for_the_waiting_and_the_hasty(evening):
    await evening.do(opening(opensInMs=1_000, minElapsedMs=500))
    evening.clock.advance(1.2)
    await evening.control(commands.pause)
    evening.clock.advance(60)
    await evening.control(commands.extend, by_ms=5_000)
    await evening.control(commands.resume)
    with pytest.raises(Conflict) as early:
        await evening.send(0, {"n": 1})
    assert early.value.details == {"retryAfterMs": 300}
    await evening.later(9_800)  # ten seconds from the opening, and five more
    await evening.control(commands.extend, by_ms=1_000)
    await evening.later(5_999)
    assert (await evening.send(0, {"n": 1})).elapsed_ms == 15_999
    await evening.later(1)
    assert (await evening.window()).close_reason == "deadline"


async def test_an_end_moved_during_a_pause_is_the_end_from_then_on(evening):
    await evening.do(opening("a"), opening("b"))
    evening.clock.advance(4)
    for name in ("a", "b"):
        await evening.control(commands.pause, name=name)
    evening.clock.advance(60)
    soon = (evening.clock.now() + timedelta(seconds=3)).isoformat()
    past = (evening.clock.now() - timedelta(seconds=3)).isoformat()
    await evening.do(
        about("changeWindow", "a", closesAt=soon), about("changeWindow", "b", closesAt=past)
    )
    await evening.later(0)
    assert [(await evening.window(name)).status for name in ("a", "b")] == ["paused", "closed"]
    await evening.later(60_000)
    await evening.control(commands.resume, name="a")
    await evening.later(2_999)
    assert (await evening.send(0, {"n": 1}, "a")).elapsed_ms == 6_999
    await evening.later(1)
    assert (await evening.window("a")).close_reason == "deadline"


async def test_a_close_that_was_taken_back_in_time_leaves_no_reason_behind(evening):
    await evening.do(opening(), about("closeWindow"))
    await evening.control(commands.extend, by_ms=1_000)
    await evening.later(1_000)
    assert evening.app.closed[0].window.closed_by == "deadline"


async def test_at_the_end_of_a_room_its_windows_are_settled(evening):
    await _open(evening)
    await evening.do(opening("p"))
    await evening.control(commands.pause, name="p")
    await evening.house.change(evening.room.id, status=RoomStatus.COMPLETED)
    await evening.later(0)
    assert await evening.points() == [2, 0, 0]
    events = await evening.house.events(evening.room.id, "window:tallying", "window:closed")
    assert {event.payload["reason"] for event in events} == {"room"}
    assert [event.after_end for event in events] == [False, False, True, True]
    await evening.check_log()


async def test_where_an_app_wants_more_of_a_room_that_is_over_the_host_decides(
    evening,
):
    evening.app.closing = lambda _: {"effects": [opening("next")]}
    await _open(evening)
    await evening.house.change(evening.room.id, status=RoomStatus.COMPLETED)
    await evening.later(0)
    assert await evening.points() == [2, 0, 0]
    assert (await evening.window()).decided_by == "platform"


async def test_a_room_that_is_called_off_counts_nothing_that_was_not_settled(evening):
    await closed(evening)
    await evening.do(opening("open", rules=RULES, points=2))
    await evening.send(0, {"n": 4}, "open")
    await evening.house.change(evening.room.id, status=RoomStatus.CANCELLED)
    await evening.later(700_000)
    assert await evening.points() == [2, 0, 0]
    assert (await evening.window("open")).status == "void"
    assert len(evening.app.closed) == 1


async def test_the_windows_of_a_deleted_room_make_no_work(evening):
    await _unrevealed(evening)
    await evening.do(opening("tallying"))
    await evening.house.change(evening.room.id, status=RoomStatus.COMPLETED)
    organizer = evening.house.organizer
    await delete_room(evening.house.services, evening.room.id, organizer)
    with pytest.raises(Exception, match="no such room"):
        await evening.send(0, {"n": 4}, "tallying")
    await evening.later(600_000)
    await evening.later(600_000)
    await evening.later(600_000)
    assert await evening.jobs.run_due() == 0
    assert (await evening.window()).due_at is None
    assert len(evening.app.closed) == 1
