"""Draws from the request to the record, on real services with the clock held."""

import pytest
from sqlalchemy import select

from mymozhem.contract import (
    DrawStatus,
    EntryRule,
    Level,
    Pick,
    PreparedDraw,
    RoomChangeRequest,
    RoomStatus,
    SelectWinnersResult,
    WinnerStatus,
    fair,
)
from mymozhem.errors import Conflict, Invalid, NotFound
from mymozhem.rooms.actions.perform import perform
from mymozhem.rooms.draws import commands
from mymozhem.rooms.draws.record import list_draws, record
from mymozhem.rooms.jobs.leases import release
from mymozhem.rooms.participants.add_people import (
    AT_ONCE,
    NewPerson,
    Seat,
    accept_people,
    add_people,
)
from mymozhem.rooms.participants.manage import PersonChanges, change_person
from mymozhem.rooms.prizes import winners
from mymozhem.rooms.prizes.manage import delete_prize
from mymozhem.rooms.tables.draws import DrawRow, RevealMode
from tests.support.apps.draw_app import DrawApp, break_down, listing, refuse

pytestmark = pytest.mark.both_engines


async def test_a_draw_is_committed_run_revealed_and_verified_by_a_stranger(event):
    prize = await event.host.prize(event.room, quantity=3)
    draw = await event.draw((prize, 2))
    assert draw.status is DrawStatus.REVEALED
    assert (draw.entry_count, draw.ticket_count, draw.link_index) == (6, 6, 1)
    assert (await event.verified(draw.id)).ok
    assert [win.participant_id for win in await event.wins()] == [
        pick["participantId"] for pick in draw.picks
    ]
    assert await event.left(prize) == 1
    assert await event.types(
        "draw:requested", "draw:committed", "winner:selected", "draw:revealed"
    ) == ["draw:requested", "draw:committed", "winner:selected", "winner:selected", "draw:revealed"]


async def test_a_sealed_result_is_in_no_view_count_event_or_need(event, app):
    prize = await event.host.prize(event.room, quantity=3)
    draw = await event.draw((prize, 2), reveal=RevealMode.MANUAL)
    assert draw.status is DrawStatus.DRAWN
    assert draw.picks is None
    assert draw.link is None
    assert await event.wins() == []
    assert await event.types("winner:selected", "draw:revealed") == []
    assert len(await event.wins(sealed=True)) == 2
    with pytest.raises(NotFound):
        await record(event.services, event.room.id, draw.id)
    for win in await event.wins(sealed=True):
        with pytest.raises(NotFound):
            await event.do(winners.revoke, win.id, reason="guess")


async def test_an_award_by_hand_tells_nothing_of_what_is_sealed(event):
    prize = await event.host.prize(event.room, quantity=10)
    draw = await event.draw((prize, 1), reveal=RevealMode.MANUAL)
    [sealed] = await event.wins(sealed=True)
    for person in event.people:
        await event.do(winners.award, participant_id=person, prize_id=prize, metadata={})
    await event.act(commands.reveal, draw.id)
    statuses = {(win.participant_id, win.draw_id): win.status for win in await event.wins()}
    assert statuses[(sealed.participant_id, draw.id)] is WinnerStatus.REVOKED
    assert statuses[(sealed.participant_id, None)] is WinnerStatus.AWARDED
    assert await event.left(prize) == 4
    assert (await event.verified(draw.id)).ok


async def test_prizes_are_revealed_one_by_one_and_the_link_comes_with_the_last(event):
    first, second = [await event.host.prize(event.room, name=name) for name in ("A", "B")]
    draw = await event.draw((first, 1), (second, 1), reveal=RevealMode.MANUAL)
    await event.act(commands.reveal, draw.id, [second])
    half = await event.see(draw.id, Level.PUBLIC)
    assert [pick["prizeId"] for pick in half.picks] == [second]
    assert (half.status, half.link, half.rule) == (DrawStatus.DRAWN, None, None)
    await event.act(commands.reveal, draw.id, [second])
    await event.act(commands.reveal, draw.id)
    assert (await event.see(draw.id)).status is DrawStatus.REVEALED
    payloads = [each.payload for each in await event.host.events(event.room.id, "draw:revealed")]
    assert [each["complete"] for each in payloads] == [False, True]
    assert [each["link"] is None for each in payloads] == [True, False]
    with pytest.raises(Conflict, match="public already"):
        await event.act(commands.void, draw.id, "too late")


async def test_what_nobody_could_win_returns_with_the_complete_reveal(event):
    prize = await event.host.prize(event.room, quantity=9)
    draw = await event.draw((prize, 9), reveal=RevealMode.MANUAL)
    assert await event.left(prize) == 0
    await event.act(commands.reveal, draw.id)
    assert await event.left(prize) == 3


class Told(DrawApp):
    changes = ("winner",)


@pytest.mark.parametrize("app", [Told()])
async def test_an_app_is_told_of_many_wins_a_thousand_at_a_time(event, app):
    app.asked.clear()
    prize = await event.host.prize(event.room, quantity=2_000)
    more = tuple(NewPerson(f"Guest {number}") for number in range(1_000))
    await add_people(event.services, event.room.id, event.host.organizer, more)
    draw = await event.draw((prize, 2_000))
    told = [asked.change.wins for asked in app.asked if isinstance(asked, RoomChangeRequest)]
    assert [len(wins.winner_id) for wins in told] == [1_000, 6]
    assert [who for wins in told for who in wins.participant_id] == [
        pick["participantId"] for pick in draw.picks
    ]


async def test_a_draw_waits_until_an_import_is_complete(event):
    count = 2 * AT_ONCE
    seats = [Seat(f"part_{number:05}", f"P {number}", {}) for number in range(count)]
    await accept_people(event.services, event.room.id, event.host.organizer, seats)
    draw = await event.draw((await event.host.prize(event.room), 1))
    assert draw.status is DrawStatus.REQUESTED

    await release(event.services.database, None)  # as if the process of the import had died
    await event.jobs.run_due()
    event.services.clock.advance(1)
    await event.jobs.run_due()
    drawn = await event.see(draw.id)
    assert drawn.status is DrawStatus.REVEALED
    assert drawn.entry_count == count + len(event.people)


async def test_a_redraw_leaves_out_everybody_who_was_drawn_for_that_prize(event):
    prize = await event.host.prize(event.room)
    drawn = []
    replaces = None
    for _ in event.people:
        draw = await event.draw(*(() if replaces else ((prize, 1),)), replaces=replaces)
        assert (await event.verified(draw.id)).ok
        [win] = [win for win in await event.wins() if win.draw_id == draw.id]
        drawn.append(win.participant_id)
        replaces = win.id
        await event.do(winners.revoke, win.id, reason="not here")
    assert sorted(drawn) == sorted(event.people)
    last = await event.draw(replaces=replaces)
    assert (last.status, last.held_code) == (DrawStatus.REQUESTED, "NO_ENTRIES")
    assert await event.left(prize) == 1
    with pytest.raises(Conflict, match="replaced by another"):
        await event.request(replaces=replaces)


async def test_only_a_revoked_win_is_drawn_again_and_only_its_prize(event):
    prize, other = await event.host.prize(event.room), await event.host.prize(event.room)
    await event.draw((prize, 1))
    [win] = await event.wins()
    with pytest.raises(Conflict, match="stands"):
        await event.request(replaces=win.id)
    await event.do(winners.revoke, win.id, reason="not here")
    with pytest.raises(Invalid):
        await event.request((other, 1), replaces=win.id)


async def test_a_draw_waits_for_the_one_before_it_since_links_are_shown_in_order(event):
    prize = await event.host.prize(event.room, quantity=3)
    first = await event.request((prize, 1), key="first")
    second = await event.request((prize, 1), key="second", run=True)
    await event.jobs.run_due()
    assert (await event.see(first)).status is DrawStatus.COMMITTED
    assert (await event.see(second)).status is DrawStatus.REQUESTED
    with pytest.raises(NotFound):
        await event.see(second, Level.PUBLIC)
    await event.act(commands.run, first)
    await event.jobs.run_due()
    assert [(await event.see(each)).link_index for each in (first, second)] == [1, 2]
    async with event.services.database.read() as session:
        views, total = await list_draws(session, event.room.id, level=Level.PUBLIC)
    assert ([view.key for view in views], total) == (["second", "first"], 2)
    assert [view.picks for view in views] == [None, None]


async def test_a_void_is_public_shows_the_link_and_returns_what_was_reserved(event):
    prize = await event.host.prize(event.room, quantity=2)
    for reveal in (RevealMode.NOW, RevealMode.MANUAL):
        draw_id = await event.request((prize, 2), run=reveal is RevealMode.MANUAL, reveal=reveal)
        await event.jobs.run_due()
        assert await event.left(prize) == 0
        await event.act(commands.void, draw_id, "a chair was counted twice")
        await event.act(commands.void, draw_id, "once more")
        draw = await event.see(draw_id, Level.PUBLIC)
        assert draw.void_reason == "a chair was counted twice"
        link, anchor = bytes.fromhex(draw.link), bytes.fromhex(event.room.draw_anchor)
        assert fair.link_matches(link, draw.link_index, anchor)
        assert await event.left(prize) == 2
        assert await event.wins(sealed=True) == []
        await event.jobs.run_due()
        with pytest.raises(Conflict):
            await event.act(commands.run, draw_id)
    assert len(await event.types("draw:voided")) == 2


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (break_down, "APP_FAILED"),
        (refuse, "NOT_NOW"),
        (lambda *_: listing(("part_stranger", 1)), "NOT_A_CANDIDATE"),
        (lambda _, asked: listing(*[(asked.candidates.id[0], 1)] * 2), "ENTRY_TWICE"),
        (lambda *_: PreparedDraw(algorithm="rfc3797"), "RULE_INVALID"),
        (lambda *_: {"entries": {"where": {"type": "nonsense"}}}, "WHERE_REFUSED"),
        (lambda *_: {"entries": {"where": False}}, "APP_BAD_RESULT"),
        (lambda *_: {"entries": {"tickets": 10_000_000}}, "DRAW_TOO_LARGE"),
        (lambda *_: {"entries": {"where": {"required": ["x"]}}}, "NO_ENTRIES"),
    ],
)
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_a_draw_that_cannot_be_prepared_is_held_until_it_is_retried(event, app, answer, code):
    prize = await event.host.prize(event.room)
    app.behaviour["prepare"] = answer
    draw = await event.draw((prize, 1))
    assert (draw.status, draw.held_code) == (DrawStatus.REQUESTED, code)
    assert await event.left(prize) == 1
    assert await event.types("draw:held") == ["draw:held"]
    app.behaviour.clear()
    await event.act(commands.retry, draw.id, platform=False)
    await event.jobs.run_due()
    assert (await event.see(draw.id)).status is DrawStatus.REVEALED


async def test_a_draw_waits_until_tickets_are_whole_numbers(event, app):
    prize = await event.host.prize(event.room)
    rule = {"entries": {"tickets": {"field": "shares", "default": 2}}}
    app.behaviour["prepare"] = lambda *_: rule
    person = event.people[0]

    async def give(shares):
        changes = PersonChanges(metadata={"Shares": shares})
        organizer = event.host.organizer
        await change_person(event.services, event.room.id, organizer, person, changes)

    await give("many")
    draw = await event.draw((prize, 1))
    assert (draw.status, draw.held_code) == (DrawStatus.REQUESTED, "TICKETS_UNREADABLE")
    await give("7.0")
    await event.act(commands.retry, draw.id, platform=False)
    await event.jobs.run_due()
    found = await event.see(draw.id)
    assert (found.status, found.ticket_count) == (DrawStatus.REVEALED, 5 * 2 + 7)


async def test_with_consent_a_held_draw_goes_on_with_equal_tickets_and_without_the_app(event, app):
    prize = await event.host.prize(event.room)
    app.behaviour["prepare"] = break_down
    held = await event.draw((prize, 1))
    other = await event.request((prize, 1))
    await event.act(commands.void, other, "not needed")
    asked = len(app.asked)
    await event.act(commands.retry, held.id, platform=True)
    await event.jobs.run_due()
    draw = await event.see(held.id)
    assert (draw.status, draw.ticket_count) == (DrawStatus.REVEALED, 6)
    assert len(app.asked) == asked
    with pytest.raises(Conflict):
        await event.act(commands.retry, held.id, platform=True)


async def test_consent_given_to_a_draw_that_is_not_held_does_not_bypass_the_app(event, app):
    prize = await event.host.prize(event.room)
    app.behaviour["prepare"] = lambda *_: PreparedDraw(entries=EntryRule(tickets=3))
    draw_id = await event.request((prize, 1), run=True)
    await event.act(commands.retry, draw_id, platform=True)
    await event.jobs.run_due()
    assert (await event.see(draw_id)).ticket_count == 18


async def test_a_draw_of_a_prize_that_was_deleted_meanwhile_is_held_as_a_whole(event):
    first, second = [await event.host.prize(event.room, name=name) for name in ("A", "B")]
    draw_id = await event.request((first, 1), (second, 1), run=True)
    await delete_prize(event.services, event.room.id, event.host.organizer, second)
    await event.jobs.run_due()
    draw = await event.see(draw_id)
    assert (draw.status, draw.held_code) == (DrawStatus.REQUESTED, "PRIZE_NOT_FOUND")


async def test_people_may_win_several_prizes_where_the_app_says_so(event, app):
    app.behaviour["prepare"] = lambda *_: PreparedDraw(each="perPrize")
    prizes = [await event.host.prize(event.room, quantity=6, name=name) for name in "AB"]
    draw = await event.draw(*((prize, 6) for prize in prizes))
    assert len(draw.picks) == 12
    assert (await event.verified(draw.id)).ok


async def test_whoever_holds_a_prize_is_left_out_of_draws_of_it(event):
    prize = await event.host.prize(event.room, quantity=6)
    for count in range(1, 7):
        await event.draw((prize, 1))
        assert len({win.participant_id for win in await event.wins()}) == count


async def test_an_algorithm_of_the_apps_own_says_plainly_that_nobody_can_verify_it(event, app):
    app.behaviour["prepare"] = lambda *_: PreparedDraw(algorithm="app")
    prize = await event.host.prize(event.room, quantity=2)
    draw = await event.draw((prize, 2))
    assert [pick["participantId"] for pick in draw.picks] == event.people[:2]
    assert (await event.verified(draw.id)).verdict is fair.Verdict.NOT_VERIFIABLE


def _strangers(_, request):
    return SelectWinnersResult(
        picks=(Pick(prize_id=request.prizes[0].prize_id, participant_id="part_x"),)
    )


def _twice(_, request):
    pick = Pick(prize_id=request.prizes[0].prize_id, participant_id=request.participants[0])
    return SelectWinnersResult(picks=(pick, pick))


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "answer",
    [break_down, refuse, _strangers, _twice, lambda *_: SelectWinnersResult(picks=())],
)
async def test_where_an_app_lies_about_winners_the_announced_fallback_decides(event, app, answer):
    app.behaviour |= {"prepare": lambda *_: PreparedDraw(algorithm="app"), "select": answer}
    prize = await event.host.prize(event.room, quantity=2)
    draw = await event.draw((prize, 2))
    assert draw.status is DrawStatus.REVEALED
    assert (await event.verified(draw.id)).ok
    assert await event.types("app:fallback_used") == ["app:fallback_used"]


class Patient(DrawApp):
    policies = {"winnerSelection": {"onFailure": "queue"}}


@pytest.mark.parametrize("app", [Patient()])
async def test_where_the_rule_says_queue_the_app_is_asked_until_it_is_back(event, app, clock):
    app.behaviour |= {"prepare": lambda *_: PreparedDraw(algorithm="app"), "select": break_down}
    prize = await event.host.prize(event.room)
    draw = await event.draw((prize, 1))
    assert draw.status is DrawStatus.COMMITTED
    assert await event.jobs.run_due() == 0
    clock.advance(0.5)
    assert await event.jobs.run_due() == 1
    del app.behaviour["select"]
    clock.advance(2)
    await event.jobs.run_due()
    assert (await event.see(draw.id)).status is DrawStatus.REVEALED
    assert await event.types("app:fallback_used") == ["app:fallback_used"]


async def test_a_key_names_one_draw_and_prizes_that_are_gone_are_refused_at_once(event):
    prize = await event.host.prize(event.room, quantity=2)
    await event.request((prize, 1), key="once")
    with pytest.raises(Conflict, match="another key"):
        await event.request((prize, 1), key="once")
    with pytest.raises(Conflict):
        await event.request((prize, 3))
    with pytest.raises(NotFound):
        await event.request(("prize_of_elsewhere", 1))
    with pytest.raises(Invalid):
        await event.request((prize, 1), (prize, 1))


async def test_all_that_is_left_is_what_is_left_at_the_commit(event):
    prize = await event.host.prize(event.room, quantity=2)
    draw_id = await event.request(run=True)
    await event.do(winners.award, participant_id=event.people[0], prize_id=prize, metadata={})
    await event.jobs.run_due()
    assert len((await event.see(draw_id)).picks) == 1
    assert await event.left(prize) == 0


async def test_whoever_leaves_after_the_commit_stays_an_entry(event, app):
    prize = await event.host.prize(event.room, quantity=6)
    draw_id = await event.request((prize, 6))
    await event.jobs.run_due()
    before = (await event.see(draw_id)).entry_count
    await event.host.guest(event.room, "Late")
    await event.act(commands.run, draw_id)
    await event.jobs.run_due()
    assert (await event.see(draw_id)).entry_count == before == 6


async def test_a_room_is_completed_without_open_draws_and_cancelled_with_their_links(event):
    prize = await event.host.prize(event.room, quantity=2)
    committed = await event.request((prize, 1))
    await event.jobs.run_due()
    requested = await event.request((prize, 1))
    with pytest.raises(Conflict, match="under way"):
        await event.host.change(event.room.id, status=RoomStatus.COMPLETED)
    await event.host.change(event.room.id, status=RoomStatus.CANCELLED)
    views = [await event.see(each) for each in (committed, requested)]
    assert {view.status for view in views} == {DrawStatus.VOIDED}
    assert [view.link is not None for view in views] == [True, False]
    assert await event.left(prize) == 2
    with pytest.raises(Conflict):
        await event.request((prize, 1))


async def test_a_redraw_may_follow_the_end(event):
    prize = await event.host.prize(event.room)
    await event.draw((prize, 1))
    [win] = await event.wins()
    await event.host.change(event.room.id, status=RoomStatus.COMPLETED)
    await event.do(winners.revoke, win.id, reason="never came")
    draw = await event.draw(replaces=win.id)
    assert draw.status is DrawStatus.REVEALED


async def test_an_action_asks_for_a_draw_and_its_second_key_undoes_everything(event, app):
    await event.host.prize(event.room)
    wish = {"effect": "draw", "key": "grand", "run": True}
    caller = event.host.organizer
    await perform(event.services, event.room.id, caller, "do", {"effects": [wish]})
    with pytest.raises(Conflict, match="another key"):
        await perform(event.services, event.room.id, caller, "do", {"effects": [wish]})
    await event.jobs.run_due()
    async with event.services.database.read() as session:
        draws = list(await session.scalars(select(DrawRow)))
    assert [(draw.key, draw.status) for draw in draws] == [("grand", DrawStatus.REVEALED)]
