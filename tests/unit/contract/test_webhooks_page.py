"""The page about webhooks says what the code does."""

import json
import re
import time
from pathlib import Path

import mymozhem.contract.serving
from mymozhem.contract import Context, Refusal
from mymozhem.contract.codec import Answer, decode
from mymozhem.contract.envelopes import MAX_BODY_BYTES, ListRef, ReplyEnvelope, RequestEnvelope
from mymozhem.contract.hooks import HANDLE_ACTION
from mymozhem.contract.serve import LATE_SECONDS, MAX_THREADS
from mymozhem.contract.serving.reply_cache import MAX_ANSWERS, MAX_BYTES
from mymozhem.contract.signing import TOLERANCE_SECONDS
from tests.docs.blocks import ROOT, blocks
from tests.unit.contract.signed_calls import KEY, Heard, Served, signed

PAGE = ROOT / "docs" / "reference" / "webhooks.md"
BLOCKS = list(blocks(PAGE))
QUESTION, REPLY, REFUSAL, LIST = (each.text for each in BLOCKS if each.language == "json")


async def asked(question: dict) -> Heard:
    """Ask the app of the page."""
    example: dict = {}
    (code,) = (each.text for each in BLOCKS if "serve(" in each.text)
    exec(compile(code, str(PAGE), "exec"), example)
    body = json.dumps(question).encode()
    headers = signed(body, KEY, message_id=question["id"], timestamp=int(time.time()))
    served = Served(example["Auction"]())
    served.endpoint = example["app"]
    return await served.send("POST", "/hooks", headers, body)


def result_in(reply: ReplyEnvelope) -> object:
    return decode(HANDLE_ACTION, Answer(json.dumps(reply.data).encode()))


def test_the_question_is_one_and_every_field_of_it_is_explained():
    envelope = RequestEnvelope.model_validate_json(QUESTION)
    assert Context.model_validate(envelope.context).call_id == envelope.id
    HANDLE_ACTION.request.model_validate(envelope.request)
    explained = set(re.findall(r"^\| `(\w+)` \|", PAGE.read_text(), re.MULTILINE))
    assert set(json.loads(QUESTION)) - {"context", "request"} <= explained


async def test_the_app_of_the_page_answers_the_question_of_the_page_as_it_says():
    heard = await asked(json.loads(QUESTION))
    said, shown = ReplyEnvelope.model_validate(heard.json), ReplyEnvelope.model_validate_json(REPLY)
    assert (heard.status, result_in(said)) == (200, result_in(shown))
    assert said.model_copy(update={"data": None}) == shown.model_copy(update={"data": None})


async def test_the_app_of_the_page_refuses_as_it_says():
    low = json.loads(QUESTION)
    low["context"]["room"]["state"]["public"]["best"] = 80
    heard = await asked(low)
    reply = ReplyEnvelope.model_validate_json(REFUSAL)
    assert (heard.json["outcome"], heard.json["data"]) == ("refuse", reply.data)
    assert Refusal.model_validate(reply.data)


def test_the_reference_to_a_list_is_one():
    assert ListRef.model_validate_json(LIST).count == 250_000


def test_every_code_of_the_endpoint_is_on_the_page():
    folder = Path(mymozhem.contract.serving.__file__).parent
    source = "".join(path.read_text() for path in folder.glob("*.py"))
    refusals = (folder.parent / "signing.py").read_text()
    codes = set(re.findall(r'Problem\(\s*\d+, "(\w+)"', source))
    codes |= set(re.findall(r'SignatureRefused\(\s*"(\w+)"', refusals))
    assert len(codes) > 20
    assert sorted(code for code in codes if f"`{code}`" not in PAGE.read_text()) == []


def test_the_limits_on_the_page_are_those_of_the_code():
    text = " ".join(PAGE.read_text().split())
    assert MAX_BODY_BYTES == 2**20
    assert f"by more than {TOLERANCE_SECONDS} seconds in either direction" in text
    assert f"up to {LATE_SECONDS:.0f} seconds late" in text
    assert f"{MAX_THREADS} plain functions" in text
    assert f"{MAX_ANSWERS:,} and {MAX_BYTES >> 20} MiB" in text
