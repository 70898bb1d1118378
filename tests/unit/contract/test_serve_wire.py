"""What the platform sends, a served app understands, and the other way round."""

import json
from datetime import UTC, datetime

import pytest

import mymozhem_tasting as tasting
from mymozhem.contract import (
    ActionRequest,
    ActionResult,
    AppRef,
    Context,
    Emit,
    Refusal,
    Refuse,
    RoomData,
    RoomStatus,
    RoomView,
)
from mymozhem.contract.hooks import HANDLE_ACTION
from mymozhem.dispatch.outcome import CallFailed, FailureKind
from mymozhem.dispatch.reply_codec import decode
from mymozhem.dispatch.transports.base import AppTarget, HookCall
from mymozhem.dispatch.transports.webhook.request import body_of
from mymozhem.dispatch.transports.webhook.response import read_reply
from mymozhem.outbound import Answered
from tests.unit.contract.signed_calls import NOW, Served, app


def call(app_id="tasting", **settings):
    room = RoomView(
        id="room_1",
        name="Cellar",
        status=RoomStatus.ACTIVE,
        locale="en",
        settings=settings,
        state=RoomData(),
    )
    context = Context(
        contract="1.0",
        call_id="call_1",
        app=AppRef(id=app_id, version="1.0.0"),
        room=room,
        now=datetime.fromtimestamp(NOW, UTC),
        deadline_ms=5_000,
        lock="ab" * 32,
    )
    request = ActionRequest(action="pour", payload={"sample": 1})
    return HookCall(HANDLE_ACTION, AppTarget(app_id, "1.0.0"), context, request)


async def crossed(served, asked):
    """Carry a call to a served app and back, as the transport does."""
    heard = await served.post(body_of(asked, platform_form=False))
    answered = Answered(heard.status, heard.headers["content-type"], heard.body)
    return decode(
        HANDLE_ACTION, read_reply(asked, answered, asynchronous=False, platform_form=False)
    )


async def test_a_plugin_answers_over_the_wire_what_it_answers_in_process():
    asked = call(samples=[{"bottle": "Château Überfluss"}])
    answer = await crossed(Served(tasting), asked)
    assert answer == ActionResult.model_validate_json(
        tasting.handle_action(context=asked.context, request=asked.request).model_dump_json(
            by_alias=True
        )
    )
    assert answer.effects


async def test_a_refusal_crosses():
    refused = await crossed(Served(app(raises=Refuse("NO", "not now", {"a": 1}))), call())
    assert refused == Refusal(code="NO", message="not now", details={"a": 1})


@pytest.mark.parametrize(
    ("served", "kind"),
    [
        (app(raises=ValueError()), FailureKind.BAD_STATUS),
        (app("nonsense"), FailureKind.BAD_STATUS),
        (app(hook="on_timer"), FailureKind.MISCONFIGURED),
    ],
)
async def test_a_failure_crosses(served, kind):
    with pytest.raises(CallFailed) as caught:
        await crossed(Served(served), call())
    assert caught.value.failure.kind is kind


async def test_whoever_has_another_key_is_a_mistake_in_the_configuration():
    served = Served(app(), keys=("whsec_" + "A" * 32,))
    with pytest.raises(CallFailed) as caught:
        await crossed(served, call())
    assert caught.value.failure.kind is FailureKind.MISCONFIGURED


async def test_text_of_every_kind_survives():
    text = 'ünï \U0001f600 \\u0000 "quoted" \u2028 <b>'
    echo = app([Emit(type="counter:said", payload={"t": text})])
    answer = await crossed(Served(echo), call(note=text))
    assert answer.effects[0].payload == {"t": text}
    ((seen, _),) = echo.calls
    assert seen.room.settings == {"note": text}
    assert json.dumps(seen.room.settings)
