"""An app in another language: it verifies what it gets, and decides by an algorithm of its own."""

import json
import time
from collections import Counter

import orjson
import pytest

from mymozhem.clock import SystemClock
from mymozhem.contract.fair import verify
from mymozhem.contract.fair.verification import Verdict
from mymozhem.contract.signing import new_secret
from tests.support.api_host import make_api_host
from tests.support.node_app import FOLDER, free_port, needs_node, post, question, signed, wheel

pytestmark = needs_node

SPIN = {
    "drawId": "draw_1",
    "key": "",
    "prizes": [
        {"prizeId": "car", "name": "Car", "count": 1, "metadata": {}},
        {"prizeId": "pen", "name": "Pen", "count": 2, "metadata": {}},
    ],
    "each": "once",
    "participants": ["ada", "bob", "eve", "kim"],
    "tickets": [1, 2, 1, 1],
    "exclude": ["kim"],
    "seed": "ab" * 32,
}


@pytest.fixture(scope="module")
def secret():
    return new_secret()


@pytest.fixture
async def url(secret):
    async with wheel(secret) as url:
        yield url


async def ask(url, secret, call_id, hook, request, **more):
    body = question(call_id, hook, request)
    status, answer = await post(url, signed(secret, call_id, body, **more), body)
    return status, orjson.loads(answer)


async def test_it_spins_for_every_unit_and_nobody_wins_twice(url, secret):
    status, answer = await ask(url, secret, "call_1", "select_winners", SPIN)
    assert status == 200
    assert (answer["id"], answer["outcome"], answer["lock"]) == ("call_1", "ok", "a" * 64)
    picks = answer["data"]["picks"]
    assert [pick["prizeId"] for pick in picks] == ["car", "pen", "pen"]
    assert {pick["participantId"] for pick in picks} == {"ada", "bob", "eve"}


async def test_the_same_seed_gives_the_same_winners_and_another_seed_gives_others(url, secret):
    people = {"participants": [f"p{n}" for n in range(50)], "tickets": [1] * 50, "exclude": []}
    drawn = [
        (
            await ask(
                url, secret, f"call_{seed}{n}", "select_winners", SPIN | people | {"seed": seed}
            )
        )
        for seed in ("01" * 32, "02" * 32)
        for n in range(2)
    ]
    first, again, other, _ = (answer["data"]["picks"] for _, answer in drawn)
    assert first == again
    assert first != other


async def test_who_has_more_tickets_wins_more_often(url, secret):
    two = {"participants": ["ada", "bob"], "tickets": [1, 9], "exclude": []}
    one = two | {"prizes": SPIN["prizes"][:1]}
    won = Counter()
    for number in range(100):
        spin = SPIN | one | {"seed": f"{number:064x}"}
        _, answer = await ask(url, secret, f"call_w{number}", "select_winners", spin)
        won[answer["data"]["picks"][0]["participantId"]] += 1
    assert won["bob"] > 75


async def test_a_repeated_call_gets_the_same_answer(url, secret):
    first = await ask(url, secret, "call_r", "select_winners", SPIN)
    other_seed = SPIN | {"seed": "cd" * 32}
    assert await ask(url, secret, "call_r", "select_winners", other_seed) == first


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"webhook-signature": "v1,AAAA"}, "SIGNATURE_WRONG"),
        ({"webhook-signature": ""}, "SIGNATURE_WRONG"),
        ({"webhook-timestamp": "yesterday"}, "SIGNATURE_MISSING"),
        ({"webhook-id": "call_other"}, "SIGNATURE_WRONG"),
    ],
)
async def test_what_the_platform_did_not_sign_is_refused(url, secret, headers, code):
    body = question("call_x", "check_health", {})
    status, answer = await post(url, signed(secret, "call_x", body) | headers, body)
    assert (status, orjson.loads(answer)["error"]["code"]) == (401, code)


@pytest.mark.parametrize(("skew", "status"), [(-290, 200), (290, 200), (-310, 401), (310, 401)])
async def test_clocks_may_differ_by_five_minutes(url, secret, skew, status):
    at = time.time() + skew
    assert (await ask(url, secret, f"call_{skew}", "check_health", {}, at=at))[0] == status


async def test_both_keys_are_good_during_a_rotation(secret):
    newer = new_secret()
    async with wheel(f"{newer} {secret}") as url:
        for number, each in enumerate((secret, newer)):
            assert (await ask(url, each, f"call_{number}", "check_health", {}))[0] == 200


async def test_a_hook_that_it_does_not_know_is_not_found(url, secret):
    assert (await ask(url, secret, "call_u", "handle_action", {}))[0] == 404


async def test_junk_is_refused(url, secret):
    body = b"{"
    assert (await post(url, signed(secret, "call_j", body), body))[0] == 400
    body = b"[" + b"1," * 600_000 + b"1]"
    assert (await post(url, signed(secret, "call_l", body), body))[0] == 413


async def test_a_room_draws_by_it_and_the_record_says_that_strangers_cannot_verify(
    database_url, tmp_path
):
    manifest = json.loads((FOLDER / "manifest.json").read_text())
    port = free_port()
    async with make_api_host(
        database_url, SystemClock(), tmp_path, allow_networks="127.0.0.0/8"
    ) as host:
        address = {"baseUrl": f"http://127.0.0.1:{port}"}
        made = await host.remote_app("wheel", **manifest | address | {"actions": {}})
        async with wheel(made.secret, port):
            room = await host.start(appId="wheel")
            people = {
                (await host.guest(room, name))[1]["participant"]["id"] for name in ("Ada", "Bob")
            }
            draw, winners = await drawn(host, room)
    assert draw["status"] == "REVEALED"
    assert {each["participantId"] for each in winners} <= people
    record = draw["record"]
    assert record["rule"]["algorithm"] == "app"
    assert verify(record).verdict is Verdict.NOT_VERIFIABLE


async def drawn(host, room):
    """Draw one car and return the draw with its record, and who won."""
    path, by = f"/rooms/{room['id']}", host.organizer
    car = (await by.post(f"{path}/prizes", {"name": "Car", "quantity": 1})).data["id"]
    wish = {"prizes": [{"prizeId": car, "count": 1}], "run": True, "reveal": "now"}
    made = await by.post(f"{path}/draws", wish)
    assert made.status == 202, made.raw
    while await host.work():
        pass
    place = f"{path}/draws/{made.data['id']}"
    draw = (await by.get(place)).data
    record = (await host.nobody.get(f"{place}/record")).data
    return draw | {"record": record}, (await by.get(f"{path}/winners")).data
