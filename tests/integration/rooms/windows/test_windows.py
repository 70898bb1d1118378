"""Windows: opened, answered, closed, settled; each way of counting, judging and closing."""

import asyncio
from datetime import timedelta

import pytest

from mymozhem.contract import DecidedBy, WindowStatus
from mymozhem.errors import Conflict, Forbidden, Invalid, MymozhemError, NotFound
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.windows import commands
from tests.support.apps.window_app import (
    RULES,
    WindowApp,
    do,
    opening,
    send,
    submissions_of,
    window_of,
)
from tests.support.host import make_host

pytestmark = pytest.mark.both_engines


@pytest.fixture
def app():
    return WindowApp()


@pytest.fixture
async def host(database, clock, tmp_path, app):
    host = await make_host(database, clock, tmp_path, {"desk": app})
    yield host
    await host.services.dispatcher.close()


@pytest.fixture
async def room(host):
    return await host.start("desk")


@pytest.fixture
async def jobs(host):
    jobs = Jobs(host.services)
    yield jobs
    await jobs.stop()


@pytest.fixture
async def guests(host, room):
    return await host.guests(room, 3)


def pass_time(host, milliseconds):
    host.services.clock.advance(timedelta(milliseconds=milliseconds))


async def points(host, *guests):
    async with host.services.database.read() as session:
        rows = [await session.get_one(ParticipantRow, guest.participant.id) for guest in guests]
        return [row.points for row in rows]


async def test_answers_are_counted_until_the_end_and_judged_by_the_rules(
    host, room, guests, app, jobs
):
    await do(host, room, opening(rules=RULES, judge="rules", points=5))
    pass_time(host, 400)
    first = await send(host, room, guests[0], {"n": 4})
    await send(host, room, guests[1], {"n": 3})
    assert first.elapsed_ms == 400
    with pytest.raises(Conflict, match="stands") as again:
        await send(host, room, guests[0], {"n": 4})
    assert again.value.code == "ALREADY_ANSWERED"
    pass_time(host, 9_600)
    with pytest.raises(Conflict) as late:
        await send(host, room, guests[2], {"n": 4})
    assert late.value.code == "WINDOW_CLOSED"
    await jobs.run_due()
    window = await window_of(host, room)
    assert (window.status, window.decided_by) == (WindowStatus.CLOSED, DecidedBy.APP)
    assert [row.verdict for row in await submissions_of(host, window)] == ["right", "wrong"]
    assert await points(host, *guests) == [5, 0, 0]
    (asked,) = app.closed
    assert asked.submissions.verdict == ("right", "wrong")
    types = [event.type for event in await host.events(room.id)]
    assert types[-4:] == ["window:tallying", "window:closed", "scores:changed", "standings:changed"]


async def test_the_app_settles_with_verdicts_in_bulk_and_its_events_come_in_between(
    host, room, guests, app, jobs
):
    app.closing = lambda asked: {
        "effects": [{"effect": "emit", "type": "desk:said", "payload": {"n": 1}}],
        "verdicts": {
            "submissionId": list(asked.submissions.id),
            "verdict": ["right", "none"],
            "points": [7, -2],
        },
    }
    await do(host, room, opening())
    await send(host, room, guests[0], {"n": 1})
    await send(host, room, guests[1], {"n": 2})
    pass_time(host, 10_000)
    await jobs.run_due()
    assert await points(host, *guests) == [7, -2, 0]
    types = [event.type for event in await host.events(room.id)]
    assert types[-6:] == [
        "window:tallying", "window:closed", "desk:said",
        "scores:changed", "scores:changed", "standings:changed",
    ]  # fmt: skip


async def test_the_first_right_answer_closes_the_window(host, room, guests, app, jobs):
    await do(host, room, opening(rules=RULES, closeOn="firstRight", judge="rules", points=1))
    await send(host, room, guests[0], {"n": 1})
    await send(host, room, guests[1], {"n": 4})
    with pytest.raises(Conflict):
        await send(host, room, guests[2], {"n": 4})
    await jobs.run_due()
    assert await points(host, *guests) == [0, 1, 0]
    assert app.closed[0].window.closed_by == "firstRight"


async def test_of_a_hundred_at_once_the_lowest_in_commit_order_is_first(host, room, app, jobs):
    guests = await host.guests(room, 40)
    await do(host, room, opening(rules=RULES, closeOn="firstRight", judge="rules", points=1))
    answers = await asyncio.gather(
        *(send(host, room, guest, {"n": 4}) for guest in guests), return_exceptions=True
    )
    accepted = [each for each in answers if not isinstance(each, Exception)]
    assert len(accepted) == 1
    assert answers[0] is accepted[0]


async def test_everyone_who_may_answer_has(host, room, guests, app, jobs):
    await do(host, room, opening(closeOn="everyoneAnswered", durationMs=None))
    for guest in guests:
        assert (await window_of(host, room)).status == "open"
        await send(host, room, guest, {"n": 1})
    await jobs.run_due()
    assert (await window_of(host, room)).status == "closed"


async def test_the_latest_counts_and_a_bad_one_fails_alone(host, room, guests, app, jobs):
    await do(host, room, opening(submissions="latest", judge="rules", rules=RULES, points=3))
    outcomes = await asyncio.gather(
        send(host, room, guests[0], {"n": 1}),
        send(host, room, guests[1], {"n": "x"}),
        send(host, room, guests[0], {"n": 4}),
        send(host, room, guests[2], {"n": 4}),
        return_exceptions=True,
    )
    assert isinstance(outcomes[1], Invalid)
    pass_time(host, 1)
    await send(host, room, guests[2], {"n": 5})
    pass_time(host, 10_000)
    await jobs.run_due()
    assert await points(host, *guests) == [3, 0, 0]
    rows = await submissions_of(host, await window_of(host, room))
    assert [row.counts for row in rows] == [False, True, False, True]


async def test_the_app_judges_one_by_one(host, room, guests, app, jobs):
    app.judging = lambda asked: {
        "verdict": "right" if asked.submission.payload["n"] > 5 else "wrong",
        "points": asked.submission.payload["n"],
    }
    await do(host, room, opening(judge="app", submissions="many", data={"secret": 1}))
    for number in (3, 6, 9):
        await send(host, room, guests[0], {"n": number})
    pass_time(host, 10_000)
    await jobs.run_due()
    assert await points(host, *guests) == [18, 0, 0]
    assert len({each.submission.id for each in app.judged}) == 3
    assert app.judged[0].window.data == {"secret": 1}


async def test_too_early_uses_nothing_up(host, room, guests):
    await do(host, room, opening(minElapsedMs=200, opensInMs=1000))
    pass_time(host, 1_100)
    with pytest.raises(Conflict) as early:
        await send(host, room, guests[0], {"n": 1})
    assert (early.value.code, early.value.details) == ("TOO_EARLY", {"retryAfterMs": 100})
    pass_time(host, 100)
    assert (await send(host, room, guests[0], {"n": 1})).elapsed_ms == 200


async def test_who_may_not_answer_is_told_so(host, room, guests, app):
    await do(host, room, opening(participants=[guests[0].participant.id]))
    await send(host, room, guests[0], {"n": 1})
    with pytest.raises(Forbidden):
        await send(host, room, guests[1], {"n": 1})
    with pytest.raises(NotFound):
        await send(host, room, guests[1], {"n": 1}, "other")


async def test_a_pause_stops_time(host, room, guests, app, jobs):
    await do(host, room, opening())
    pass_time(host, 4_000)
    await commands.pause(host.services, room.id, host.organizer, "w")
    pass_time(host, 60_000)
    await jobs.run_due()
    with pytest.raises(Conflict) as paused:
        await send(host, room, guests[0], {"n": 1})
    assert paused.value.code == "WINDOW_PAUSED"
    await commands.resume(host.services, room.id, host.organizer, "w")
    pass_time(host, 5_999)
    assert (await send(host, room, guests[0], {"n": 1})).elapsed_ms == 9_999
    pass_time(host, 1)
    await jobs.run_due()
    assert (await window_of(host, room)).status == "closed"


async def test_a_broken_app_keeps_nobody_from_closing(host, room, guests, app, jobs):
    def broken(_):
        raise ValueError

    app.closing = broken
    await do(host, room, opening(rules=RULES, points=2))
    await send(host, room, guests[0], {"n": 4})
    await commands.close(host.services, room.id, host.organizer, "w")
    await jobs.run_due()
    assert (await window_of(host, room)).status == "tallying"
    await commands.settle(host.services, room.id, host.organizer, "w")
    assert await points(host, *guests) == [2, 0, 0]
    await jobs.run_due()
    assert ("settled", "w") in app.told
    assert len(app.closed) == 1


async def test_results_wait_to_be_revealed(host, room, guests, app, jobs):
    app.closing = lambda asked: {
        "effects": [
            {"effect": "adjust", "participantId": guests[1].participant.id, "points": 3,
             "reason": "style"},
        ],
    }  # fmt: skip
    await do(host, room, opening(rules=RULES, judge="rules", points=2, results="onReveal"))
    await send(host, room, guests[0], {"n": 4})
    pass_time(host, 10_000)
    await jobs.run_due()
    assert (await window_of(host, room)).status == "closed"
    assert await points(host, *guests) == [0, 0, 0]
    await commands.reveal(host.services, room.id, host.organizer, "w")
    assert await points(host, *guests) == [2, 3, 0]


async def test_results_reveal_themselves_after_ten_minutes(host, room, guests, app, jobs):
    await do(host, room, opening(rules=RULES, judge="rules", points=2, results="onReveal"))
    await send(host, room, guests[0], {"n": 4})
    pass_time(host, 10_000)
    await jobs.run_due()
    pass_time(host, 600_000)
    await jobs.run_due()
    assert await points(host, *guests) == [2, 0, 0]


async def test_a_wrong_key_is_corrected(host, room, guests, app, jobs):
    await do(host, room, opening(rules=RULES, judge="rules", points=2))
    await send(host, room, guests[0], {"n": 4})
    await send(host, room, guests[1], {"n": 5})
    pass_time(host, 10_000)
    await jobs.run_due()
    rules = {"properties": {"n": {"const": 5}}}
    await commands.rejudge(host.services, room.id, host.organizer, "w", rules=rules)
    assert await points(host, *guests) == [0, 2, 0]
    await commands.rejudge(host.services, room.id, host.organizer, "w", void=True)
    assert await points(host, *guests) == [0, 0, 0]
    deltas = [
        (event.payload["participantId"], event.payload["points"])
        for event in await host.events(room.id, "scores:changed")
    ]
    mine, yours = guests[0].participant.id, guests[1].participant.id
    assert sorted(deltas) == sorted([(mine, 2), (mine, -2), (yours, 2), (yours, -2)])


async def test_a_repeated_request_gets_its_first_answer(host, room, guests):
    await do(host, room, opening(submissions="many"))
    first = await send(host, room, guests[0], {"n": 1}, key="k")
    pass_time(host, 20_000)
    assert await send(host, room, guests[0], {"n": 1}, key="k") == first
    with pytest.raises(MymozhemError) as other:
        await send(host, room, guests[0], {"n": 2}, key="k")
    assert other.value.code == "IDEMPOTENCY_MISMATCH"


async def test_where_nobody_is_left_who_could_be_right_the_wait_for_the_first_ends(
    host, room, guests, app, jobs
):
    await do(host, room, opening(rules=RULES, closeOn="firstRight", judge="rules"))
    for guest in guests:
        await send(host, room, guest, {"n": 1})
    await jobs.run_due()
    assert app.closed[0].window.closed_by == "everyoneAnswered"
