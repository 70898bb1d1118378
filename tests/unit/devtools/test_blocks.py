"""How an author sees the calls of an app: nothing changed, long lists shortened."""

from datetime import UTC, datetime
from pathlib import Path

import pluggy
import pytest

from mymozhem.contract import (
    ActionRequest,
    Actor,
    AppHooks,
    AppRef,
    Context,
    Effects,
    Emit,
    Participants,
    PersonKind,
    Refuse,
    Reply,
    Role,
    RoomData,
    RoomStatus,
    RoomView,
    hookimpl,
)
from mymozhem.contract.hooks import PROJECT
from mymozhem.devtools.call_format import block, shortened
from mymozhem.devtools.call_recorder import RecordedCall, recorded
from mymozhem.manifests.model import Manifest
from mymozhem.registry.loaded_code import AppCode

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
HERE = Path(__file__).resolve()


class Bell:
    @hookimpl
    def handle_action(self, context, request):
        if request.action == "crash":
            raise ZeroDivisionError("no bells")
        if request.action == "refuse":
            raise Refuse("WORN_OUT", "The bell is worn out.", {"rings": 3})
        return Effects.of(Emit(type="bell:rang"), Reply(data=list(range(9))))

    @hookimpl
    async def check_health(self, request):
        return {"status": "healthy"}


def context(**more):
    room = RoomView(
        id="room_1", name="Belfry", status=RoomStatus.ACTIVE, locale="en",
        settings={"limit": 3}, state=RoomData(public={"rings": 2}),
    )  # fmt: skip
    actor = Actor(participant_id="part_1", role=Role.PARTICIPANT, kind=PersonKind.GUEST)
    app = AppRef(id="bell", version="1.0.0")
    return Context(
        contract="1.0",
        call_id="c",
        app=app,
        room=room,
        actor=actor,
        now=NOON,
        deadline_ms=5,
        **more,
    )


@pytest.fixture
def seen() -> list[RecordedCall]:
    return []


@pytest.fixture
def hooks(seen):
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(AppHooks)
    manager.register(Bell())
    document = {"id": "bell", "meta": {"name": "Bell", "version": "1.0.0", "description": "B"}}
    manifest = Manifest.of({**document, "permissions": []}, registered_as="bell")
    code = AppCode("bell", manifest, manager, "", "")
    return recorded(code, seen.append).plugin_manager.hook


def ask(hooks, action, **more):
    return hooks.handle_action(context=context(**more), request=ActionRequest(action=action))


def shown(seen):
    (call,) = seen
    return block(call, code=HERE.parent, at=NOON).splitlines()


def test_an_answer_is_passed_on_and_its_effects_are_shown_one_below_the_other(hooks, seen):
    (answer,) = ask(hooks, "ring")
    assert answer == Effects.of(Emit(type="bell:rang"), Reply(data=list(range(9))))
    head, *lines = shown(seen)
    assert head.startswith("── 12:00:00  handle_action ring  PARTICIPANT part_1  ")
    assert lines == [
        '   settings {"limit": 3}',
        '   state    {"public": {"rings": 2}}',
        '   request  {"action": "ring", "payload": {}}',
        '   effects  emit {"type": "bell:rang"}',
        '            reply {"data": [0, 1, 2, "… 6 more"]}',
    ]


def test_a_refusal_is_passed_on_and_shown_with_code_sentence_and_details(hooks, seen):
    with pytest.raises(Refuse):
        ask(hooks, "refuse")
    assert shown(seen)[-1] == '   refused  WORN_OUT: The bell is worn out. {"rings": 3}'


def test_an_error_is_passed_on_and_shown_with_the_authors_own_lines(hooks, seen):
    with pytest.raises(ZeroDivisionError):
        ask(hooks, "crash")
    lines = shown(seen)
    frames = lines[lines.index("   raised   ZeroDivisionError: no bells") + 1 :]
    assert f'File "{HERE}", line ' in frames[0]
    assert any(line.strip() == 'raise ZeroDivisionError("no bells")' for line in frames)
    assert not any("pluggy" in line or "recording" in line for line in frames)


async def test_a_coroutine_function_stays_one(hooks, seen):
    (answer,) = hooks.check_health(context=context(), request=ActionRequest(action="x"))
    assert await answer == {"status": "healthy"}
    assert shown(seen)[-1] == '   result   {"status": "healthy"}'


def test_what_the_app_needed_is_shown_shortened(hooks, seen):
    people = Participants.model_construct(id=tuple(f"part_{n}" for n in range(500)))
    ask(hooks, "ring", participants=people)
    (line,) = [each for each in shown(seen) if each.startswith("   participants")]
    assert '"part_2", "… 497 more"' in line


@pytest.mark.parametrize(
    ("value", "short"),
    [
        ([1, 2, 3], [1, 2, 3]),
        ([1, 2, 3, 4], [1, 2, 3, "… 1 more"]),
        ({"a": {"b": list(range(10))}}, {"a": {"b": [0, 1, 2, "… 7 more"]}}),
        ("x" * 250, f"{'x' * 200}… 50 more"),
        (None, None),
    ],
)
def test_long_lists_and_texts_are_cut_and_said_to_be(value, short):
    assert shortened(value) == short


def test_a_call_is_shown_whole_on_demand():
    many = {"names": [f"name {number}" for number in range(50)], "text": "x" * 2_000}
    request = ActionRequest(action="ring", payload={})
    effects = Effects.of(Reply(data=many))
    call = RecordedCall("handle_action", context(), request, effects, None, 1.0)
    short, whole = (block(call, code=HERE, at=NOON, full=full) for full in (False, True))
    assert "name 49" not in short
    assert "name 49" in whole
    assert "x" * 2_000 in whole
    assert " more" not in whole
    assert block(call, code=HERE, at=NOON) == short
