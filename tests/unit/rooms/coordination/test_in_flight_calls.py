"""Calls that are open, and those that an app has accepted."""

import asyncio

from mymozhem.contract import DecidedBy
from mymozhem.dispatch.outcome import Failure, FailureKind, Outcome
from mymozhem.rooms.app_calls.pending import revision_fingerprint
from mymozhem.rooms.coordination import in_flight_calls
from mymozhem.rooms.coordination.in_flight_calls import AcceptedCall, InFlightCalls
from mymozhem.rooms.core.revision import Revision


def failed(call_id, kind=FailureKind.ACCEPTED):
    return Outcome(DecidedBy.REVIEW, call_id, failure=Failure(kind, "Later.", kind.value))


def note(in_flight, outcome):
    in_flight.note_accepted(outcome, app_id="quiz", hook="on_timer", room_id="room_1", at=1.0)


async def test_whoever_asks_for_an_open_call_waits_until_it_is_over():
    in_flight = InFlightCalls()
    with in_flight.track("call_1"):
        waits = asyncio.create_task(in_flight.wait_finished("call_1"))
        await in_flight.wait_finished("call_2")
        await asyncio.sleep(0)
        assert not waits.done()
    await waits
    await in_flight.wait_finished("call_1")


def test_only_what_was_accepted_is_remembered_for_its_app_and_once():
    in_flight = InFlightCalls()
    note(in_flight, failed("call_1"))
    note(in_flight, failed("call_2", FailureKind.TIMEOUT))
    note(in_flight, Outcome(DecidedBy.APP, "call_3"))
    assert in_flight.take_accepted("call_1", app_id="poll") is None
    found = in_flight.take_accepted("call_1", app_id="quiz")
    assert found == AcceptedCall("quiz", "on_timer", "room_1", DecidedBy.REVIEW, 1.0)
    for call_id in ("call_1", "call_2", "call_3"):
        assert in_flight.take_accepted(call_id, app_id="quiz") is None


def test_the_oldest_is_forgotten_where_there_are_too_many():
    in_flight = InFlightCalls()
    for number in range(in_flight_calls.MOST + 1):
        note(in_flight, failed(f"call_{number}"))
    assert in_flight.take_accepted("call_0", app_id="quiz") is None
    assert in_flight.take_accepted("call_1", app_id="quiz") is not None


def test_what_an_answer_is_computed_from_is_written_down_the_same_each_time():
    one, other = (Revision("ACTIVE", "lock_1", 1, state, None) for state in (1, 2))
    assert revision_fingerprint(one) == revision_fingerprint(
        Revision("ACTIVE", "lock_1", 1, 1, None)
    )
    assert revision_fingerprint(one) != revision_fingerprint(other)
    assert revision_fingerprint("a digest") == '"a digest"'


async def test_a_kept_call_that_is_asked_twice_is_over_with_each():
    in_flight = InFlightCalls()
    first = in_flight.track("call_1")
    first.__enter__()
    with in_flight.track("call_1"):
        first.__exit__(None, None, None)
        waits = asyncio.create_task(in_flight.wait_finished("call_1"))
        await asyncio.sleep(0)
        assert not waits.done()
    await waits
