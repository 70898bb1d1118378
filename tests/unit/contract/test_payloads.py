"""Requests and results are frozen, camelCase on the wire, and come back as they went."""

import json
from datetime import UTC, datetime

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from mymozhem import contract
from mymozhem.contract import HOOKS, Context, Effect, Effects, Participants, Reserves, Submissions
from mymozhem.contract.events import HOST_EVENTS
from mymozhem.contract.fair.wire import Wire as FairWire
from mymozhem.contract.payloads import Answer, Candidates
from mymozhem.contract.wire import Wire

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
TYPES = [
    found for name in contract.__all__
    if isinstance(found := getattr(contract, name), type) and issubclass(found, BaseModel)
]  # fmt: skip

CONTEXT = {
    "contract": "1.0",
    "callId": "c1",
    "app": {"id": "raffle", "version": "1.0.0"},
    "room": {
        "id": "r1", "name": "Room", "status": "ACTIVE", "locale": "en", "settings": {"a": 1},
        "state": {"public": {"b": 2}, "organizer": {}, "private": {}},
    },
    "actor": {
        "participantId": "p1", "role": "PARTICIPANT", "kind": "guest",
        "metadata": {}, "data": {"own": {"c": 3}, "private": {}},
    },
    "now": "2030-01-01T12:00:00Z",
    "receivedAt": "2030-01-01T12:00:00Z",
    "deadlineMs": 1500,
    "lock": "ab",
    "prizes": [{
        "id": "z1", "name": "Prize", "description": "", "quantity": 2, "quantityRemaining": 1,
        "metadata": {},
    }],
    "participants": {
        "id": ["p1"], "personId": ["x1"], "kind": ["guest"], "role": ["PARTICIPANT"],
        "status": ["active"], "joinedAt": ["2030-01-01T12:00:00Z"], "lastSeenAt": [None],
        "metadata": [{}], "data": [{"own": {}, "private": {}}], "points": [3],
    },
}  # fmt: skip

ANSWERS = {
    "validate_settings": {"problems": [{"pointer": "/a", "code": "A", "message": "no"}]},
    "import_settings": {"value": [1], "problems": [{"line": 1, "message": "no"}]},
    "migrate_settings": {"settings": {}, "state": {"public": {"a": 1}}, "notes": ["n"]},
    "register_participant": {"decision": "pending", "metadata": {}, "reason": "r"},
    "prepare_draw": {"entries": {"where": True, "except": ["p"], "tickets": 2}, "each": "once"},
    "select_winners": {"picks": [{"prizeId": "z", "participantId": "p"}]},
    "judge_submission": {"verdict": "right", "points": -1},
    "handle_action": {"effects": [{"effect": "award", "participantId": "p", "prizeId": "z"}]},
    "close_window": {"verdicts": {"submissionId": ["s"], "verdict": ["none"], "points": [0]}},
    "on_timer": {"effects": [{"effect": "schedule", "name": "t", "afterMs": 5}]},
    "on_room_changed": {"effects": [{"effect": "setState", "public": {}}]},
    "deliver_notification": {},
    "on_event": {},
    "check_health": {"status": "degraded", "details": {}},
}

REFUSED_EFFECTS = {
    "an unknown one": {"effect": "explode"},
    "no name at all": {"type": "raffle:a"},
    "an unknown field": {"effect": "cancel", "name": "t", "when": "now"},
    "two moments": {"effect": "schedule", "name": "t", "afterMs": 1, "at": "2030-01-01T00:00:00Z"},
    "no moment": {"effect": "schedule", "name": "t"},
    "no time zone": {"effect": "schedule", "name": "t", "at": "2030-01-01T00:00:00"},
    "arrays of two lengths": {"effect": "setParticipants", "participantId": ["p"], "own": []},
    "points in quotes": {"effect": "adjust", "participantId": "p", "points": "1", "reason": ""},
    "first right without rules": {
        "effect": "openWindow", "id": "w", "accepts": {}, "closeOn": "firstRight",
    },
    "nothing to rejudge by": {"effect": "rejudge", "windowId": "w"},
    "half a reserve": {"effect": "draw", "key": "k", "reserves": 0.5},
    "reserves without end": {"effect": "draw", "key": "k", "reserves": 1_001},
    "a note as long as a book": {"effect": "draw", "key": "k", "data": {"text": "x" * 4_086}},
    "no prize": {"effect": "award", "participantId": "p", "prizeId": ""},
}  # fmt: skip


def wire(value):
    return json.loads(value.model_dump_json(by_alias=True, exclude_none=True))


@pytest.mark.parametrize("found", TYPES, ids=lambda found: found.__name__)
def test_every_type_is_frozen_and_says_what_it_is(found):
    assert found.model_config["frozen"]
    assert issubclass(found, Wire | Answer | FairWire)
    assert found.__doc__


def test_a_context_comes_back_as_it_went():
    context = Context.model_validate(CONTEXT)
    assert context.room is not None
    assert context.room.state.public == {"b": 2}
    assert context.call_id == "c1"
    assert context.winners is None
    assert wire(context) == CONTEXT


def test_an_older_app_ignores_what_a_newer_host_adds():
    context = Context.model_validate({**CONTEXT, "weather": "fine"})
    assert wire(context) == CONTEXT


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.name)
def test_a_result_comes_back_as_it_went(hook):
    result = hook.result.model_validate(ANSWERS[hook.name])
    assert hook.result.model_validate(wire(result)) == result
    assert hook.result.model_validate_json(result.model_dump_json(by_alias=True)) == result


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.name)
def test_a_result_with_an_unknown_field_is_a_mistake(hook):
    with pytest.raises(ValidationError):
        hook.result.model_validate({**ANSWERS[hook.name], "somethingElse": 1})


@pytest.mark.parametrize("wrong", REFUSED_EFFECTS.values(), ids=REFUSED_EFFECTS)
def test_an_effect_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValidationError):
        TypeAdapter(Effect).validate_python(wrong)


def test_a_note_of_a_draw_is_kept_up_to_its_last_letter():
    note = {"text": "x" * 4_085}
    draw = TypeAdapter(Effect).validate_python({"effect": "draw", "key": "k", "data": note})
    assert draw.data == note


def test_two_hundred_effects_are_the_most():
    effects = [{"effect": "reply"}] * 201
    assert len(Effects.model_validate({"effects": effects[1:]}).effects) == 200
    with pytest.raises(ValidationError, match="200"):
        Effects.model_validate({"effects": effects})


@pytest.mark.parametrize("found", HOST_EVENTS.values(), ids=HOST_EVENTS)
def test_a_host_event_is_named_by_its_space_and_says_what_happened(found):
    assert found.type.count(":") == 1
    assert found.__doc__


def test_parallel_arrays_are_read_row_by_row():
    participants = Participants.model_validate(CONTEXT["participants"])
    [row] = participants.rows()
    assert (row.id, row.person_id, row.points, row.joined_at) == ("p1", "x1", 3, NOW)
    submissions = Submissions(
        id=("s1", "s2"), window_id=("w", "w"), participant_id=("p1", "p2"), payload=(1, "a"),
        elapsed_ms=(5, 6), verdict=("right", "wrong"), points=(1, 0),
    )  # fmt: skip
    assert [(each.id, each.payload, each.points) for each in submissions.rows()] == [
        ("s1", 1, 1), ("s2", "a", 0),
    ]  # fmt: skip


def test_arrays_that_are_not_parallel_have_no_rows():
    with pytest.raises(ValueError, match="shorter"):
        list(Participants(id=("p1",)).rows())


@pytest.mark.parametrize("arrays", [Participants, Submissions, Candidates, Reserves])
def test_nothing_is_the_default_of_parallel_arrays(arrays):
    assert all(value == () for value in dict(arrays()).values())
