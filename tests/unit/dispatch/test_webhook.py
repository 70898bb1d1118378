"""A question to an app elsewhere: what is sent, and what each answer counts as."""

import asyncio
import gzip
import json
import socket
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from mymozhem.clock import HeldClock
from mymozhem.contract import (
    ActionRequest,
    Applicant,
    Candidates,
    DrawPrize,
    EventRequest,
    HealthRequest,
    LoggedEvent,
    Participants,
    PersonKind,
    PrepareDrawRequest,
    RegistrationRequest,
    SelectWinnersRequest,
    SettingsImportRequest,
)
from mymozhem.contract.envelopes import MAX_BODY_BYTES, ListRef, Mode, RequestEnvelope
from mymozhem.contract.hooks import (
    CHECK_HEALTH,
    HANDLE_ACTION,
    IMPORT_SETTINGS,
    ON_EVENT,
    PREPARE_DRAW,
    REGISTER_PARTICIPANT,
    SELECT_WINNERS,
)
from mymozhem.contract.signing import PrivateKey, new_secret, parse_key, verify
from mymozhem.dispatch.outcome import CallFailed, FailureKind
from mymozhem.dispatch.reply_codec import decode
from mymozhem.dispatch.transports.base import AppTarget, HookCall, Reply
from mymozhem.dispatch.transports.model_copies import with_values
from mymozhem.dispatch.transports.webhook.transport import WebhookTransport
from mymozhem.manifests.model import Webhook
from mymozhem.outbound import Guard, Outbound
from mymozhem.outbound.guard import LOOPBACK
from mymozhem.registry.endpoint import Endpoint
from tests.support.timing import HANG_TIMEOUT
from tests.unit.dispatch.conftest import context
from tests.unit.outbound.hostile import answer, drip, flood, hang, says, serving

SHARED = parse_key(new_secret())
OLDER = parse_key(new_secret())
CLOCK = HeldClock()
PUBLIC_URL = "https://host.example.com"
EFFECTS = {"effects": []}


@dataclass
class Remotes:
    """One app, at one address, with one path for all hooks."""

    base_url: str
    keys: tuple = (SHARED,)
    asynchronous: bool = False
    platform_form: bool = False
    hook_path: str | None = "/hook"
    socket: str | None = None

    def manifest(self, app_id, version):
        return self

    def webhook(self, capability):
        if self.hook_path is None:
            return None
        return Webhook(path=self.hook_path, asynchronous=self.asynchronous)

    def endpoint(self, app_id, version):
        return Endpoint(
            base_url=self.base_url,
            keys=self.keys,
            shared=SHARED,
            socket=self.socket,
            platform_form=self.platform_form,
        )


@dataclass
class KeptLists:
    """Lists in memory."""

    kept: list[tuple[str, bytes, int]] = field(default_factory=list)

    async def put(self, app_id, data, count):
        self.kept.append((app_id, data, count))
        number = len(self.kept) - 1
        return ListRef(
            url=f"https://host.example.com/lists/{number}",
            digest="0" * 64,
            count=count,
            expires_at=datetime(2030, 1, 1, 13, tzinfo=UTC),
        )


LOCK = "a" * 64
ASKED = with_values(context(), {"call_id": "call_1", "deadline_ms": 2_000, "lock": LOCK})


def call(hook=HANDLE_ACTION, request=None, context=ASKED, **more):
    request = request or ActionRequest(action="bump", payload={"by": 2})
    return HookCall(hook, AppTarget("counter", "1.0.0"), context, request, **more)


def reply(data=None, *, id="call_1", contract="1.0", **more):
    return orjson.dumps({"id": id, "contract": contract, "data": data or EFFECTS, **more})


@pytest.fixture
async def outbound():
    outbound = Outbound(Guard(LOOPBACK))
    yield outbound
    await outbound.close()


@pytest.fixture
def lists():
    return KeptLists()


@pytest.fixture
def ask(outbound, lists):
    """Ask an app whose server answers like this."""

    async def ask(script, asked=None, *, path: Path | None = None, **remote):
        async with asyncio.timeout(HANG_TIMEOUT), serving(script, path=path) as server:
            remotes = Remotes(server.url, socket=str(path) if path else None, **remote)
            transport = WebhookTransport(remotes, outbound, lists, CLOCK, public_url=PUBLIC_URL)
            return await transport.send(asked or call()), server.heard

    return ask


@pytest.fixture
def failure(ask):
    async def failure(script, asked=None, **remote):
        with pytest.raises(CallFailed) as failed:
            await ask(script, asked, **remote)
        told = failed.value.failure
        assert "127.0.0.1" not in told.message
        assert told.message.endswith(".")
        return told.kind

    return failure


# ------------------------------------------------------------------------------------ what is sent


async def test_the_question_travels_whole_and_signed(ask):
    asked = call(attempt=2, max_attempts=3, mode=Mode.DRY_RUN)
    _, heard = await ask(says(answer(reply())), asked)
    headers, body = heard[0].headers, heard[0].body
    assert heard[0].line == "POST /hook HTTP/1.1"
    assert verify([SHARED], headers, body, now=CLOCK.now().timestamp()) == "call_1"
    assert headers["x-platform-signature"] == SHARED.platform_signature(body)
    assert headers["content-type"] == "application/json"
    assert headers["x-request-id"] == "call_1"
    assert headers["x-timeout-ms"] == "2000"
    assert headers["x-retry-attempt"] == "2"
    assert headers["x-max-attempts"] == "3"
    envelope = RequestEnvelope.model_validate_json(body)
    assert (envelope.id, envelope.hook, envelope.contract) == ("call_1", "handle_action", "1.0")
    assert (envelope.attempt, envelope.budget_ms, envelope.mode) == (2, 2_000, Mode.DRY_RUN)
    assert envelope.occurred_at == asked.context.now
    assert envelope.context == asked.context.model_dump(mode="json", by_alias=True)
    assert envelope.request == {"action": "bump", "payload": {"by": 2}, "calls": None}
    assert set(orjson.loads(body)) == {
        "id", "hook", "contract", "attempt", "budgetMs", "mode", "occurredAt", "context", "request",
    }  # fmt: skip


async def test_when_it_happened_is_told(ask):
    then = datetime(2029, 12, 31, 23, 59, 58, 123_000, tzinfo=UTC)
    _, heard = await ask(says(answer(reply())), call(occurred_at=then))
    assert RequestEnvelope.model_validate_json(heard[0].body).occurred_at == then


async def test_two_attempts_differ_in_what_counts_attempts_alone(ask):
    later = with_values(ASKED, {"deadline_ms": 1_000})
    bodies = []
    for asked in (call(), call(context=later, attempt=2)):
        _, heard = await ask(says(answer(reply())), asked)
        bodies.append(orjson.loads(heard[0].body))
    for body in bodies:
        del body["attempt"], body["budgetMs"], body["context"]["deadlineMs"]
    assert bodies[0] == bodies[1]


async def test_during_a_rotation_both_keys_are_good(ask):
    _, heard = await ask(says(answer(reply())), keys=(SHARED, OLDER))
    for key in (SHARED, OLDER):
        assert verify([key], heard[0].headers, heard[0].body, now=CLOCK.now().timestamp())


async def test_a_private_key_signs_beside_the_shared_one(ask):
    private = parse_key("whsk_" + "A" * 43 + "=")
    assert isinstance(private, PrivateKey)
    _, heard = await ask(says(answer(reply())), keys=(private, SHARED))
    signature = heard[0].headers["webhook-signature"]
    assert [part[:3] for part in signature.split()] == ["v1a", "v1,"]
    now = CLOCK.now().timestamp()
    assert verify([private.public], heard[0].headers, heard[0].body, now=now) == "call_1"


async def test_a_unix_socket_takes_the_place_of_the_network(ask, tmp_path):
    got, _ = await ask(says(answer(reply())), path=tmp_path / "app.sock")
    assert got.data == b'{"effects":[]}'


# ---------------------------------------------------------------------------------- what comes back


async def test_an_answer_is_the_data_of_the_envelope(ask):
    got, _ = await ask(says(answer(reply({"effects": []}, lock=LOCK))))
    assert got == Reply(b'{"effects":[]}', refused=False, lock=LOCK)
    assert decode(HANDLE_ACTION, got).effects == ()


async def test_no_data_is_nothing(ask):
    got, _ = await ask(says(answer(b'{"id":"call_1","contract":"1.7"}')))
    assert got.data == b"null"


async def test_a_refusal_is_no_failure(ask):
    no = {"code": "TOO_LOW", "message": "Bid more.", "details": {}}
    got, _ = await ask(says(answer(reply(no, outcome="refuse"))))
    assert got.refused
    assert decode(HANDLE_ACTION, got).code == "TOO_LOW"


async def test_what_is_passed_on_is_exact(ask):
    data = '{"a":123456789012345678901234567890,"b":"\\u0000","c":1.5,"d":"é"}'
    got, _ = await ask(says(answer(f'{{"id":"call_1","contract":"1.0","data":{data}}}'.encode())))
    assert json.loads(got.data) == json.loads(data)


async def test_a_lock_that_the_app_names_is_passed_on_whatever_it_is(ask):
    got, _ = await ask(says(answer(reply({"effects": []}, lock="b" * 64))))
    assert got == Reply(b'{"effects":[]}', refused=False, lock="b" * 64)


STATUSES = [
    ("201 Created", FailureKind.BAD_STATUS),
    ("204 No Content", FailureKind.BAD_STATUS),
    ("202 Accepted", FailureKind.BAD_STATUS),
    ("301 Moved", FailureKind.BAD_STATUS),
    ("304 Not Modified", FailureKind.BAD_STATUS),
    ("400 Bad", FailureKind.REFUSED_CALL),
    ("401 Who", FailureKind.MISCONFIGURED),
    ("403 No", FailureKind.MISCONFIGURED),
    ("404 Where", FailureKind.MISCONFIGURED),
    ("405 How", FailureKind.BAD_STATUS),
    ("408 Slow", FailureKind.BAD_STATUS),
    ("409 Conflict", FailureKind.REFUSED_CALL),
    ("410 Gone", FailureKind.GONE),
    ("413 Large", FailureKind.REFUSED_CALL),
    ("422 Invalid", FailureKind.REFUSED_CALL),
    ("429 Often", FailureKind.BAD_STATUS),
    ("500 Broken", FailureKind.BAD_STATUS),
    ("503 Away", FailureKind.BAD_STATUS),
    ("799 Odd", FailureKind.BAD_STATUS),
]


@pytest.mark.parametrize(("status", "kind"), STATUSES)
async def test_each_status_has_its_meaning(failure, status, kind):
    body = b"" if status[:3] in {"204", "304"} else reply()
    assert await failure(says(answer(body, status=status))) is kind


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        ("201 Created", "a reply has the status 200"),
        ("204 No Content", "a reply has the status 200"),
        ("202 Accepted", "`async: true`"),
        ("302 Found", "redirects are not followed"),
        ("401 Who", "signature"),
        ("403 No", "does not let the host in"),
        ("404 Where", "the path that the manifest names"),
    ],
)
async def test_an_unexpected_status_is_explained(ask, status, advice):
    body = b"" if status[:3] == "204" else reply()
    with pytest.raises(CallFailed) as failed:
        await ask(says(answer(body, status=status)))
    assert f"with the status {status[:3]}: " in failed.value.failure.message
    assert advice in failed.value.failure.message


async def test_later_is_an_answer_where_the_manifest_says_so(failure):
    script = says(answer(b"", status="202 Accepted"))
    assert await failure(script, asynchronous=True) is FailureKind.ACCEPTED


ID = b'{"id":"call_1","contract":"1.0","data":'
BAD_RESULTS = {
    "html": says(answer(b"<html></html>", kind="text/html")),
    "json said to be text": says(answer(reply(), kind="text/plain")),
    "no media type": says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
    "no json": says(answer(b"{")),
    "nothing": says(answer(b"")),
    "two documents": says(answer(reply() * 2)),
    "NaN": says(answer(ID + b"NaN}")),
    "beyond floats": says(answer(ID + b"[1e999]}")),
    "deep": says(answer(ID + b"[" * 100_000)),
    "latin-1": says(answer(ID + b'"\xe9"}')),
    "a list": says(answer(b"[]")),
    "no id": says(answer(b'{"contract":"1.0","data":{}}')),
    "another id": says(answer(reply(id="call_2"))),
    "another contract": says(answer(reply(contract="2.0"))),
    "a number as id": says(answer(reply(id=1))),
    "a lock that is no text": says(answer(reply(lock=7))),
    "an outcome that is no text": says(answer(reply(outcome=["ok"]))),
    "an unknown outcome": says(answer(reply(outcome="maybe"))),
    "the first platform's form": says(answer(b'{"success":true,"data":{}}')),
    "too large": says(answer(ID + b'"' + b"x" * MAX_BODY_BYTES + b'"}')),
    "endless": flood,
    "zipped": says(answer(gzip.compress(b" " * 10**7), Content_Encoding="gzip")),
    "huge headers": says(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n"),
    "no http": says(b"hello\r\n\r\n", then_close=True),
}


@pytest.mark.parametrize("script", BAD_RESULTS.values(), ids=BAD_RESULTS)
async def test_what_is_no_answer_counts_as_a_bad_result(failure, script):
    assert await failure(script) is FailureKind.BAD_RESULT


CUT = {
    "at once": says(then_close=True),
    "in the head": says(b"HTTP/1.1 200 OK\r\n", then_close=True),
    "in the body": says(answer(reply())[:-1], then_close=True),
}


@pytest.mark.parametrize("script", CUT.values(), ids=CUT)
async def test_a_connection_that_is_cut_is_unreachable(failure, script):
    assert await failure(script) is FailureKind.UNREACHABLE


@pytest.mark.parametrize("script", [hang, drip()], ids=["hangs", "drips"])
async def test_the_deadline_of_the_call_holds(failure, script):
    short = call(context=with_values(ASKED, {"deadline_ms": 200}))
    assert await failure(script, short) is FailureKind.TIMEOUT


async def test_a_late_answer_is_listened_to_beyond_the_deadline(ask):
    async def late(_heard, writer):
        await asyncio.sleep(0.2)
        writer.write(answer(reply()))

    asked = call(context=with_values(ASKED, {"deadline_ms": 50}), late=lambda reply: None)
    got, _ = await ask(late, asked)
    assert got.data == b'{"effects":[]}'


async def test_a_redirect_to_a_private_address_is_not_followed(failure):
    async with serving(says(answer(reply()))) as inside:
        script = says(answer(b"", status="302 Found", Location=f"{inside.url}/admin"))
        assert await failure(script) is FailureKind.BAD_STATUS
    assert inside.heard == []


async def test_a_closed_port_is_unreachable(outbound, lists):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        with pytest.raises(CallFailed) as failed:
            await WebhookTransport(Remotes(url), outbound, lists, CLOCK).send(call())
    assert failed.value.failure.kind is FailureKind.UNREACHABLE


async def test_an_address_inside_is_a_misconfiguration(lists):
    transport = WebhookTransport(
        Remotes("https://169.254.169.254"), Outbound(Guard()), lists, CLOCK
    )
    with pytest.raises(CallFailed) as failed:
        await transport.send(call())
    assert failed.value.failure.kind is FailureKind.MISCONFIGURED
    assert "169" not in failed.value.failure.message
    await transport.close()


async def test_a_capability_without_a_path_is_a_misconfiguration(failure):
    assert await failure(says(answer(reply())), hook_path=None) is FailureKind.MISCONFIGURED


async def test_a_server_that_closes_kept_connections_fails_none_of_a_hundred_calls(outbound, lists):
    async def hasty(heard, writer):
        writer.write(answer(reply(id=heard.headers["webhook-id"])))
        writer.close()

    async with serving(hasty) as server:
        transport = WebhookTransport(Remotes(server.url), outbound, lists, CLOCK)
        for number in range(100):
            asked = call(context=with_values(ASKED, {"call_id": f"call_{number}"}))
            assert (await transport.send(asked)).data == b'{"effects":[]}'
    assert len({heard.headers["webhook-id"] for heard in server.heard}) == 100


# ------------------------------------------------------------------------------------- long lists

PEOPLE = 12_000


def large_draw():
    ids = tuple(f"part_{n:032}" for n in range(PEOPLE))
    candidates = Candidates(
        id=ids,
        person_id=ids,
        kind=(PersonKind.GUEST,) * PEOPLE,
        metadata=({"tickets": 1},) * PEOPLE,
        points=(0,) * PEOPLE,
    )
    prizes = (DrawPrize(prize_id="p1", name="Cake", count=1),)
    return PrepareDrawRequest(draw_id="draw_1", key="k", prizes=prizes, candidates=candidates)


async def test_a_list_that_is_too_long_travels_as_a_reference(ask, lists):
    request = large_draw()
    _, heard = await ask(says(answer(reply({}))), call(PREPARE_DRAW, request))
    envelope = RequestEnvelope.model_validate_json(heard[0].body)
    assert len(heard[0].body) < MAX_BODY_BYTES
    assert envelope.lists == ("/request/candidates",)
    [(app_id, data, count)] = lists.kept
    assert (app_id, count) == ("counter", PEOPLE)
    assert Candidates.model_validate_json(data) == request.candidates
    reference = ListRef.model_validate(envelope.request["candidates"])
    assert reference.url == "https://host.example.com/lists/0"
    whole = request.model_dump(mode="json", by_alias=True)
    assert {**envelope.request, "candidates": 0} == {**whole, "candidates": 0}
    assert envelope.context == ASKED.model_dump(mode="json", by_alias=True)


async def test_the_largest_lists_go_first_and_no_more_than_needed(ask, lists):
    many = tuple(f"part_{n:032}" for n in range(30_000))
    request = SelectWinnersRequest(
        draw_id="draw_1",
        key="k",
        prizes=(DrawPrize(prize_id="p1", name="Cake", count=1),),
        each="once",
        participants=many,
        tickets=(1,) * 30_000,
        exclude=many[:100],
        seed="0" * 64,
    )
    picks = {"picks": [{"prizeId": "p1", "participantId": many[200]}]}
    _, heard = await ask(says(answer(reply(picks))), call(SELECT_WINNERS, request))
    envelope = RequestEnvelope.model_validate_json(heard[0].body)
    assert envelope.lists == ("/request/participants",)
    assert envelope.request["tickets"] == [1] * 30_000
    assert orjson.loads(lists.kept[0][1]) == list(many)


async def test_lists_of_the_context_are_left_out_too(ask, lists):
    crowd = tuple(f"part_{n:032}" for n in range(20_000))
    told = with_values(ASKED, {"participants": Participants(id=crowd, person_id=crowd)})
    _, heard = await ask(says(answer(reply())), call(context=told))
    envelope = RequestEnvelope.model_validate_json(heard[0].body)
    assert envelope.lists == ("/context/participants",)
    assert envelope.context["participants"]["count"] == 20_000


async def test_what_cannot_be_made_small_is_not_sent_and_nothing_is_kept(ask, lists):
    request = SettingsImportRequest(setting="q", text="x" * MAX_BODY_BYTES, format="text")
    with pytest.raises(CallFailed) as failed:
        await ask(says(answer(reply())), call(IMPORT_SETTINGS, request))
    assert failed.value.failure.kind is FailureKind.REFUSED_CALL
    assert lists.kept == []


# --------------------------------------------------------------------- the first platform's format

DRAW = SelectWinnersRequest(
    draw_id="draw_1",
    key="k",
    prizes=(DrawPrize(prize_id="p1", name="Cake", count=2),),
    each="once",
    participants=("a", "b", "c"),
    tickets=(1, 1, 1),
    exclude=("c",),
    seed="0" * 64,
)
WON = [{"prizeId": "p1", "participantId": "a"}, {"prizeId": "p1", "participantId": "b"}]


def platform_says(document):
    return says(answer(orjson.dumps(document)))


async def test_the_first_platforms_fields_travel_too(ask):
    script = platform_says({"success": True, "data": {"picks": WON}})
    _, heard = await ask(script, call(SELECT_WINNERS, DRAW), platform_form=True)
    envelope = RequestEnvelope.model_validate_json(heard[0].body)
    assert (envelope.request_id, envelope.room_id) == ("call_1", "room_1")
    assert envelope.participants == ({"id": "a"}, {"id": "b"})
    cake = {"id": "p1", "name": "Cake", "quantity": 2, "quantityRemaining": 2, "metadata": {}}
    assert envelope.prizes == (cake,)
    assert envelope.app_settings == {"steps": [1, 2]}
    assert envelope.request["seed"] == "0" * 64


@pytest.mark.parametrize(
    "data",
    [
        {"picks": WON},
        {"winners": WON},
        {"winners": [{**won, "drawnAt": "2026-01-01T00:00:00Z"} for won in WON], "took": 3},
    ],
)
async def test_winners_in_either_form_are_picks(ask, data):
    script = platform_says({"success": True, "data": data})
    got, _ = await ask(script, call(SELECT_WINNERS, DRAW), platform_form=True)
    picks = decode(SELECT_WINNERS, got).picks
    assert [(pick.prize_id, pick.participant_id) for pick in picks] == [("p1", "a"), ("p1", "b")]


async def test_people_are_described_as_that_platform_did(ask):
    people = Participants(
        id=("a", "b", "c"), person_id=("pa", "pb", "pc"), metadata=({"team": "red"}, {}, {})
    )
    told = with_values(ASKED, {"participants": people})
    script = platform_says({"success": True, "data": {"winners": WON}})
    _, heard = await ask(script, call(SELECT_WINNERS, DRAW, context=told), platform_form=True)
    assert orjson.loads(heard[0].body)["participants"] == [
        {"id": "a", "userId": "pa", "metadata": {"team": "red"}},
        {"id": "b", "userId": "pb", "metadata": {}},
    ]


async def test_an_applicant_is_a_user_with_an_id(ask):
    applicant = Applicant(
        person_id="pa", name="Ada", kind="guest", role="PARTICIPANT", metadata={"table": 4}
    )
    asked = RegistrationRequest(applicant=applicant, answers={"diet": "all"})
    script = platform_says({"success": True, "data": {"decision": "accept"}})
    _, heard = await ask(script, call(REGISTER_PARTICIPANT, asked), platform_form=True)
    body = orjson.loads(heard[0].body)
    assert body["userId"] == "pa"
    assert body["user"] == {"id": "pa", "name": "Ada", "avatar": None}
    assert body["metadata"] == {"diet": "all", "table": 4}


async def test_an_event_names_where_to_send_the_result(ask):
    event = LoggedEvent(type="stall:said", level="public", payload={"n": 1}, at=ASKED.now)
    script = platform_says({"success": True})
    _, heard = await ask(script, call(ON_EVENT, EventRequest(event=event)), platform_form=True)
    body = orjson.loads(heard[0].body)
    assert (body["eventType"], body["data"]) == ("stall:said", {"n": 1})
    assert body["callbackUrl"] == f"{PUBLIC_URL}/api/v1/callbacks/analytics/call_1"


@pytest.mark.parametrize("envelope", [True, False])
async def test_winners_may_come_without_an_envelope_and_with_metadata(ask, envelope):
    data = {"winners": [{**WON[0], "metadata": {"round": 1}}, WON[1]]}
    script = platform_says({"success": True, "data": data} if envelope else data)
    got, _ = await ask(script, call(SELECT_WINNERS, DRAW), platform_form=True)
    assert [pick.metadata for pick in decode(SELECT_WINNERS, got).picks] == [{"round": 1}, {}]


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        ("200 OK", b'{"status":"ok","uptime":7}', ("ok", {"status": "ok", "uptime": 7})),
        ("200 OK", b'{"status":"degraded"}', ("degraded", {"status": "degraded"})),
        ("200 OK", b"fine", ("ok", {})),
        ("404 Not Found", b"", ("ok", {"code": "NO_HEALTH_PAGE"})),
    ],
)
async def test_the_page_of_health_is_read(ask, status, body, said):
    script = says(answer(body, status=status))
    got, heard = await ask(
        script, call(CHECK_HEALTH, HealthRequest()), platform_form=True, hook_path=None
    )
    report = decode(CHECK_HEALTH, got)
    assert (report.status, report.details) == said
    assert heard[0].line.startswith("GET /health ")


async def test_an_app_that_says_it_is_down_is_down(failure):
    script = says(answer(b'{"status":"error"}', status="503 Service Unavailable"))
    asked = call(CHECK_HEALTH, HealthRequest())
    kind = await failure(script, asked, platform_form=True, hook_path=None)
    assert kind is FailureKind.BAD_STATUS


async def test_such_an_app_may_answer_in_the_contracts_form(ask):
    script = says(answer(reply({"picks": WON})))
    got, _ = await ask(script, call(SELECT_WINNERS, DRAW), platform_form=True)
    assert len(decode(SELECT_WINNERS, got).picks) == 2


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": "BUSY", "message": "later", "retryable": True}, FailureKind.BAD_STATUS),
        ({"code": "INVALID", "message": "never", "retryable": False}, FailureKind.REFUSED_CALL),
        (None, FailureKind.REFUSED_CALL),
    ],
)
async def test_no_success_is_a_failure_and_no_refusal(failure, error, kind):
    script = platform_says({"success": False, "error": error})
    assert await failure(script, call(SELECT_WINNERS, DRAW), platform_form=True) is kind


@pytest.mark.parametrize(
    "document",
    [{"success": "perhaps"}, {"success": None}, {"success": True, "error": 7}],
)
async def test_an_envelope_of_that_form_has_rules_too(failure, document):
    asked = call(SELECT_WINNERS, DRAW)
    assert await failure(platform_says(document), asked, platform_form=True) is (
        FailureKind.BAD_RESULT
    )


async def test_such_an_app_is_not_asked_who_takes_part(ask):
    got, heard = await ask(hang, call(PREPARE_DRAW, large_draw()), platform_form=True)
    assert heard == []
    prepared = decode(PREPARE_DRAW, got)
    assert prepared.algorithm == "app"
    assert prepared.entries.tickets == 1
