"""What is not signed, not JSON or no question does not reach a served app."""

import base64
import json

import pytest

from mymozhem.contract.envelopes import MAX_BODY_BYTES
from mymozhem.contract.signing import new_secret, parse_key, public_text
from tests.unit.contract.signed_calls import (
    KEY,
    NOW,
    SECRET,
    Served,
    app,
    context,
    question,
    signed,
)


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"webhook-signature": None}, 401, "SIGNATURE_MISSING"),
        ({"webhook-id": None}, 401, "SIGNATURE_MISSING"),
        ({"webhook-signature": "v1,AAAA"}, 401, "SIGNATURE_WRONG"),
        ({"webhook-signature": "junk é"}, 401, "SIGNATURE_WRONG"),
        ({"webhook-id": "call_2"}, 401, "SIGNATURE_WRONG"),
        ({"webhook-timestamp": str(NOW + 1)}, 401, "SIGNATURE_WRONG"),
        ({"webhook-timestamp": "soon"}, 401, "TIMESTAMP_INVALID"),
        ({"content-type": "text/plain"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ({"content-type": None}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ({"content-encoding": "gzip"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ({"content-length": str(MAX_BODY_BYTES + 1)}, 413, "TOO_LARGE"),
    ],
)
async def test_a_question_with_wrong_headers_does_not_reach_the_app(headers, status, code):
    counter = app()
    heard = await Served(counter).post(json.dumps(question()).encode(), headers)
    assert (heard.status, heard.code, counter.calls) == (status, code, [])
    assert heard.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"hook": "conjure"}, 404, "HOOK_NOT_IMPLEMENTED"),
        ({"hook": "on_timer"}, 404, "HOOK_NOT_IMPLEMENTED"),
        ({"contract": "2.0"}, 400, "CONTRACT_UNKNOWN"),
        ({"contract": "0.9"}, 400, "CONTRACT_UNKNOWN"),
        ({"contract": "one"}, 400, "CONTRACT_UNKNOWN"),
        ({"request": {}}, 400, "QUESTION_INVALID"),
        ({"context": {}}, 400, "QUESTION_INVALID"),
        ({"context": context(room={"id": "secret room"})}, 400, "QUESTION_INVALID"),
        ({"request": None}, 400, "ENVELOPE_INVALID"),
        ({"budgetMs": "soon"}, 400, "ENVELOPE_INVALID"),
    ],
)
async def test_a_question_that_is_none_does_not_reach_the_app(fields, status, code):
    counter = app()
    heard = await Served(counter).ask(**fields)
    assert (heard.status, heard.code, counter.calls) == (status, code, [])
    assert b"secret" not in heard.body


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 50_000, b"null"])
async def test_a_signed_body_that_is_no_question_is_refused(body):
    heard = await Served(app()).post(body)
    assert (heard.status, heard.code) == (400, "ENVELOPE_INVALID")


async def test_a_later_minor_version_of_the_contract_is_understood():
    asked = context(contract="1.7", novelty={"a": 1})
    heard = await Served(app()).ask(contract="1.7", context=asked, alsoNew=True)
    assert (heard.status, heard.json["contract"]) == (200, "1.7")


async def test_the_id_of_the_header_is_the_id_of_the_body():
    heard = await Served(app()).post(json.dumps(question()).encode(), message_id="call_2")
    assert (heard.status, heard.code) == (400, "ID_MISMATCH")


async def test_a_body_of_one_mebibyte_is_taken_and_not_a_byte_more():
    served = Served(app())
    empty = len(json.dumps(question(request={"action": "a", "payload": {"x": ""}})))
    for more, status in ((0, 200), (1, 413)):
        payload = {"x": "x" * (MAX_BODY_BYTES - empty + more)}
        heard = await served.ask(request={"action": "a", "payload": payload})
        assert heard.status == status
    assert heard.headers["connection"] == "close"


async def test_who_serves_an_app_says_how_long_a_question_may_be():
    served = Served(app(), options={"max_body_bytes": 2 * MAX_BODY_BYTES})
    for size, status in ((MAX_BODY_BYTES, 200), (2 * MAX_BODY_BYTES, 413)):
        heard = await served.ask(request={"action": "a", "payload": {"x": "x" * size}})
        assert heard.status == status


async def test_who_goes_away_while_asking_gets_nothing():
    sent = []

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    headers = [(b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
    await Served(app()).endpoint(scope, receive, send)
    assert sent == []


@pytest.mark.parametrize(
    ("sent", "now", "code"),
    [
        (NOW, NOW + 300, ""),
        (NOW, NOW + 301, "TIMESTAMP_OLD"),
        (NOW, NOW - 300, ""),
        (NOW, NOW - 301, "TIMESTAMP_NEW"),
    ],
)
async def test_clocks_may_differ_by_five_minutes(sent, now, code):
    served = Served(app(), now=now)
    heard = await served.post(json.dumps(question()).encode(), timestamp=sent)
    assert (heard.status, heard.code) == (401 if code else 200, code)


async def test_every_key_of_a_rotation_counts_and_public_ones_too():
    private = parse_key("whsk_" + base64.b64encode(bytes(range(32))).decode())
    served = Served(app(), keys=(new_secret(), SECRET, public_text(private.public)))
    body = json.dumps(question()).encode()
    for key in (KEY, private):
        assert (await served.send("POST", "/any/path", signed(body, key), body)).status == 200
    stranger = signed(body, parse_key(new_secret()))
    assert (await served.send("POST", "/", stranger, body)).code == "SIGNATURE_WRONG"
