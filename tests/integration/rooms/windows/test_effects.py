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


def adjust(window_room, guest, points):
    person = window_room.ids[guest]
    return {"effect": "adjust", "participantId": person, "points": points, "reason": "style"}


def verdict(submission, found, points):
    return {"submissionId": [submission], "verdict": [found], "points": [points]}


async def refusal(window_room, *effects):
    """Return the code of what is wrong; a true effect before it shows that none is applied."""
    with pytest.raises(Conflict) as refused:
        await window_room.do(SAID, *effects)
    assert await window_room.told("desk:said") == []
    return refused.value.details.get("code")


async def closed(window_room, **wishes):
    """Play a window: the first guest is right with 4, the second wrong with 5."""
    await window_room.do(opening(rules=RULES, points=2, **wishes))
    await window_room.send(0, {"n": 4})
    await window_room.send(1, {"n": 5})
    await window_room.later(10_000)


async def test_what_cannot_be_done_while_a_window_is_open(window_room):
    await window_room.do(opening(rules=RULES))
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
        (adjust(window_room, 0, 10**12), "POINTS_OUT_OF_RANGE"),
    ]:  # fmt: skip
        assert await refusal(window_room, effect) == code, effect


async def test_what_cannot_be_done_once_it_is_closed(window_room):
    await closed(window_room)
    later = "2031-01-01T00:00:00Z"
    for effect, code in [
        (about("changeWindow", closesAt=later), "WINDOW_NOT_NOW"),
        (opening(), "WINDOW_ID_USED"),
        (about("rejudge", rules={"type": "strange"}), "SCHEMA_REFUSED"),
        (about("rejudge", verdicts=verdict("sub_x", "right", 1)), "SUBMISSION_NOT_FOUND"),
        (about("share", to=["part_of_elsewhere"], fields=["payload"]), "PARTICIPANT_NOT_FOUND"),
    ]:  # fmt: skip
        assert await refusal(window_room, effect) == code, effect
    for act in (commands.pause, commands.resume, commands.settle):
        with pytest.raises(Conflict) as not_now:
            await window_room.control(act)
        assert not_now.value.code == "WINDOW_NOT_NOW"
    before = await window_room.told()
    await window_room.do(about("closeWindow"), about("revealWindow"))
    await window_room.control(commands.close)
    await window_room.control(commands.reveal)
    assert await window_room.told() == before
    assert await window_room.points() == [2, 0, 0]


async def test_a_room_has_two_hundred_open_windows_at_most(window_room):
    await window_room.do(*(opening(f"w{number}", durationMs=None) for number in range(200)))
    assert await refusal(window_room, opening("more")) == "TOO_MANY_WINDOWS"
    await window_room.control(commands.close, name="w7")
    await window_room.do(opening("more"))
    await window_room.check_log()


async def _open(window_room):
    await window_room.do(opening(rules=RULES, points=2))
    await window_room.send(0, {"n": 4})


async def _paused(window_room):
    await _open(window_room)
    await window_room.control(commands.pause)


async def _tallying(window_room):
    window_room.app.closing = lambda _: "soup"
    await _open(window_room)
    await window_room.later(10_000)


async def _unrevealed(window_room):
    await closed(window_room, results="onReveal")


@pytest.mark.parametrize("state", [_open, _paused, _tallying, closed, _unrevealed])
async def test_a_window_can_be_void_whatever_it_is_and_gives_nothing_for_ever(window_room, state):
    await state(window_room)
    await window_room.do(about("rejudge", void=True))
    assert await window_room.points() == [0, 0, 0]
    await window_room.control(commands.rejudge, void=True)
    assert (await window_room.window()).status == "void"
    with pytest.raises(Conflict) as late:
        await window_room.send(2, {"n": 4})
    assert late.value.code == "WINDOW_CLOSED"
    types = await window_room.told()
    await window_room.later(700_000)
    await window_room.later(700_000)
    assert (await window_room.window()).lease is None  # nobody works on it any more
    assert await window_room.told() == types
    assert types.count("window:corrected") == 1
    await window_room.check_log()


async def test_a_void_window_that_was_held_back_counts_again_and_is_revealed(window_room):
    await _unrevealed(window_room)
    await window_room.control(commands.rejudge, void=True)
    await window_room.later(1_200_000)
    await window_room.control(commands.rejudge, rules=FIVE)
    await window_room.later(0)
    assert await window_room.points() == [0, 0, 0]
    await window_room.later(600_000)
    assert await window_room.points() == [0, 2, 0]


async def test_a_correction_before_the_reveal_tells_nobody_and_holds_afterwards(window_room):
    await _unrevealed(window_room)
    await window_room.control(commands.rejudge, rules=FIVE)
    first = (await window_room.rows())[0]
    await window_room.do(about("rejudge", verdicts=verdict(first.id, "wrong", -7)))
    assert await window_room.points() == [0, 0, 0]
    hidden = ("scores:changed", "standings:changed", "window:revealed")
    assert await window_room.told(*hidden) == []
    corrected = await window_room.host.events(window_room.room.id, "window:corrected")
    assert [event.payload for event in corrected] == [{"windowId": "w", "void": False}] * 2
    await window_room.do(about("revealWindow"))
    assert await window_room.points() == [-7, 2, 0]
    await window_room.control(commands.rejudge, rules=FOUR)
    assert await window_room.points() == [2, 0, 0]
    assert (await window_room.rows())[1].verdict == "wrong"
    await window_room.check_log()


async def test_what_was_erased_stays_judged_as_it_was(window_room):
    rules = {"type": "object", **RULES}
    await window_room.do(opening(rules=rules, judge="rules", points=2))
    await window_room.send(0, {"n": 4})
    await window_room.send(1, {"n": 5})
    await window_room.later(10_000)
    person = principal(window_room.guests[0])
    await erase_person(window_room.host.services, person, person.user_id)
    await window_room.control(commands.rejudge, rules={"type": "object", **FIVE})
    assert [row.payload for row in await window_room.rows()] == [None, {"n": 5}]
    assert await window_room.points() == [2, 2, 0]


async def test_rules_of_a_correction_have_the_size_of_rules(window_room):
    await window_room.do(opening(rules=RULES, judge="rules", points=2))
    await window_room.later(10_000)
    with pytest.raises(TooLarge) as refused:
        await window_room.control(commands.rejudge, rules={"enum": list(range(10_000))})
    assert refused.value.code == "WINDOW_TOO_LARGE"


async def test_what_an_app_gives_as_it_settles_is_held_back_with_the_results(window_room):
    window_room.app.closing = lambda _: {"effects": [adjust(window_room, 2, 3)]}
    await _unrevealed(window_room)
    await window_room.do(adjust(window_room, 2, 100))  # of its own accord, so at once
    assert await window_room.points() == [0, 0, 100]
    await window_room.control(commands.reveal)
    assert await window_room.points() == [2, 0, 103]
    assert await window_room.told("standings:changed") == ["standings:changed"]


async def test_an_app_may_reveal_as_it_settles(window_room):
    def reveal(asked):
        ids = list(asked.submissions.id)
        verdicts = {"submissionId": ids, "verdict": ["right", "none"], "points": [5, 1]}
        return {"effects": [about("revealWindow")], "verdicts": verdicts}

    window_room.app.closing = reveal
    await _unrevealed(window_room)
    assert await window_room.points() == [5, 1, 0]
    assert (await window_room.window()).due_at is None
    assert (await window_room.told()).count("window:revealed") == 1


async def test_an_app_may_void_as_it_settles(window_room):
    window_room.app.closing = lambda _: {"effects": [about("rejudge", void=True)]}
    await _unrevealed(window_room)
    window = await window_room.window()
    assert (window.status, window.due_at) == ("void", None)
    assert await window_room.points() == [0, 0, 0]


async def test_standings_are_told_by_the_windows_that_announce_them(window_room):
    async def play(name, **announce):
        await window_room.do(opening(name, rules=RULES, points=2, announce=announce))
        await window_room.send(0, {"n": 4}, name)
        await window_room.later(10_000)

    await play("a")
    await play("b", standings=False)
    assert len(await window_room.told("standings:changed")) == 1
    await play("c")
    places = [
        event.payload["top"]
        for event in await window_room.host.events(window_room.room.id, "standings:changed")
    ]
    assert [top[0]["points"] for top in places] == [2, 6]
    assert await window_room.points() == [6, 0, 0]


async def test_times_that_are_moved_hold_for_the_waiting_and_the_hasty(window_room):
    await window_room.do(opening(opensInMs=1_000, minElapsedMs=500))
    window_room.clock.advance(1.2)
    await window_room.control(commands.pause)
    window_room.clock.advance(60)
    await window_room.control(commands.extend, by_ms=5_000)
    await window_room.control(commands.resume)
    with pytest.raises(Conflict) as early:
        await window_room.send(0, {"n": 1})
    assert early.value.details == {"retryAfterMs": 300}
    await window_room.later(9_800)  # ten seconds from the opening, and five more
    await window_room.control(commands.extend, by_ms=1_000)
    await window_room.later(5_999)
    assert (await window_room.send(0, {"n": 1})).elapsed_ms == 15_999
    await window_room.later(1)
    assert (await window_room.window()).close_reason == "deadline"


async def test_an_end_moved_during_a_pause_is_the_end_from_then_on(window_room):
    await window_room.do(opening("a"), opening("b"))
    window_room.clock.advance(4)
    for name in ("a", "b"):
        await window_room.control(commands.pause, name=name)
    window_room.clock.advance(60)
    soon = (window_room.clock.now() + timedelta(seconds=3)).isoformat()
    past = (window_room.clock.now() - timedelta(seconds=3)).isoformat()
    await window_room.do(
        about("changeWindow", "a", closesAt=soon), about("changeWindow", "b", closesAt=past)
    )
    await window_room.later(0)
    assert [(await window_room.window(name)).status for name in ("a", "b")] == ["paused", "closed"]
    await window_room.later(60_000)
    await window_room.control(commands.resume, name="a")
    await window_room.later(2_999)
    assert (await window_room.send(0, {"n": 1}, "a")).elapsed_ms == 6_999
    await window_room.later(1)
    assert (await window_room.window("a")).close_reason == "deadline"


async def test_a_close_that_was_taken_back_in_time_leaves_no_reason_behind(window_room):
    await window_room.do(opening(), about("closeWindow"))
    await window_room.control(commands.extend, by_ms=1_000)
    await window_room.later(1_000)
    assert window_room.app.closed[0].window.closed_by == "deadline"


async def test_at_the_end_of_a_room_its_windows_are_settled(window_room):
    await _open(window_room)
    await window_room.do(opening("p"))
    await window_room.control(commands.pause, name="p")
    await window_room.host.change(window_room.room.id, status=RoomStatus.COMPLETED)
    await window_room.later(0)
    assert await window_room.points() == [2, 0, 0]
    events = await window_room.host.events(window_room.room.id, "window:tallying", "window:closed")
    assert {event.payload["reason"] for event in events} == {"room"}
    assert [event.after_end for event in events] == [False, False, True, True]
    await window_room.check_log()


async def test_where_an_app_wants_more_of_a_room_that_is_over_the_host_decides(
    window_room,
):
    window_room.app.closing = lambda _: {"effects": [opening("next")]}
    await _open(window_room)
    await window_room.host.change(window_room.room.id, status=RoomStatus.COMPLETED)
    await window_room.later(0)
    assert await window_room.points() == [2, 0, 0]
    assert (await window_room.window()).decided_by == "platform"


async def test_a_room_that_is_called_off_counts_nothing_that_was_not_settled(window_room):
    await closed(window_room)
    await window_room.do(opening("open", rules=RULES, points=2))
    await window_room.send(0, {"n": 4}, "open")
    await window_room.host.change(window_room.room.id, status=RoomStatus.CANCELLED)
    await window_room.later(700_000)
    assert await window_room.points() == [2, 0, 0]
    assert (await window_room.window("open")).status == "void"
    assert len(window_room.app.closed) == 1


async def test_the_windows_of_a_deleted_room_make_no_work(window_room):
    await _unrevealed(window_room)
    await window_room.do(opening("tallying"))
    await window_room.host.change(window_room.room.id, status=RoomStatus.COMPLETED)
    organizer = window_room.host.organizer
    await delete_room(window_room.host.services, window_room.room.id, organizer)
    with pytest.raises(Exception, match="no such room"):
        await window_room.send(0, {"n": 4}, "tallying")
    await window_room.later(600_000)
    await window_room.later(600_000)
    await window_room.later(600_000)
    assert await window_room.jobs.run_due() == 0
    assert (await window_room.window()).due_at is None
    assert len(window_room.app.closed) == 1
