"""Calls that wait for their app: asked again as they were, answered late, or asked afresh."""

import asyncio
import threading

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from mymozhem.contract import PrizeCount, Refuse, SetState
from mymozhem.dispatch.outcome import CallFailed, FailureKind
from mymozhem.errors import Invalid, NotFound
from mymozhem.registry import kill_switch
from mymozhem.registry.catalog_source import Source
from mymozhem.rooms import timers
from mymozhem.rooms.app_calls import retry
from mymozhem.rooms.app_calls.late_answers import CallbackOutcome
from mymozhem.rooms.core.transaction import room_transaction
from mymozhem.rooms.draws import commands
from mymozhem.rooms.draws.commands import DrawRequest
from mymozhem.rooms.effects import apply_effects
from mymozhem.rooms.participants.erase import erase_person
from mymozhem.rooms.prizes.manage import NewPrize, add_prize
from mymozhem.rooms.tables.draws import DrawRow
from mymozhem.rooms.tables.prizes import WinnerRow
from mymozhem.rooms.tables.timers import TimerRow
from mymozhem.rooms.windows import commands as window_commands
from mymozhem.rooms.windows import rejudge
from mymozhem.rooms.windows.queries import find_window
from tests.support.apps.draw_app import in_order
from tests.support.apps.slow_app import SAID, SlowApp, make_slow_host
from tests.support.apps.window_app import opening, send
from tests.support.host import principal


@pytest.fixture(autouse=True)
def quiet():
    with capture_logs():
        yield


@pytest.fixture
async def den(database, clock, tmp_path):
    den = await make_slow_host(database, clock, tmp_path, SlowApp())
    yield den
    await den.close()


async def cause_window(den):
    guest = await den.host.guest(den.room)
    await den.do(opening(durationMs=10))
    await send(den.host, den.room, guest, {"n": 4})
    den.clock.advance(0.01)


async def cause_timer(den):
    async with room_transaction(den.host.services, den.room.id) as transaction:
        await timers.schedule(transaction, "bell", after_ms=0, payload={"n": 1})


async def cause_change(den):
    await den.host.prize(den.room)


async def cause_draw(den):
    for name in ("Ada", "Bob", "Cyd"):
        await den.host.guest(den.room, name)
    async with room_transaction(den.host.services, den.room.id) as transaction:
        prize = await add_prize(transaction, NewPrize("Bicycle", quantity=2))
        wish = DrawRequest(prizes=(PrizeCount(prize_id=prize.id, count=2),), key="d", run=True)
        await commands.request(transaction, wish)


KINDS = {
    "close_window": cause_window,
    "on_timer": cause_timer,
    "on_room_changed": cause_change,
    "select_winners": cause_draw,
}
HOOKS = pytest.mark.parametrize("hook", KINDS)


async def decided(den, hook):
    """Tell whether what was asked for is done, by the app's own word."""
    if hook == "select_winners":
        [draw] = await rows(den, DrawRow)
        return draw.decided_by == "app" and await den.host.count(WinnerRow) == 2
    return len(await den.told("sloth:said")) == 1


async def rows(den, table):
    async with den.host.services.database.read() as session:
        return list(await session.scalars(select(table)))


async def move_on(den, n=1):
    async with room_transaction(den.host.services, den.room.id) as transaction:
        await apply_effects(transaction, [SetState(public={"n": n})])


@HOOKS
async def test_the_same_is_asked_again_by_the_same_id_also_after_a_restart(den, hook):
    app = SlowApp()
    with den.app.sleeping(hook):
        await KINDS[hook](den)
        for wait in (0, 0.5, 2):
            await den.later(wait)
        first = den.app.calls(hook)
        assert len(first) == 3
        assert len(set(first)) == 1
        [row] = await den.queued()
        assert (row.call_id, row.attempts, row.hook) == (first[0].call_id, 3, hook)
        den2 = await den.restarted(app)
        await den2.later(5)
    assert app.calls(hook) == first[:1]
    assert await decided(den2, hook)
    assert await den2.queued() == []
    [used] = await den2.told("app:fallback_used")
    assert (used["hook"], used["decidedBy"], used["callId"]) == (hook, "queue", first[0].call_id)
    await den2.close()


@HOOKS
async def test_an_answer_that_comes_late_counts_and_the_app_is_not_asked_again(den, hook):
    with den.app.sleeping(hook):
        await KINDS[hook](den)
        await den.later(0)
        assert len(await den.queued()) == 1
    await den.arrived()
    await den.later(0)  # at once, not when its time comes
    assert await decided(den, hook)
    assert len(den.app.calls(hook)) == 1
    assert await den.queued() == []
    assert await den.told("app:late_answer") == []


@HOOKS
async def test_a_late_answer_of_an_app_that_was_stopped_meanwhile_does_not_count(den, hook):
    services = den.host.services
    with den.app.sleeping(hook):
        await KINDS[hook](den)
        await den.later(0)
        async with services.database.write() as unit:
            await kill_switch.stop(unit, "sloth", "it draws the wrong people")
        await services.catalog.follow(Source(services.database, services.keys))
    await den.arrived()
    await den.later(0.5)
    assert not await decided(den, hook)
    [row] = await den.queued()
    assert row.answer is None
    [late] = await den.told("app:late_answer")
    assert (late["callId"], late["decidedBy"]) == (row.call_id, "queue")


@pytest.mark.parametrize("hook", [hook for hook in KINDS if hook != "select_winners"])
async def test_once_the_room_has_moved_on_a_late_answer_is_of_no_use(den, hook):
    with den.app.sleeping(hook):
        await KINDS[hook](den)
        await den.later(0)
        await move_on(den)
    await den.arrived()
    [row] = await den.queued()
    assert row.answer is not None
    await den.later(0)
    old, new = den.app.calls(hook)
    assert old.call_id != new.call_id
    assert old.body != new.body
    assert await decided(den, hook)
    assert await den.queued() == []


async def test_a_room_that_moves_on_between_attempts_has_the_new_question_kept(den):
    with den.app.sleeping("on_timer"):
        await cause_timer(den)
        await den.later(0)
        await move_on(den)
        await den.later(0.5)
        await den.later(2)
        ids = [call.call_id for call in den.app.calls("on_timer")]
        assert ids[0] != ids[1] == ids[2]
        [row] = await den.queued()
        assert (row.call_id, row.attempts) == (ids[1], 2)


WRONG = {
    "nonsense": lambda *_: "soup",
    "undeclared": lambda *_: {"effects": [SAID, {"effect": "emit", "type": "sloth:x"}]},
}


@pytest.mark.parametrize("way", WRONG)
@pytest.mark.parametrize("hook", ["close_window", "on_timer"])
async def test_an_answer_of_no_use_is_asked_for_afresh(den, hook, way):
    den.app.answers[hook] = WRONG[way]
    await KINDS[hook](den)
    await den.later(0)
    assert await den.queued() == []
    del den.app.answers[hook]
    await den.later(0.5)
    old, new = den.app.calls(hook)
    assert old.call_id != new.call_id
    assert await decided(den, hook)


@pytest.mark.parametrize("hook", ["close_window", "on_timer"])
async def test_a_late_answer_that_cannot_be_applied_is_asked_for_afresh(den, hook):
    den.app.answers[hook] = WRONG["undeclared"]
    with den.app.sleeping(hook):
        await KINDS[hook](den)
        await den.later(0)
    await den.arrived()
    await den.later(0)
    assert await den.queued() == []
    del den.app.answers[hook]
    await den.later(2)
    old, new = den.app.calls(hook)
    assert old.call_id != new.call_id
    assert await decided(den, hook)


async def test_a_late_answer_that_is_nonsense_leaves_the_call_queued(den):
    den.app.answers["on_timer"] = WRONG["nonsense"]
    with den.app.sleeping("on_timer"):
        await cause_timer(den)
        await den.later(0)
    del den.app.answers["on_timer"]
    await den.later(0.5)
    assert len(set(den.app.calls("on_timer"))) == 1
    assert await decided(den, "on_timer")


async def test_a_late_refusal_settles_what_was_queued(den):
    def refuse(*_):
        raise Refuse("NO", "Not today.")

    den.app.answers["close_window"] = refuse
    with den.app.sleeping("close_window"):
        await cause_window(den)
        await den.later(0)
    await den.arrived()
    await den.later(0)
    [closed] = await den.told("window:closed")
    assert closed["decidedBy"] == "platform"
    assert (await den.told("app:fallback_used"))[-1]["code"] == "NO"
    assert len(den.app.calls("close_window")) == 1


async def settle(den):
    act = window_commands.settle
    await act(den.host.services, den.room.id, den.host.organizer, "w")


async def void_window(den):
    async with room_transaction(den.host.services, den.room.id) as transaction:
        window = await find_window(transaction.session, den.room.id, "w")
        await rejudge.void(transaction, window)


async def replace_timer(den):
    async with room_transaction(den.host.services, den.room.id) as transaction:
        await timers.schedule(transaction, "bell", after_ms=60_000, payload={})


async def cancel_timer(den):
    async with room_transaction(den.host.services, den.room.id) as transaction:
        await timers.cancel(transaction, "bell")


async def void_draw(den):
    async with room_transaction(den.host.services, den.room.id) as transaction:
        await commands.void(transaction, await commands.by_key(transaction, "d"), "enough")


MEANWHILE = [
    ("close_window", settle), ("close_window", void_window), ("on_timer", replace_timer),
    ("on_timer", cancel_timer), ("select_winners", void_draw),
]  # fmt: skip


@pytest.mark.parametrize(("hook", "act"), MEANWHILE)
async def test_what_others_have_settled_meanwhile_is_recorded_and_not_applied(den, hook, act):
    with den.app.sleeping(hook):
        await KINDS[hook](den)
        await den.later(0)
        await act(den)
        assert await den.queued() == []
    await den.arrived()
    [event] = await den.host.events(den.room.id, "app:late_answer")
    [used] = await den.told("app:fallback_used")
    assert event.stream == "organizer"
    assert event.payload == {
        "hook": hook, "callId": used["callId"], "decidedBy": "queue", "lateMs": 0,
        "outcome": "answered",
    }  # fmt: skip
    await den.later(5)
    assert not await decided_at_all(den, hook)
    assert len(den.app.calls(hook)) == 1


async def decided_at_all(den, hook):
    if hook == "select_winners":
        return bool(await den.host.count(WinnerRow))
    return bool(await den.told("sloth:said"))


async def test_who_is_let_in_for_review_stays_so_whatever_the_app_says_later(den):
    with den.app.sleeping("register_participant"):
        joined = await den.host.guest(den.room)
        assert joined.participant.status == "pending"
    await den.arrived()
    [used], [late] = await den.told("app:fallback_used"), await den.told("app:late_answer")
    assert used["callId"] == late["callId"]
    assert (late["decidedBy"], late["outcome"]) == ("review", "answered")
    assert den.app.calls("register_participant")[0].call_id == used["callId"]
    again = await den.host.events(den.room.id, "participant:updated")
    assert again == []


async def test_a_late_answer_about_a_deleted_room_or_none_is_nothing(den):
    with den.app.sleeping("validate_settings"):
        await den.host.room("sloth")
        room = await den.host.room("sloth")
        await den.host.change(room.id, settings={"words": []})
        async with room_transaction(den.host.services, room.id) as transaction:
            transaction.room.deleted_at = transaction.now
    await den.arrived(3)
    assert await den.told("app:late_answer") == []


async def test_somebody_who_is_erased_is_in_no_kept_question(den):
    with den.app.sleeping("close_window"):
        guest = await den.host.guest(den.room)
        await den.do(opening(durationMs=10))
        await send(den.host, den.room, guest, {"n": 4, "text": "call me"})
        await den.later(0.01)
        [row] = await den.queued()
        assert "call me" in row.request
        await erase_person(den.host.services, principal(guest), guest.user_id)
        assert await den.queued() == []
    await den.arrived()
    await den.later(0.5)
    old, new = den.app.calls("close_window")
    assert old.call_id != new.call_id
    assert "call me" not in new.body


async def test_what_the_host_keeps_secret_is_not_kept_with_the_question(den):
    with den.app.sleeping("select_winners", "on_timer"):
        await cause_draw(den)
        await cause_timer(den)
        await den.later(0)
        for row in await den.queued():
            assert '"seed"' not in row.context
            assert '"seed"' not in row.request
            assert '"tickets"' not in row.request
        await den.later(0.5)
    for hook in ("select_winners", "on_timer"):
        first, second = den.app.calls(hook)
        assert first == second
        assert '"seed": "' in first.body


async def test_organizers_have_all_that_waits_asked_again_draws_too(den):
    with den.app.sleeping("select_winners", "close_window"):
        await cause_draw(den)
        await den.later(0)
        await cause_window(den)
        await den.later(0.01)
        async with den.host.services.database.read() as session:
            assert await retry.count_pending(session, den.room.id) == 2
    async with room_transaction(den.host.services, den.room.id) as transaction:
        assert await retry.retry_now(transaction) == 2
    await den.arrived(2)
    await den.later(0)
    assert await decided(den, "select_winners")
    assert len(await den.told("window:closed")) == 1


def said(*_):
    return b'{"effects": [{"effect": "emit", "type": "sloth:said", "payload": {}}]}'


def draw_in_order(context, request):
    return in_order(context, request).model_dump_json(by_alias=True).encode()


def accept(*_):
    """Fail as the transport does for a 202."""
    raise CallFailed(FailureKind.ACCEPTED, "The app has taken the question.")


class TestCallbacks:
    async def test_one_that_is_queued_is_kept_and_its_callback_counts(self, den):
        den.app.answers["on_timer"] = accept
        await cause_timer(den)
        await den.later(0)
        [row], [timer] = await den.queued(), await rows(den, TimerRow)
        assert (timer.next_at - den.clock.now()).total_seconds() == 60
        with pytest.raises(NotFound):
            await den.late.accept_callback("quiz", row.call_id, b"null")
        with pytest.raises(Invalid) as refused:
            await den.late.accept_callback("sloth", row.call_id, b'{"effects": 7}')
        assert refused.value.code == "APP_BAD_RESULT"
        for _ in range(2):
            assert (
                await den.late.accept_callback("sloth", row.call_id, said())
                is CallbackOutcome.COUNTS
            )
        await den.later(0)
        assert await decided(den, "on_timer")
        assert len(den.app.calls("on_timer")) == 1
        with pytest.raises(NotFound):
            await den.late.accept_callback("sloth", row.call_id, said())

    async def test_one_that_comes_before_our_own_commit_waits_for_it(self, den):
        callbacks = []

        def quick(context, _):
            take = den.late.accept_callback("sloth", context.call_id, b"null")
            callbacks.append(asyncio.run_coroutine_threadsafe(take, loop))
            accept()

        loop = asyncio.get_running_loop()
        den.app.answers["on_timer"] = quick
        await cause_timer(den)
        await den.later(0)
        assert await asyncio.wrap_future(callbacks[0]) is CallbackOutcome.COUNTS
        await den.later(0)
        assert await rows(den, TimerRow) == []

    @pytest.mark.parametrize("hook", ["close_window", "on_timer", "select_winners"])
    async def test_one_that_another_process_takes_while_the_app_is_asked_counts(self, den, hook):
        other = await den.beside(SlowApp())
        answers = {"select_winners": draw_in_order}
        taken = []

        def elsewhere(context, request):
            if len(den.app.calls(hook)) == 1:
                accept()
            data = answers.get(hook, said)(context, request)
            take = other.late.accept_callback("sloth", context.call_id, data)
            taken.append(asyncio.run_coroutine_threadsafe(take, loop).result(30))
            raise ValueError

        loop = asyncio.get_running_loop()
        den.app.answers[hook] = elsewhere
        await KINDS[hook](den)
        await den.later(0)
        await den.later(60)
        assert taken == [CallbackOutcome.COUNTS]
        assert await decided(den, hook)
        assert len(den.app.calls(hook)) == 2
        assert await den.queued() == []
        await other.close()

    async def test_where_somebody_waited_it_is_recorded_only(self, den):
        den.app.answers["register_participant"] = accept
        joined = await den.host.guest(den.room)
        assert joined.participant.status == "pending"
        [used] = await den.told("app:fallback_used")
        assert used["code"] == "APP_ACCEPTED"
        outcome = await den.late.accept_callback("sloth", used["callId"], b'{"decision": "accept"}')
        assert outcome is CallbackOutcome.RECORDED
        [late] = await den.told("app:late_answer")
        assert (late["callId"], late["outcome"]) == (used["callId"], "answered")


class TestAppRecovery:
    async def park(self, den):
        """Have a timer fail until it is parked."""

        def broken(*_):
            raise ValueError

        den.app.answers["on_timer"] = broken
        await cause_timer(den)
        for wait in (0, 0.5, 2, 5):
            await den.later(wait)
        assert len(den.app.calls("on_timer")) == 4

    async def test_the_first_success_lets_parked_calls_go(self, den):
        await self.park(den)
        await den.host.guest(den.room)
        await den.recovery.settled()
        del den.app.answers["on_timer"]
        await den.later(0)
        assert await decided(den, "on_timer")

    async def test_one_call_that_always_fails_is_not_asked_all_the_time(self, den):
        await self.park(den)
        for number in range(5):
            await den.host.guest(den.room, f"Guest {number}")
            await den.recovery.settled()
            await den.later(0)
        assert len(den.app.calls("on_timer")) == 5

    async def test_a_host_that_starts_knows_what_waits(self, den):
        await self.park(den)
        app = SlowApp()
        den2 = await den.restarted(app)
        await den2.host.guest(den.room)
        await den2.recovery.settled()
        await den2.later(0)
        assert await decided(den2, "on_timer")
        await den2.close()

    async def test_the_word_that_an_app_is_back_counts_in_all_rooms(self, den):
        await self.park(den)
        del den.app.answers["on_timer"]
        den.recovery.on_app_back("quiz")
        await den.recovery.settled()
        await den.later(0)
        assert len(den.app.calls("on_timer")) == 4
        den.recovery.on_app_back("sloth")
        await den.recovery.settled()
        await den.later(0)
        assert await decided(den, "on_timer")


async def test_others_do_not_wait_for_a_call_that_waits_for_its_app(den):
    entered, free = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def broken(*_):
        raise ValueError

    def slow(*_):
        loop.call_soon_threadsafe(entered.set)
        free.wait(30)
        return {"effects": [SAID]}

    den.app.answers["on_timer"] = broken
    await cause_timer(den)
    await den.later(0)
    den.app.answers["on_timer"] = slow
    attempt = asyncio.create_task(den.later(0.5))
    try:
        await entered.wait()
        await den.do(SAID)
        assert not attempt.done()
    finally:
        free.set()
        await attempt
    assert len(await den.told("sloth:said")) == 2
