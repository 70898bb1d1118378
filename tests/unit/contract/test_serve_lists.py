"""Long lists come by a URL, and are in their places before a hook sees them."""

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mymozhem.contract import hookimpl
from mymozhem.contract.serve import FetchFailed
from mymozhem.contract.serving.list_fetch import fetch_in
from mymozhem.contract.serving.thread_pool import Threads
from tests.unit.contract.signed_calls import MOMENT, NOW, Served, context

PARTICIPANTS = {
    "id": ["part_1", "part_2"],
    "personId": ["p1", "p2"],
    "kind": ["guest", "registered"],
    "role": ["PARTICIPANT", "PARTICIPANT"],
    "status": ["active", "active"],
    "joinedAt": [MOMENT, MOMENT],
    "lastSeenAt": [None, MOMENT],
    "metadata": [{}, {"team": "red"}],
    "data": [{}, {}],
    "points": [1, 2],
}
BYTES = json.dumps(PARTICIPANTS).encode()
LATER = "2027-01-15T08:10:00Z"


@dataclass
class Lists:
    """A server of lists on loopback: what is asked for, and what it answers."""

    url: str = ""
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    status: int = 200
    body: bytes = BYTES
    location: str = ""
    go: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def lists() -> Iterator[Lists]:
    known = Lists()
    known.go.set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            known.asked.append(self.path)
            known.headers.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(known.status)
            self.send_header("content-length", str(len(known.body)))
            if known.location:
                self.send_header("location", known.location)
            self.end_headers()
            self.wfile.write(known.body[:10])
            known.go.wait(10)
            self.wfile.write(known.body[10:])

        def log_message(self, *_):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        known.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield known
        known.go.set()
        server.shutdown()
        thread.join()


class Curious:
    """An app that keeps what it was asked."""

    def __init__(self):
        self.seen = []

    @hookimpl
    def handle_action(self, context, request):
        self.seen.append((context, request))


def reference(url: str, body: bytes = BYTES, /, **more: object) -> dict[str, object]:
    digest = hashlib.sha256(body).hexdigest()
    return {"url": url, "digest": digest, "count": 2, "expiresAt": LATER} | more


def asked(url: str, /, **more: object) -> dict[str, object]:
    """Return the fields of a question whose participants are behind a URL."""
    given = context(participants=reference(url, **more))
    return {"context": given, "lists": ["/context/participants"]}


async def test_a_list_is_fetched_by_get_and_stands_in_its_place(lists):
    curious = Curious()
    heard = await Served(curious).ask(**asked(f"{lists.url}/lists/1?sig=a%20b"))
    assert heard.status == 200, heard.body
    ((seen, _),) = curious.seen
    assert [each.id for each in seen.participants.rows()] == ["part_1", "part_2"]
    assert seen.deadline_ms <= 5_000
    assert lists.asked == ["/lists/1?sig=a%20b"]
    assert "cookie" not in lists.headers[0]
    assert lists.headers[0]["accept-encoding"] == "identity"


async def test_a_list_may_stand_deep_in_the_request_and_under_any_name(lists):
    curious = Curious()
    lists.body = b"[1, 2]"
    payload = {"a/b": [{}, {"~": reference(lists.url, b"[1, 2]")}]}
    request = {"action": "x", "payload": payload}
    heard = await Served(curious).ask(request=request, lists=["/request/payload/a~1b/1/~0"])
    assert heard.status == 200, heard.body
    assert curious.seen[0][1].payload == {"a/b": [{}, {"~": [1, 2]}]}


async def test_no_proxy_of_the_environment_is_asked(lists, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert (await Served(Curious()).ask(**asked(lists.url))).status == 200


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"digest": "0" * 64}, 400, "LIST_INVALID"),
        ({"digest": "short"}, 400, "LIST_INVALID"),
        ({"url": 7}, 400, "LIST_INVALID"),
        ({"expiresAt": "2027-01-15T07:59:59Z"}, 400, "LIST_EXPIRED"),
        ({"expiresAt": "2027-01-15T08:10:00"}, 400, "LIST_INVALID"),
        ({"url": "http://127.0.0.1:1/"}, 502, "LIST_UNAVAILABLE"),
        ({"url": "file:///etc/passwd"}, 502, "LIST_UNAVAILABLE"),
        ({"url": "ftp://127.0.0.1/x"}, 502, "LIST_UNAVAILABLE"),
        ({"url": "data:application/json,1"}, 502, "LIST_UNAVAILABLE"),
        ({"url": "nonsense"}, 502, "LIST_UNAVAILABLE"),
        ({"url": "http://a b/\r\nx: y"}, 502, "LIST_UNAVAILABLE"),
    ],
)
async def test_a_list_that_is_not_the_right_one_does_not_reach_the_app(lists, change, status, code):
    curious = Curious()
    heard = await Served(curious).ask(**asked(lists.url, **change))
    assert (heard.status, heard.code, curious.seen) == (status, code, [])


@pytest.mark.parametrize("status", [201, 302, 404, 500])
async def test_only_200_gives_a_list_and_nothing_is_followed(lists, status):
    lists.status, lists.location = status, f"{lists.url}/elsewhere"
    heard = await Served(Curious()).ask(**asked(lists.url))
    assert (heard.status, heard.code) == (502, "LIST_UNAVAILABLE")
    assert len(lists.asked) == 1


async def test_a_list_that_is_no_json_is_refused(lists):
    lists.body = b"<html>"
    given = context(participants=reference(lists.url, lists.body))
    heard = await Served(Curious()).ask(context=given, lists=["/context/participants"])
    assert (heard.status, heard.code) == (400, "LIST_INVALID")


async def test_a_list_that_breaks_the_contract_is_refused(lists):
    lists.body = b'{"id": [1]}'
    given = context(participants=reference(lists.url, lists.body))
    heard = await Served(Curious()).ask(context=given, lists=["/context/participants"])
    assert (heard.status, heard.code) == (400, "QUESTION_INVALID")


@pytest.mark.parametrize(
    "pointer",
    [
        "",
        "/",
        "context",
        "/context",
        "/id",
        "/participants/0",
        "/context/room",
        "/context/nothing",
        "/context/nothing/more",
        "/context/room/name/0",
        "/context/room/settings/steps/7",
        "/context/room/settings/steps/x",
        "/context/room/settings/steps/" + "9" * 5_000,
    ],
)
async def test_a_pointer_that_leads_to_no_list_is_refused(pointer):
    heard = await Served(Curious()).ask(lists=[pointer])
    assert (heard.status, heard.code) == (400, "LIST_INVALID")


@pytest.mark.real_time  # the socket that fetches the list has a timeout in real time as well
async def test_a_list_that_drips_does_not_outlast_the_budget(lists):
    lists.go.clear()
    heard = await Served(Curious()).ask(**asked(lists.url), budgetMs=50)
    assert (heard.status, heard.code) == (504, "APP_TIMEOUT")


async def test_a_list_behind_another_url_is_the_same_list(lists):
    curious = Curious()
    served = Served(curious)
    first = await served.ask(**asked(f"{lists.url}/a"))
    later = {"expiresAt": "2027-01-15T09:00:00Z"}
    again = await served.ask(**asked(f"{lists.url}/b", **later), attempt=2)
    assert (again.status, again.body, len(curious.seen)) == (200, first.body, 1)
    other = await served.ask(**asked(f"{lists.url}/a", digest="0" * 64))
    assert (other.status, other.code) == (409, "ID_REUSED")


async def test_a_list_may_be_fetched_in_a_way_of_ones_own():
    calls = []

    async def fetch(url, seconds):
        calls.append((url, seconds))
        if url.endswith("gone"):
            raise FetchFailed("it is gone")
        return BYTES

    curious = Curious()
    served = Served(curious, options={"fetch": fetch})
    assert (await served.ask(**asked("internal:list"))).status == 200
    assert calls == [("internal:list", 5.0)]
    heard = await served.ask(id="call_2", **asked("internal:gone"))
    assert heard.json["error"]["message"] == "The list at /context/participants: it is gone."


async def test_a_list_is_read_up_to_its_limit(lists):
    fetch = fetch_in(Threads(1), max_bytes=len(BYTES))
    assert await fetch(lists.url, 5) == BYTES
    with pytest.raises(FetchFailed, match="is larger than"):
        await fetch_in(Threads(1), max_bytes=len(BYTES) - 1)(lists.url, 5)


def test_the_clock_of_these_tests_stands_at_their_moment():

    assert datetime.fromisoformat(MOMENT).timestamp() == NOW
