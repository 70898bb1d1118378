"""Attacks on the server itself, over real sockets: each ends with a refusal, and the host serves.

The server is the one of `mymozhem serve`, with its protocol and its event loop, in a thread.
"""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager

import orjson
import pytest
import uvloop
from uvicorn import Config, Server

from mymozhem.api.connections import Connections
from mymozhem.api.http_protocol import HttpLimits, guard
from tests.support.timing import HANG_TIMEOUT

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: h\r\n"
#: time limits that no test waits for
LONG = {"head_seconds": 600.0, "body_seconds": 600.0}


class Site:
    """A running server."""

    def __init__(self, port: int, connections: Connections) -> None:
        self.port = port
        self.connections = connections

    def connect(self, *, address: str = "127.0.0.1") -> socket.socket:
        return socket.create_connection(
            ("127.0.0.1", self.port), timeout=HANG_TIMEOUT, source_address=(address, 0)
        )

    def ask(self, sent: bytes, *, address: str = "127.0.0.1") -> tuple[int, bytes]:
        """Send bytes on a new connection; return status and body of the first response."""
        with closing(self.connect(address=address)) as client:
            client.sendall(sent)
            return heard(client)

    def is_serving(self) -> bool:
        return self.ask(GET)[0] == 200


def heard(client: socket.socket) -> tuple[int, bytes]:
    """Return status and body of a response whose connection is closed, or that says its length."""
    received = b""
    while b"\r\n\r\n" not in received:
        more = client.recv(65_536)
        if not more:
            return 0, received
        received += more
    head, _, body = received.partition(b"\r\n\r\n")
    lines = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    while len(body) < int(lines.get(b"content-length", 0)):
        body += client.recv(65_536)
    return int(head.split(b" ")[1]), body


def is_closed(client: socket.socket) -> bool:
    """Wait until the server closes a connection; return True."""
    try:
        while client.recv(65_536):
            pass
    except ConnectionResetError:
        pass
    return True


async def echo(scope, receive, send) -> None:
    """Read the whole request and return the length of its body."""
    if scope["path"] == "/endless":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        gone = asyncio.create_task(wait_for_disconnection(receive))
        while not gone.done():  # the server takes what is sent to a client that is gone
            await asyncio.wait_for(send_some(send), HANG_TIMEOUT)
        return
    size, more = 0, scope["path"] != "/early"
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    if scope["path"] == "/slow":
        await receive()  # until the client is gone
        return
    body = str(size).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def wait_for_disconnection(receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def send_some(send) -> None:
    await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})
    await asyncio.sleep(0)


@contextmanager
def serve(**limits) -> Iterator[Site]:
    chosen = HttpLimits(**(LONG | limits))
    config = Config(echo, ws="none", lifespan="off", log_config=None, access_log=False, loop="none",
                    timeout_keep_alive=HANG_TIMEOUT, timeout_graceful_shutdown=1)  # fmt: skip
    connections = guard(config, chosen)
    server, ready = Server(config), threading.Event()

    async def run() -> None:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn tells it no other way
            await asyncio.sleep(0.01)
        ready.set()
        await serving

    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        port = listener.getsockname()[1]
        thread = threading.Thread(target=lambda: uvloop.run(run()), daemon=True)
        thread.start()
        assert ready.wait(HANG_TIMEOUT)
        try:
            yield Site(port, connections)
        finally:
            server.should_exit = True
            thread.join(HANG_TIMEOUT)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A server with the limits by default, except those in time."""
    with serve() as found:
        yield found


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition."""
    ends = time.monotonic() + HANG_TIMEOUT
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.005)


def send_until_closed(client: socket.socket, piece: bytes, times: int) -> int:
    """Send a piece again and again; return how often that worked."""
    for number in range(times):
        try:
            client.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            return number
    return times


def test_an_ordinary_request_is_served_and_the_connection_is_kept(site):
    with closing(site.connect()) as client:
        for size in (0, 10, 300_000):
            client.sendall(POST + b"Content-Length: %d\r\n\r\n" % size + b"x" * size)
            assert heard(client) == (200, str(size).encode())
        chunks = b"".join(b"400\r\n" + b"x" * 1024 + b"\r\n" for _ in range(1024))
        client.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
        assert heard(client) == (200, b"%d" % (1024 * 1024))


def test_a_million_header_lines_are_refused_at_the_first_too_many(site):
    with closing(site.connect()) as client:
        lines = b"a:\r\n" * 10_000
        client.sendall(POST)
        send_until_closed(client, lines, 100)
        status, body = heard(client)
        assert (status, orjson.loads(body)["error"]["code"]) == (431, "HEAD_TOO_LARGE")
        assert site.is_serving()


@pytest.mark.parametrize("start", [GET[:-2] + b"X: ", b"GET /", b"GET / HTTP/1.1\r\nX"])
def test_fifty_megabytes_without_an_end_are_refused(site, start):
    with closing(site.connect()) as client:
        client.sendall(start)
        send_until_closed(client, b"x" * 500_000, 100)
        assert heard(client)[0] == 431
        assert site.is_serving()


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"".join(b"a%d: b\r\n" % number for number in range(49)), 200),
        (b"".join(b"a%d: b\r\n" % number for number in range(50)), 431),
        (b"a: " + b"x" * 4_000 + b"\r\n", 200),
        (b"a: " + b"x" * 4_096 + b"\r\n", 431),
    ],
)
def test_the_limits_are_exact(head, status):
    with serve(header_lines=50, head_bytes=4_096) as site:
        assert site.ask(GET[:-2] + head + b"\r\n")[0] == status


@pytest.mark.parametrize("trailer", [b"a:\r\n" * 200, b"a: " + b"x" * 100_000 + b"\r\n"])
def test_trailers_have_the_limits_of_headers(site, trailer):
    start = POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
    assert site.ask(start + trailer + b"\r\n")[0] in {400, 431}
    assert site.is_serving()


def test_a_body_in_the_smallest_chunks_is_refused(site):
    chunks = b"1;" + b"e" * 100 + b"\r\nx\r\n"
    sent = POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunks * 2_000
    assert site.ask(sent)[0] == 400


@pytest.mark.parametrize("sent", [b"\x00\x01", b"GET / HTTP/9.9\r\n\r\n", b"G\r\n\r\n"])
def test_what_is_no_http_is_400_in_our_own_format(site, sent):
    status, body = site.ask(sent)
    assert (status, orjson.loads(body)["error"]["code"]) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("sent", [b"G", GET[:-2], GET[:-4] + b"\r\nX: "])
def test_a_head_that_does_not_arrive_in_time_is_408(sent):
    with serve(head_seconds=0.2) as site:
        status, body = site.ask(sent)
        assert (status, orjson.loads(body)["error"]["code"]) == (408, "TIMEOUT")


def test_a_head_that_drips_is_408_as_well():
    with serve(head_seconds=0.3) as site, closing(site.connect()) as client:
        client.sendall(GET[:-2])
        client.settimeout(0.05)
        for number in range(10_000):
            client.sendall(b"a%d: b\r\n" % number)
            try:
                assert client.recv(13, socket.MSG_PEEK) == b"HTTP/1.1 408 "
                break
            except TimeoutError:
                continue
        else:
            pytest.fail("the server waited for all of it")


@pytest.mark.parametrize("sent", [b"", b"\r\n", GET, GET + b"\r\n"])
def test_a_connection_without_a_request_is_closed_in_time(sent):
    with serve(head_seconds=0.2) as site, closing(site.connect()) as client:
        client.sendall(sent)
        if sent.startswith(GET):
            assert heard(client)[0] == 200
            client.sendall(b"\r\n")
        assert is_closed(client)


@pytest.mark.parametrize("body", [b"Content-Length: 9\r\n\r\n", b"Content-Length: 9\r\n\r\nx"])
def test_a_body_that_does_not_arrive_in_time_is_408(body):
    with serve(body_seconds=0.2) as site:
        assert site.ask(POST + body)[0] == 408


def test_a_body_that_goes_on_after_its_response_is_not_read_forever(site):
    start = b"POST /early HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000000\r\n\r\n"
    with closing(site.connect()) as client:
        client.sendall(start)
        assert heard(client)[0] == 200
        assert send_until_closed(client, b"x" * 1_000_000, 1_000) < 1_000


def test_a_client_that_does_not_read_is_disconnected():
    with serve(body_seconds=0.3) as site, closing(site.connect()) as client:
        client.sendall(b"GET /endless HTTP/1.1\r\nHost: h\r\n\r\n")
        until(lambda: len(site.connections) == 0)


def test_a_thousand_requests_in_one_piece_are_not_all_taken(site):
    with closing(site.connect()) as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n" + GET * 1_000)
        assert is_closed(client)
        assert site.is_serving()


def test_some_requests_in_one_piece_are_answered_in_their_order(site):
    with closing(site.connect()) as client:
        posts = (POST + b"Content-Length: %d\r\n\r\n" % n + b"x" * n for n in range(8))
        client.sendall(b"".join(posts))
        received = b""
        while received.count(b"HTTP/1.1 200") < 8:
            received += client.recv(65_536)
        answers = [part[-1:] for part in received.split(b"HTTP/1.1 200")[1:]]
        assert answers == [b"%d" % number for number in range(8)]


@pytest.mark.parametrize("sent", [b"", b"G", GET[:-2], POST + b"Content-Length: 9\r\n\r\nx"])
def test_idle_and_half_sent_connections_keep_nobody_out(sent):
    with serve(connections=50) as site, ExitStack() as stack:
        for _ in range(1_100 // 10):
            stack.enter_context(closing(client := site.connect()))
            client.sendall(sent)
        assert all(site.is_serving() for _ in range(20))
        assert len(site.connections) <= 51


def test_one_address_takes_no_more_than_its_share():
    with serve(connections=100, connections_per_address=10) as site, ExitStack() as stack:
        for _ in range(30):
            stack.enter_context(closing(site.connect(address="127.0.0.2")))
        other = stack.enter_context(closing(site.connect(address="127.0.0.3")))
        until(lambda: len(site.connections) == 11)
        assert site.ask(GET, address="127.0.0.2")[0] == 200
        other.sendall(GET)
        assert heard(other)[0] == 200


def test_a_trusted_proxy_brings_a_whole_venue():
    with serve(connections_per_address=10) as site, ExitStack() as stack:
        phones = [stack.enter_context(closing(site.connect())) for _ in range(200)]
        for phone in phones:
            phone.sendall(GET)
            assert heard(phone)[0] == 200


def test_a_connection_is_refused_if_all_others_are_answered():
    with serve(connections=5) as site, ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(closing(client := site.connect()))
            client.sendall(b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
        until(lambda: len(site.connections) == 5 and site.connections.idle == 0)
        status, body = site.ask(GET)
        assert (status, orjson.loads(body)["error"]["code"]) == (503, "TOO_MANY_CONNECTIONS")
