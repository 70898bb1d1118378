import asyncio

import pytest

from mymozhem.clock import HeldClock
from mymozhem.contract import DecidedBy, Effects, Refusal, Refuse, Reply, Strategy, hookimpl
from mymozhem.contract.hooks import (
    ON_EVENT,
    REGISTER_PARTICIPANT,
    VALIDATE_SETTINGS,
)
from mymozhem.contract.payloads import (
    Applicant,
    EventRequest,
    LoggedEvent,
    RegistrationRequest,
    SettingsValidationRequest,
)
from mymozhem.dispatch import BadAnswer, Budget, FailureKind
from mymozhem.dispatch.outcome import Failure, Outcome
from mymozhem.errors import NotFound, Refused, Unavailable

SAVE = SettingsValidationRequest(settings={}, purpose="save")
JOIN = RegistrationRequest(
    applicant=Applicant(person_id="p", name="Ann", kind="guest", role="PARTICIPANT"), answers={}
)


class Plain:
    @hookimpl
    def handle_action(self, context, request):
        return [Reply(data=context.room.state.private["count"] + request.payload["by"])]


class Coroutine:
    @hookimpl
    async def handle_action(self, context, request):
        await asyncio.sleep(0)
        return [Reply(data=context.room.state.private["count"] + request.payload["by"])]


class OnlyRequest:
    @hookimpl
    def handle_action(self, request):
        return [Reply(data=1 + request.payload["by"])]


class OnlyContext:
    @hookimpl
    async def handle_action(self, context):
        return [Reply(data=context.room.state.private["count"] + 2)]


class Nothing:
    @hookimpl
    def handle_action(self):
        return [Reply(data=3)]


@pytest.mark.parametrize("plugin", [Plain(), Coroutine(), OnlyRequest(), OnlyContext(), Nothing()])
async def test_a_hook_takes_what_its_signature_names(host, plugin):
    host.add(plugin)
    outcome = await host.ask()
    assert outcome.decided_by is DecidedBy.APP
    assert outcome.result.effects == (Reply(data=3),)
    assert outcome.failure is None


class Mirror:
    @hookimpl
    def handle_action(self, context):
        return [Reply(data=[context.call_id, context.deadline_ms])]


async def test_the_app_is_told_the_call_id_and_the_time_that_is_left(host):
    host.add(Mirror(), timeout_ms=4_000)
    first = await host.ask()
    again = await host.ask(call_id=first.call_id, budget=Budget(HeldClock(), 1_500))
    assert first.result.effects == (Reply(data=[first.call_id, 4_000]),)
    assert again.result.effects == (Reply(data=[first.call_id, 1_500]),)
    assert first.call_id.startswith("call_")


async def test_a_capability_that_is_not_declared_is_not_called(host):
    host.add(Plain(), capabilities=frozenset({"timers"}))
    outcome = await host.ask()
    assert (outcome.decided_by, outcome.result, outcome.failure) == (DecidedBy.PLATFORM, None, None)


async def test_a_declared_hook_that_the_code_lacks_is_a_failure(host):
    host.add(Plain(), on_failure=Strategy.PLATFORM)
    outcome = await host.ask(hook=VALIDATE_SETTINGS, request=SAVE)
    assert outcome.decided_by is DecidedBy.PLATFORM
    assert outcome.failure.kind is FailureKind.NOT_IMPLEMENTED


async def test_without_code_the_fallback_answers(host):
    host.add(None, on_failure=Strategy.HOLD)
    outcome = await host.ask()
    assert outcome.decided_by is DecidedBy.HOLD
    assert outcome.failure.kind is FailureKind.NO_CODE


async def test_a_version_that_was_never_published_is_not_found(host):
    host.add(Plain())
    with pytest.raises(NotFound):
        await host.ask(version="9.0.0")


async def test_a_spent_budget_asks_nobody(host):
    host.add(Plain())
    outcome = await host.ask(budget=Budget(HeldClock(), 0))
    assert outcome.failure.kind is FailureKind.BUDGET_SPENT


async def test_a_request_of_another_hook_is_the_callers_mistake(host):
    host.add(Plain())
    with pytest.raises(TypeError, match="handle_action takes ActionRequest"):
        await host.ask(request=SAVE)


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_no_app_is_asked_while_a_transaction_is_open(host, database):
    host.add(Plain())
    async with database.write():
        with pytest.raises(RuntimeError, match="a transaction is open; use run_exchange"):
            await host.ask()
    assert (await host.ask()).decided_by is DecidedBy.APP


# ------------------------------------------------------------------------------------- refusals


class RaisesRefuse:
    @hookimpl
    def handle_action(self):
        raise Refuse("TOO_LOW", "The bid is too low.", {"least": 5})


class RaisesRefuseLater:
    @hookimpl
    async def handle_action(self):
        raise Refuse("TOO_LOW", "The bid is too low.", {"least": 5})


class ReturnsRefusal:
    @hookimpl
    def handle_action(self):
        return Refusal(code="TOO_LOW", message="The bid is too low.", details={"least": 5})


@pytest.mark.parametrize("plugin", [RaisesRefuse(), RaisesRefuseLater(), ReturnsRefusal()])
async def test_a_refusal_is_the_apps_own_answer(host, plugin):
    host.add(plugin)
    outcome = await host.ask()
    assert (outcome.decided_by, outcome.result, outcome.failure) == (DecidedBy.APP, None, None)
    outcome.raise_if_failed()
    with pytest.raises(Refused, match="too low") as caught:
        outcome.raise_if_refused()
    assert (caught.value.code, caught.value.details) == ("TOO_LOW", {"least": 5})


class RefusesToListen:
    @hookimpl
    def on_event(self):
        raise Refuse("NO", "I would rather not.")


async def test_a_hook_that_is_told_cannot_refuse(host):
    host.add(RefusesToListen(), on_failure=Strategy.QUEUE)
    event = LoggedEvent(type="x:y", level="public", payload={}, at="2030-01-01T00:00:00Z")
    outcome = await host.ask(hook=ON_EVENT, request=EventRequest(event=event))
    assert outcome.decided_by is DecidedBy.QUEUE
    assert outcome.failure.kind is FailureKind.BAD_RESULT


# ------------------------------------------------------------------------------------ fallbacks


class Raises:
    @hookimpl
    def handle_action(self):
        raise ValueError("the secret is 42")

    @hookimpl
    def register_participant(self):
        raise ValueError("the secret is 42")


@pytest.mark.parametrize(
    ("strategy", "decided_by"),
    [
        (Strategy.PLATFORM, DecidedBy.PLATFORM),
        (Strategy.CACHED, DecidedBy.CACHE),
        (Strategy.QUEUE, DecidedBy.QUEUE),
        (Strategy.REVIEW, DecidedBy.REVIEW),
        (Strategy.HOLD, DecidedBy.HOLD),
        (Strategy.FAIL, DecidedBy.NOBODY),
    ],
)
async def test_a_failure_is_decided_by_the_manifests_strategy(host, strategy, decided_by):
    host.add(Raises(), on_failure=strategy)
    outcome = await host.ask()
    assert outcome.decided_by is decided_by
    assert outcome.result is None
    assert outcome.failure.code == "APP_FAILED"


async def test_a_literal_fallback_stands_in_for_the_answer(host):
    host.add(Raises(), on_failure=Strategy.FALLBACK, fallback={"decision": "pending"})
    outcome = await host.ask(hook=REGISTER_PARTICIPANT, request=JOIN)
    assert outcome.decided_by is DecidedBy.FALLBACK
    assert outcome.result.decision == "pending"
    assert outcome.failure.kind is FailureKind.RAISED
    outcome.raise_if_failed()


async def test_only_what_nobody_decided_is_raised_and_without_the_apps_secrets(host):
    host.add(Raises())
    outcome = await host.ask()
    with pytest.raises(Unavailable) as caught:
        outcome.raise_if_failed()
    assert caught.value.code == "APP_FAILED"
    assert caught.value.details == {"callId": outcome.call_id}
    assert "42" not in caught.value.message


async def test_a_failure_is_logged_with_its_traceback_and_its_call(host, lines):
    host.add(Raises())
    outcome = await host.ask()
    [line] = [line for line in lines if line["event"] == "hook failed"]
    assert isinstance(line["exc_info"], ValueError)
    assert (line["call_id"], line["app"], line["hook"], line["decided_by"]) == (
        outcome.call_id,
        "counter",
        "handle_action",
        "nobody",
    )


# --------------------------------------------------------------------------------------- checks


def never_three(result: Effects) -> None:
    if Reply(data=3) in result.effects:
        raise BadAnswer("THREE", "Three is no answer.")


async def test_an_answer_of_wrong_meaning_is_a_failure(host):
    host.add(Plain(), on_failure=Strategy.QUEUE)
    outcome = await host.ask(check=never_three)
    assert outcome.decided_by is DecidedBy.QUEUE
    assert (outcome.failure.kind, outcome.failure.code) == (FailureKind.BAD_RESULT, "THREE")


@pytest.mark.parametrize("fallback", [{"effects": [{"effect": "reply", "data": 3}]}, {"no": 1}])
async def test_a_literal_that_does_not_hold_decides_nothing(host, fallback):
    host.add(Raises(), on_failure=Strategy.FALLBACK, fallback=fallback)
    outcome = await host.ask(check=never_three)
    assert (outcome.decided_by, outcome.result) == (DecidedBy.NOBODY, None)


async def test_a_refusal_is_not_checked(host):
    host.add(ReturnsRefusal())
    outcome = await host.ask(check=never_three)
    assert outcome.refusal.code == "TOO_LOW"


# ---------------------------------------------------------------------------------- the border


class Greedy:
    kept = None

    @hookimpl
    def handle_action(self, context, request):
        Greedy.kept = (context, request)
        context.room.settings["steps"].append("mine")
        context.room.state.private.clear()
        request.payload["by"] = 0
        return []


async def test_an_app_changes_nothing_of_the_hosts(host, room_context, bump):
    host.add(Greedy())
    before = (room_context.model_dump_json(), bump.model_dump_json())
    await host.ask(context=room_context, request=bump)
    assert (room_context.model_dump_json(), bump.model_dump_json()) == before
    assert Greedy.kept[0].room.settings is not room_context.room.settings


@pytest.mark.parametrize("kind", FailureKind)
def test_only_staff_read_what_is_wrong_with_the_app(kind):
    said = "counter answered handle_action with the status 401."
    outcome = Outcome(DecidedBy.NOBODY, "call_1", failure=Failure(kind, said, kind.value))
    with pytest.raises(Unavailable) as plain:
        outcome.raise_if_failed()
    assert plain.value.code == kind.value
    assert plain.value.message.startswith("The app of this room ")
    assert plain.value.message.endswith(" Nothing was changed; try again in a moment.")
    assert "status" not in plain.value.message
    with pytest.raises(Unavailable) as precise:
        outcome.raise_if_failed(for_staff=True)
    assert precise.value.message.startswith(said)
