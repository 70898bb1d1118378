"""A served app answers what it is asked as a plugin would, and tells of itself."""

import asyncio
import json
import logging

import pytest

from mymozhem.contract import (
    CONTRACT_VERSION,
    ActionResult,
    Effects,
    Emit,
    Refusal,
    Refuse,
    RegistrationResult,
    hookimpl,
)
from mymozhem.contract.envelopes import MAX_BODY_BYTES, ReplyEnvelope
from mymozhem.contract.serve import NotServable, serve
from mymozhem.contract.signing import KeyRefused
from tests.unit.contract.signed_calls import EMIT, KEY, KINDS, MOMENT, Served, app, context

#: an answer of this size is taken; the reply around it is too large
FITS = MAX_BODY_BYTES - 99


# -------------------------------------------------------------------------------------- answers


@KINDS
@pytest.mark.parametrize(
    ("answer", "data"),
    [
        (ActionResult.of(EMIT), [EMIT]),
        (Effects.of(EMIT), [EMIT]),
        ([EMIT], [EMIT]),
        ({"effects": [EMIT]}, [EMIT]),
        ({}, []),
        (None, None),
    ],
)
async def test_an_answer_may_be_written_in_several_ways(coroutine, answer, data):
    heard = await Served(app(answer, coroutine=coroutine)).ask()
    assert heard.status == 200, heard.body
    reply = ReplyEnvelope.model_validate_json(heard.body)
    assert (reply.id, reply.contract, reply.lock) == ("call_1", "1.0", "ab" * 32)
    assert reply.outcome == "ok"
    if data is None:
        assert reply.data is None
    else:
        assert ActionResult.model_validate(reply.data).effects == tuple(data)


@KINDS
async def test_a_hook_sees_context_and_request_as_a_plugin_does(coroutine):
    counter = app(coroutine=coroutine)
    await Served(counter).ask(budgetMs=1234)
    ((seen, request),) = counter.calls
    assert seen.room.state.private == {"count": 1}
    assert seen.deadline_ms == 1234
    assert seen.model_copy(update={"deadline_ms": 1}) == type(seen).model_validate(context())
    assert (request.action, request.payload) == ("bump", {"by": 2})


async def test_a_hook_may_leave_out_what_it_does_not_want():
    class Picky:
        @hookimpl
        def handle_action(self, request):
            return [Emit(type="counter:bumped", payload=request.payload)]

        @hookimpl
        async def on_timer(self):
            return None

    served = Served(Picky())
    assert (await served.ask()).json["data"]["effects"][0]["payload"] == {"by": 2}
    timer = {"name": "t", "payload": {}}
    assert (await served.ask(id="call_2", hook="on_timer", request=timer)).json["data"] is None


@KINDS
@pytest.mark.parametrize("raised", [True, False])
async def test_a_refusal_is_an_answer(coroutine, raised):
    refusal = Refusal(code="TOO_LOW", message="bid more", details={"least": 5})
    no = Refuse("TOO_LOW", "bid more", {"least": 5})
    counter = app(None if raised else refusal, raises=no if raised else None, coroutine=coroutine)
    heard = await Served(counter).ask()
    assert (heard.status, heard.json["outcome"]) == (200, "refuse")
    assert Refusal.model_validate(heard.json["data"]) == refusal


@KINDS
@pytest.mark.parametrize(
    "error",
    [
        ValueError("the secret"),
        TimeoutError("mine"),
        SystemExit(3),
        KeyboardInterrupt(),
        asyncio.CancelledError(),
        StopIteration("early"),
        StopAsyncIteration(),
        GeneratorExit(),
    ],
    ids=repr,
)
async def test_whatever_an_app_raises_is_logged_and_not_told(coroutine, error, caplog):
    with caplog.at_level(logging.ERROR):
        heard = await Served(app(raises=error, coroutine=coroutine)).ask()
    assert (heard.status, heard.code) == (500, "APP_FAILED")
    assert b"the secret" not in heard.body
    assert b"Traceback" not in heard.body
    assert "call_1" in caplog.text
    assert "Traceback" in caplog.text


@KINDS
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("done", "returned str; return ActionResult or a mapping"),
        ({"effects": [{"effect": "conjure"}]}, "is no valid ActionResult"),
        ({"effects": [{"effect": "reply", "data": 10**30}]}, "beyond"),
        ({"effects": [{"effect": "reply", "data": "x" * MAX_BODY_BYTES}]}, "is larger than"),
        (
            {"effects": [{"effect": "reply", "data": "x" * (MAX_BODY_BYTES - 99)}]},
            "reply is larger",
        ),
        (Refusal.model_construct(code="no", message="bad code", details={}), "no valid Refusal"),
    ],
)
async def test_an_invalid_answer_is_told_to_the_author_in_a_sentence(coroutine, answer, said):
    heard = await Served(app(answer, coroutine=coroutine)).ask()
    assert (heard.status, heard.code) == (500, "APP_BAD_RESULT")
    assert said in heard.json["error"]["message"]


async def test_a_plain_function_that_gives_a_coroutine_is_told_so():
    async def answer():
        return None

    class Half:
        @hookimpl
        def handle_action(self, request):
            return answer()

    heard = await Served(Half()).ask()
    assert "declare it with `async def`" in heard.json["error"]["message"]


async def test_a_hook_that_is_told_cannot_refuse():
    teller = app(raises=Refuse("NO", "no"), hook="on_event")
    event = {"type": "room:opened", "level": "public", "at": MOMENT, "payload": {}}
    heard = await Served(teller).ask(hook="on_event", request={"event": event})
    assert (heard.status, heard.code) == (500, "APP_BAD_RESULT")
    assert "cannot refuse" in heard.json["error"]["message"]


async def test_the_reply_to_another_hook_is_of_its_own_kind():
    door = app(RegistrationResult(decision="pending"), hook="register_participant")
    applicant = {"personId": "p", "name": "Ada", "kind": "guest", "role": "PARTICIPANT"}
    request = {"applicant": applicant, "answers": {}}
    heard = await Served(door).ask(hook="register_participant", request=request)
    assert heard.json["data"]["decision"] == "pending"


# --------------------------------------------------------------------------- the server around it


async def test_the_front_page_says_what_is_served():
    heard = await Served(app()).send("GET", "/")
    assert (heard.status, heard.json) == (
        200,
        {
            "app": {"id": "counter", "name": "Counter", "version": "1.2.3"},
            "contract": CONTRACT_VERSION,
            "hooks": ["handle_action"],
        },
    )


async def test_a_health_check_needs_no_signature():
    served = Served(app())
    assert (await served.send("GET", "/health")).json == {"status": "ok"}
    head = await served.send("HEAD", "/health")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", "15")


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/hooks", 404), ("PUT", "/", 405), ("DELETE", "/x", 405)]
)
async def test_nothing_else_is_there(method, path, status):
    heard = await Served(app()).send(method, path)
    assert heard.status == status
    assert heard.code


async def test_a_manifest_that_was_given_is_told_of_instead():
    other = {"id": "other", "meta": {"name": "Other", "version": "2.0.0"}}
    heard = await Served(app(), options={"manifest": other}).send("GET", "/")
    assert heard.json["app"] == {"id": "other", "name": "Other", "version": "2.0.0"}


async def test_an_app_without_a_manifest_is_served_too():
    bare = app()
    del bare.app_manifest
    assert (await Served(bare).send("GET", "/")).json["app"]["id"] is None
    assert (await Served(bare).ask()).status == 200


async def test_the_server_is_told_of_start_and_end_and_open_questions_end_then():
    begun = asyncio.Event()

    class Hanging:
        @hookimpl
        async def handle_action(self):
            begun.set()
            await asyncio.sleep(3600)

    served = Served(Hanging())
    asking = asyncio.create_task(served.ask())
    sent, incoming = [], ["lifespan.startup", "lifespan.shutdown"]

    async def receive():
        await begun.wait()
        return {"type": incoming.pop(0)}

    async def send(message):
        sent.append(message["type"])

    await served.endpoint({"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert (await asking).status == 504


async def test_a_websocket_is_not_served():
    with pytest.raises(NotImplementedError):
        await Served(app()).endpoint({"type": "websocket"}, None, None)


# -------------------------------------------------------------------------- what cannot be served


class Wrapper:
    @hookimpl(wrapper=True)
    def handle_action(self):
        return (yield)


class Misspelt:
    @hookimpl
    def handle_actoin(self):
        return None


class AsyncManifest:
    @hookimpl
    async def app_manifest(self):
        return {}

    @hookimpl
    def handle_action(self):
        return None


class TextManifest(AsyncManifest):
    @hookimpl
    def app_manifest(self):
        return "manifest"


@pytest.mark.parametrize(
    ("thing", "said"),
    [
        (object(), "implements no hook"),
        (json, "implements no hook"),
        (Wrapper, "is a class"),
        (Wrapper(), "is a wrapper"),
        (Misspelt(), "handle_actoin"),
        (AsyncManifest(), "is a coroutine"),
        (TextManifest(), "returned str"),
    ],
)
def test_what_is_no_app_is_not_served(thing, said):
    with pytest.raises(NotServable, match=said):
        serve(thing, keys=[KEY])


def test_an_app_is_not_served_without_a_key():
    with pytest.raises(ValueError, match="nobody can sign"):
        serve(app(), keys=[])
    with pytest.raises(KeyRefused):
        serve(app(), keys=["hunter2"])
