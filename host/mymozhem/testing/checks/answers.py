"""Whether the app answers, in time, the same to the same, and within what it declared."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from mymozhem.contract import HOOKS, Emit, JsonObject, SetParticipants, SetState
from mymozhem.contract.canonical_json import canonical_json
from mymozhem.contract.codec import NoAnswer, decode, encode
from mymozhem.contract.effects import Effect
from mymozhem.contract.enums import Level
from mymozhem.contract.payloads import Context
from mymozhem.dispatch.outcome import FailureKind
from mymozhem.manifests.model import Manifest
from mymozhem.manifests.settings import merge_patch
from mymozhem.rooms.app_state import MAX_PERSON_BYTES, MAX_STATE_BYTES
from mymozhem.rooms.effects import PERMISSIONS, WIDTH
from mymozhem.testing.conformance_run import ConformanceRun
from mymozhem.testing.invoke import Invocation, place_of
from mymozhem.testing.recording_app import RecordedCall
from mymozhem.testing.results import effects_of

MOST = 10

_HOOKS = {hook.name: hook for hook in HOOKS}


def questions_are_answered_inside(trial: ConformanceRun) -> Iterator[str]:
    """Inside the host, every question is answered by a valid result or a refusal."""
    yield from _once(_failed(trial.inside.noted))


def questions_are_answered_served(trial: ConformanceRun) -> Iterator[str]:
    """As a web service, every question is answered by a valid result or a refusal."""
    yield from _once(_failed(trial.served.noted))
    told = {each.hook.name for each in trial.served.noted if _problem(each) is not None}
    for asked in trial.served.asked:
        failed = asked.failure not in (None, FailureKind.TIMEOUT)
        if failed and asked.question.hook.name not in told:
            yield f"{asked.question.what} over a webhook: {asked.message}"


def answers_come_in_time(trial: ConformanceRun) -> Iterator[str]:
    """Every answer comes within the hook's deadline."""
    for where, run in (("inside the host", trial.inside), ("over a webhook", trial.served)):
        slow = {each.hook for each in run.observed if each.failure_code == FailureKind.TIMEOUT}
        for name in sorted(slow):
            policy = trial.valid.manifest.policy(_HOOKS[name])
            yield (
                f"{name} {where} did not answer within {policy.timeout_ms} ms. Do less, or give "
                f"{_HOOKS[name].capability!r} more time in the manifest's `policies`."
            )


def equal_questions_have_equal_answers(trial: ConformanceRun) -> Iterator[str]:
    """Asked the same twice, the app answers the same: hooks are pure functions of their request."""
    for first, second in zip(trial.inside.asked, trial.inside.again, strict=False):
        if not _is_failure(first, second) and _said(first) != _said(second):
            yield (
                f"{first.question.what}: asked the same twice, the app answered {_short(first)} "
                f"and then {_short(second)}. Take randomness from context.seed, the time from "
                f"context.now, and keep what lasts in the room's state."
            )


def questions_stay_as_they_are(trial: ConformanceRun) -> Iterator[str]:
    """No hook changes the request that it was given."""
    changed = {each.hook.name for each in trial.inside.noted if each.changed}
    for name in sorted(changed):
        yield f"{name} changes its request; copy what you want to change: {{**settings, …}}."


def effects_keep_to_the_manifest(trial: ConformanceRun) -> Iterator[str]:
    """Events are declared, with payloads and visibility as declared; the state fits its schema."""
    manifest = trial.valid.manifest
    found = (
        f"{noted.hook.name}: {problem}"
        for noted in trial.inside.noted
        for problem in _of_effects(manifest, noted)
    )
    yield from _once(found)


def state_stays_small(trial: ConformanceRun) -> Iterator[str]:
    """The room's state stays below 128 KiB, data of one participant below 16 KiB."""
    yield from _once(
        f"{noted.hook.name}: {problem}"
        for noted in trial.inside.noted
        for effect in effects_of(noted)
        for problem in _too_large(noted, effect)
    )


def both_transports_answer_alike(trial: ConformanceRun) -> Iterator[str]:
    """The same question has the same answer inside the host and over a webhook."""
    for inside, served in _pairs(trial.inside.asked, trial.served.asked):
        if not _is_failure(inside, served) and _said(inside) != _said(served):
            yield (
                f"{inside.question.what}: inside the host the app answers {_short(inside)}, "
                f"over a webhook {_short(served)}."
            )


CHECKS = (
    questions_are_answered_inside,
    questions_are_answered_served,
    answers_come_in_time,
    equal_questions_have_equal_answers,
    questions_stay_as_they_are,
    effects_keep_to_the_manifest,
    state_stays_small,
    both_transports_answer_alike,
)


def _pairs(
    one: Sequence[Invocation], other: Sequence[Invocation]
) -> Iterator[tuple[Invocation, Invocation]]:
    """Yield the pairs of calls with the same request; a hook that timed out has none."""
    known = {id(each.question): each for each in other}
    yield from ((each, known[id(each.question)]) for each in one if id(each.question) in known)


def _failed(noted: Iterable[RecordedCall]) -> Iterator[str]:
    for each in noted:
        problem = _problem(each)
        if problem is not None:
            yield problem


def _problem(noted: RecordedCall) -> str | None:
    """Return why this is not a valid result; None if it is valid."""
    if noted.error is not None:
        return f"{noted.hook.name} raised {place_of(noted.error)}; raise Refuse to say no."
    try:
        decode(noted.hook, encode(noted.hook, noted.answer))
    except NoAnswer as error:
        return f"{noted.hook.name}: {error}"
    return None


def _of_effects(manifest: Manifest, noted: RecordedCall) -> Iterator[str]:
    for effect in effects_of(noted):
        if isinstance(effect, Emit):
            yield from _of_event(manifest, effect)
        elif isinstance(effect, SetState):
            for problem in manifest.state_validator.errors(_whole(noted, effect)):
                place = problem.pointer or "/"
                yield f"setState breaks the manifest's `state` at {place}: {problem.message}"
        required = PERMISSIONS.get(type(effect))
        if required is not None and required not in manifest.permissions:
            yield f"{effect.effect} needs the permission {required} in the manifest."


def _of_event(manifest: Manifest, effect: Emit) -> Iterator[str]:
    declared = manifest.events.get(effect.type)
    if declared is None:
        yield f"emits {effect.type!r}, which `events` of the manifest does not declare."
        return
    asked = effect.to if isinstance(effect.to, Level) else Level.PUBLIC
    if WIDTH[asked] > WIDTH[declared.visibility]:
        yield (
            f"emits {effect.type!r} to {asked}; the manifest declares it for {declared.visibility}."
        )
    for problem in declared.validator.errors(effect.payload):
        yield f"emits {effect.type!r} with a payload that breaks its schema: {problem.message}"


def _whole(noted: RecordedCall, effect: SetState) -> JsonObject:
    """Return the state after the effect."""
    room = Context.model_validate_json(noted.context).room
    whole: JsonObject = room.state.model_dump() if room is not None else {}
    parts: JsonObject = effect.model_dump(exclude={"effect", "merge"}, exclude_none=True)
    if not effect.merge:
        return whole | parts
    return {**whole, **{name: merge_patch(whole.get(name), part) for name, part in parts.items()}}


def _too_large(noted: RecordedCall, effect: Effect) -> Iterator[str]:
    if isinstance(effect, SetState):
        size = len(canonical_json(_whole(noted, effect)))
        if size > MAX_STATE_BYTES:
            yield f"the state would be {size} bytes; at most {MAX_STATE_BYTES} are kept."
    if isinstance(effect, SetParticipants):
        for data in (*(effect.own or ()), *(effect.private or ())):
            if data is not None and len(canonical_json(data)) > MAX_PERSON_BYTES:
                yield f"data of one participant is more than {MAX_PERSON_BYTES} bytes."


def _is_failure(*asked: Invocation) -> bool:
    return any(each.failure is not None for each in asked)


def _said(asked: Invocation) -> bytes:
    return canonical_json({"refused": asked.refused, "answer": asked.answer})


def _short(asked: Invocation) -> str:
    text = repr(asked.answer)
    most = 300
    return text if len(text) <= most else f"{text[:most]}…"


def _once(found: Iterable[str]) -> Iterator[str]:
    """Yield the different sentences, at most ten."""
    told: Mapping[str, None] = dict.fromkeys(found)
    yield from list(told)[:MOST]
