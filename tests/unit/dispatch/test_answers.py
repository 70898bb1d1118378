import math
from datetime import UTC, datetime
from traceback import format_exception

import pytest

from mymozhem.contract import ActionResult, Effects, Emit, Refusal, Reply, Schedule, SetState
from mymozhem.contract.codec import MAX_ANSWER_BYTES
from mymozhem.contract.hooks import (
    CLOSE_WINDOW,
    HANDLE_ACTION,
    JUDGE_SUBMISSION,
    ON_EVENT,
    ON_TIMER,
    PREPARE_DRAW,
    REGISTER_PARTICIPANT,
    SELECT_WINNERS,
    VALIDATE_SETTINGS,
)
from mymozhem.contract.payloads import (
    CloseWindowResult,
    EntryRule,
    PreparedDraw,
    RegistrationResult,
    SettingsValidationResult,
)
from mymozhem.dispatch.outcome import BadAnswer, CallFailed, FailureKind
from mymozhem.dispatch.reply_codec import decode, encode
from mymozhem.dispatch.transports.base import Reply as Carried


def cross(hook, answer):
    return decode(hook, encode(hook, answer))


EMIT = Emit(type="counter:bumped", payload={"n": 1})


@pytest.mark.parametrize(
    ("hook", "answer", "understood"),
    [
        (HANDLE_ACTION, ActionResult.of(EMIT), ActionResult.of(EMIT)),
        (HANDLE_ACTION, Effects.of(EMIT), ActionResult.of(EMIT)),
        (HANDLE_ACTION, [EMIT], ActionResult.of(EMIT)),
        (
            HANDLE_ACTION,
            (EMIT, {"effect": "reply", "data": 1}),
            ActionResult.of(EMIT, Reply(data=1)),
        ),
        (HANDLE_ACTION, {"effects": [EMIT]}, ActionResult.of(EMIT)),
        (HANDLE_ACTION, {}, ActionResult()),
        (HANDLE_ACTION, None, ActionResult()),
        (CLOSE_WINDOW, Effects.of(EMIT), CloseWindowResult.of(EMIT)),
        (VALIDATE_SETTINGS, None, SettingsValidationResult()),
        (REGISTER_PARTICIPANT, {"decision": "reject"}, RegistrationResult(decision="reject")),
        (
            PREPARE_DRAW,
            {"entries": {"except": ["part_1"]}},
            PreparedDraw(entries=EntryRule(leave_out=("part_1",))),
        ),
        (
            ON_TIMER,
            {
                "effects": [
                    {"effect": "schedule", "name": "t", "at": datetime(2030, 1, 1, tzinfo=UTC)}
                ]
            },
            Effects.of(Schedule(name="t", at=datetime(2030, 1, 1, tzinfo=UTC))),
        ),
        (
            HANDLE_ACTION,
            Refusal(code="TOO_LOW", message="no"),
            Refusal(code="TOO_LOW", message="no"),
        ),
        (
            ON_TIMER,
            [SetState(public={"t": "\\u0000"})],
            Effects.of(SetState(public={"t": "\\u0000"})),
        ),
    ],
)
def test_an_answer_may_be_written_in_several_ways(hook, answer, understood):
    assert cross(hook, answer) == understood


def with_nan(number):
    """Return an effect whose data were valid when it was made."""
    reply = Reply(data={"numbers": [1.0]})
    reply.data["numbers"][0] = number
    return reply


def test_the_words_for_what_is_no_number_may_be_in_a_text():
    said = ActionResult.of(Reply(data={"NaN": "Infinity, -Infinity and NaN"}))
    assert cross(HANDLE_ACTION, said) == said


def cyclic():
    loop = {}
    loop["loop"] = loop
    return loop


def deep():
    value = []
    for _ in range(100_000):
        value = [value]
    return value


def mutated():
    answer = ActionResult.of(Emit(type="counter:bumped", payload={"n": 1}))
    answer.effects[0].payload["live"] = object()
    return answer


@pytest.mark.parametrize(
    ("hook", "answer"),
    [
        (HANDLE_ACTION, "done"),
        (HANDLE_ACTION, 7),
        (HANDLE_ACTION, True),
        (HANDLE_ACTION, object()),
        (HANDLE_ACTION, (effect for effect in [EMIT])),
        (HANDLE_ACTION, {"effects": [{"effect": "conjure"}]}),
        (HANDLE_ACTION, {"effects": [{"effect": "reply", "data": {1, 2}}]}),
        (HANDLE_ACTION, {"effects": [{"effect": "reply", "data": object()}]}),
        (HANDLE_ACTION, {"effects": [{"effect": "reply", "data": "\ud800"}]}),
        (HANDLE_ACTION, {"effects": [{"effect": "reply", "data": "a\0b"}]}),
        (HANDLE_ACTION, {"effects": [{"effect": "reply", "data": cyclic()}]}),
        (HANDLE_ACTION, {"effects": [{"effect": "reply", "data": deep()}]}),
        (HANDLE_ACTION, {"effects": [], "also": 1}),
        (HANDLE_ACTION, [EMIT] * 201),
        (HANDLE_ACTION, ActionResult.model_construct(effects=("boom",))),
        (HANDLE_ACTION, Emit.model_construct(type=3)),
        (HANDLE_ACTION, mutated()),
        (HANDLE_ACTION, {"effects": [Emit.model_construct(type=3)]}),
        (HANDLE_ACTION, {"effects": [{"effect": "reply", "data": "x" * MAX_ANSWER_BYTES}]}),
        (HANDLE_ACTION, Refusal.model_construct(code="no", message="bad code", details={})),
        (ON_TIMER, ActionResult()),
        (VALIDATE_SETTINGS, [EMIT]),
        (REGISTER_PARTICIPANT, None),
        (JUDGE_SUBMISSION, {"verdict": "right", "points": 1.5}),
        (JUDGE_SUBMISSION, {"verdict": "right", "points": "1"}),
        (JUDGE_SUBMISSION, {"verdict": "right", "points": math.nan}),
        (ON_EVENT, Refusal(code="NO", message="told, not asked")),
        (HANDLE_ACTION, [{"effect": "reply", "data": {"x": [math.nan]}}]),
        (HANDLE_ACTION, [{"effect": "reply", "data": math.inf}]),
        (HANDLE_ACTION, ActionResult.of(with_nan(math.nan))),
        (HANDLE_ACTION, ActionResult.of(with_nan(-math.inf))),
    ],
)
def test_nonsense_is_a_bad_result_with_a_sentence(hook, answer):
    with pytest.raises(CallFailed) as caught:
        cross(hook, answer)
    assert caught.value.failure.kind is FailureKind.BAD_RESULT
    assert caught.value.failure.message.endswith(".")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b'{"effects": NaN}',
        *(b'{"effects":[{"effect":"reply","data":[%b]}]}' % number
          for number in (b"NaN", b"Infinity", b"-Infinity", b"1" * 400 + b".0")),
        b"\xff",
        b"[" * 100_000,
    ],
)  # fmt: skip
def test_bytes_that_are_no_answer_are_a_bad_result(data):
    with pytest.raises(CallFailed) as caught:
        decode(HANDLE_ACTION, Carried(data))
    assert caught.value.failure.kind is FailureKind.BAD_RESULT


def test_a_problem_names_the_place_and_not_the_value():
    with pytest.raises(CallFailed) as caught:
        cross(HANDLE_ACTION, {"effects": [{"effect": "emit", "payload": {}, "to": "the secret"}]})
    message = caught.value.failure.message
    assert "effects.0.emit.type" in message
    assert "the secret" not in message


@pytest.mark.parametrize(
    ("hook", "data"),
    [
        (SELECT_WINNERS, b'{"picks": [%s]}' % b",".join([b"{}"] * 50_000)),
        (SELECT_WINNERS, b'{"picks": [], %s}' % b",".join(b'"n%d": 0' % n for n in range(50_000))),
        (SELECT_WINNERS, b'{"picks": [], "%s": 0}' % (b"n" * 500_000)),
        (HANDLE_ACTION, b'{"effects": [{"effect": "%s"}]}' % (b"n" * 500_000)),
    ],
)
def test_an_answer_with_a_million_problems_makes_no_long_message_and_no_long_log(hook, data):
    with pytest.raises(CallFailed) as caught:
        decode(hook, Carried(data))
    assert len(caught.value.failure.message) < 500
    assert len("".join(format_exception(caught.value))) < 5_000


def test_values_of_an_answer_do_not_reach_the_log():
    data = [{"effect": "emit", "type": 1, "to": word} for word in ("the", "secret")]
    with pytest.raises(CallFailed) as caught:
        cross(HANDLE_ACTION, {"effects": data})
    assert "'secret'" not in "".join(format_exception(caught.value))


def test_a_name_that_the_app_makes_up_cannot_forge_a_line_of_a_log():
    with pytest.raises(CallFailed) as caught:
        decode(HANDLE_ACTION, Carried(b'{"effects": [], "a\\n2030-01-01 [info] \\u001b[2J": 1}'))
    assert caught.value.failure.message.isprintable()


def test_no_sentence_about_a_failure_is_longer_than_a_log_takes():
    failed = CallFailed(FailureKind.BAD_RESULT, "x" * 1_000_000)
    assert len(failed.failure.message) == len(BadAnswer("CODE", "y" * 1_000_000).message) == 2_000
    assert len(str(failed)) < 2_100


def test_what_the_app_keeps_of_its_answer_changes_nothing_afterwards():
    kept = Emit(type="counter:bumped", payload={"n": [1]})
    answer = cross(HANDLE_ACTION, [kept])
    kept.payload["n"].append(2)
    assert answer.effects[0].payload == {"n": [1]}
