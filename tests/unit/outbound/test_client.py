"""The one way out: what it sends, what it reads, and what no server can make it do."""

import asyncio
import gzip
import socket
import ssl
from functools import partial

import pytest

from mymozhem.outbound import AddressForbidden, Guard, Outbound, Unreachable, Unreadable
from mymozhem.outbound.connector import POOL_SIZE
from mymozhem.outbound.guard import LOOPBACK
from mymozhem.outbound.resolver import Resolver
from tests.support.timing import HANG_TIMEOUT
from tests.unit.outbound.hostile import answer, drip, flood, hang, says, serving

MOST = 64 * 1024


@pytest.fixture
async def outbound():
    outbound = Outbound(Guard(LOOPBACK), max_bytes=MOST)
    yield outbound
    await outbound.close()


async def post(outbound, url, body=b"{}", *, seconds=5.0, headers=None, **more):
    return await outbound.post(
        f"{url}/hook", body, pool="raffle", headers=headers or {}, seconds=seconds, **more
    )


async def test_the_body_arrives_with_the_headers_and_asks_for_plain_bytes(outbound):
    async with serving(says(answer(b'{"a":1}'))) as server:
        answered = await post(outbound, server.url, b'{"q":1}', headers={"X-Mine": "yes"})
    assert answered == (200, "application/json", b'{"a":1}')
    heard = server.heard[0]
    assert heard.line == "POST /hook HTTP/1.1"
    assert heard.body == b'{"q":1}'
    assert heard.headers["x-mine"] == "yes"
    assert heard.headers["accept-encoding"] == "identity"
    assert heard.headers["accept"] == "application/json"


async def test_the_media_type_is_told_without_its_parameters(outbound):
    async with serving(says(answer(kind="Application/JSON; charset=utf-8"))) as server:
        assert (await post(outbound, server.url)).content_type == "application/json"


async def test_cookies_are_neither_kept_nor_sent(outbound):
    async with serving(says(answer(Set_Cookie="a=1; Path=/"))) as server:
        await post(outbound, server.url)
        await post(outbound, server.url)
    assert all("cookie" not in heard.headers for heard in server.heard)


async def test_proxies_of_the_environment_are_not_used(outbound, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with serving(says(answer())) as server:
        assert (await post(outbound, server.url)).status == 200


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
async def test_redirects_are_told_and_never_followed(outbound, status):
    async with (
        serving(says(answer())) as other,
        serving(says(answer(status=status, Location=other.url))) as server,
    ):
        assert (await post(outbound, server.url)).status == int(status[:3])
    assert other.heard == []


async def test_bodies_of_failures_are_not_read(outbound):
    head = b"HTTP/1.1 500 Broken\r\nContent-Type: text/html\r\n\r\n"
    async with serving(says(head, b"<html>")) as server:
        assert await post(outbound, server.url) == (500, "text/html", b"")


async def test_encoded_answers_are_refused_unopened(outbound):
    bomb = gzip.compress(b" " * 10_000_000)
    async with serving(says(answer(bomb, Content_Encoding="gzip"))) as server:
        with pytest.raises(Unreadable):
            await post(outbound, server.url)


@pytest.mark.parametrize(
    "script",
    [
        says(answer(b"x" * (MOST + 1))),
        says(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"),
        flood,
    ],
)
async def test_an_answer_that_is_too_large_is_not_read_to_its_end(outbound, script):
    async with serving(script) as server:
        with pytest.raises(Unreadable, match="65536 bytes"):
            await post(outbound, server.url)


async def test_an_answer_just_at_the_limit_is_read(outbound):
    async with serving(says(answer(b"x" * MOST))) as server:
        assert len((await post(outbound, server.url)).body) == MOST


@pytest.mark.parametrize("script", [hang, drip()])
async def test_the_deadline_holds_whatever_the_server_does(outbound, script):
    async with asyncio.timeout(HANG_TIMEOUT), serving(script) as server:
        with pytest.raises(TimeoutError):
            await post(outbound, server.url, seconds=0.2)


@pytest.mark.parametrize("script", [hang, drip(), flood])
async def test_a_cancelled_caller_is_let_go_at_once(outbound, script):
    async with asyncio.timeout(HANG_TIMEOUT), serving(script) as server:
        task = asyncio.create_task(post(outbound, server.url))
        await server.until()
        task.cancel()
        with pytest.raises((asyncio.CancelledError, Unreadable)):
            await task


@pytest.mark.parametrize(
    "script",
    [
        says(b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 100_000 + b"\r\n\r\n"),
        says(b"HTTP/1.1 200 OK\r\n" + b"X-Many: 1\r\n" * 10_000 + b"\r\n"),
        says(b"what?\r\n\r\n", then_close=True),
    ],
)
async def test_what_is_no_http_or_too_much_of_it_is_unreadable(outbound, script):
    async with serving(script) as server:
        with pytest.raises(Unreadable):
            await post(outbound, server.url)


@pytest.mark.parametrize(
    "script",
    [
        says(then_close=True),
        says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", then_close=True),
        says(b"HTTP/1.1 200 OK\r\nContent-", then_close=True),
    ],
)
async def test_a_connection_that_is_cut_is_no_answer(outbound, script):
    async with serving(script) as server:
        with pytest.raises(Unreachable):
            await post(outbound, server.url)
    assert len(server.heard) == 1


async def test_a_closed_port_and_an_unknown_name_are_unreachable(outbound):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable):
            await post(outbound, f"http://127.0.0.1:{bound.getsockname()[1]}")
    with pytest.raises(Unreachable):
        await post(outbound, "https://no.such.name.invalid")


async def test_a_name_is_found_by_the_machine_and_a_bad_one_is_an_os_error():
    found = await Resolver().resolve("localhost", 80, socket.AF_INET)
    assert found[0]["host"] == "127.0.0.1"
    for name in ("no.such.name.invalid", "a" * 70 + ".example", "..."):
        with pytest.raises(OSError):  # noqa: PT011  each system has words of its own
            await Resolver().resolve(name, 80)


async def test_a_certificate_that_nobody_vouches_for_is_unreachable(outbound, own_certificate):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*own_certificate)
    server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Unreachable):
            await post(outbound, f"https://127.0.0.1:{port}")


async def test_a_kept_connection_is_used_again(outbound):
    async with serving(says(answer())) as server:
        for _ in range(5):
            await post(outbound, server.url)
    assert server.connections == 1


async def test_a_server_that_closes_kept_connections_loses_none_of_a_hundred_requests(outbound):
    async with serving(says(answer(), then_close=True)) as server:
        for number in range(100):
            sent = str(number).encode()
            assert (await post(outbound, server.url, sent)).status == 200
    assert {heard.body for heard in server.heard} == {str(n).encode() for n in range(100)}


async def test_many_at_once_survive_a_server_that_closes_every_other_time(outbound):
    count = 0

    async def moody(heard, writer):
        nonlocal count
        count += 1
        writer.write(answer(heard.body))
        if count % 2:
            writer.close()

    async with serving(moody) as server:
        ask = partial(post, outbound, server.url)
        for start in range(0, 100, 10):
            bodies = [str(start + n).encode() for n in range(10)]
            answers = await asyncio.gather(*(ask(body) for body in bodies))
            assert [each.body for each in answers] == bodies


async def test_a_request_on_a_kept_connection_is_sent_twice_at_most(outbound):
    served = 0

    async def once(_heard, writer):
        nonlocal served
        served += 1
        if served == 1:
            writer.write(answer())
        else:
            writer.close()

    async with serving(once) as server:
        await post(outbound, server.url, b"first")
        with pytest.raises(Unreachable):
            await post(outbound, server.url, b"second")
    assert [heard.body for heard in server.heard] == [b"first", b"second", b"second"]


async def test_an_app_has_so_many_connections_and_no_more(outbound):
    async with serving(hang) as server:
        ask = partial(post, outbound, server.url)
        asked = [asyncio.create_task(ask()) for _ in range(POOL_SIZE + 20)]
        await server.until(POOL_SIZE)
        with pytest.raises(TimeoutError):
            await ask(seconds=0.1)
        assert server.connections == POOL_SIZE
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)


async def test_a_unix_socket_takes_the_place_of_the_network(outbound, tmp_path):
    path = tmp_path / "app.sock"
    async with serving(says(answer(b"[1]")), path=path) as server:
        assert (await post(outbound, server.url, socket=str(path))).body == b"[1]"
    with pytest.raises(Unreachable):
        await post(outbound, server.url, socket=str(tmp_path / "none.sock"))


async def test_a_body_of_megabytes_arrives_whole(outbound, tmp_path):
    path, body = tmp_path / "app.sock", bytes(range(256)) * 20_000
    async with serving(says(answer(b"[1]")), path=path) as server:
        await post(outbound, server.url, body, socket=str(path))
    assert [heard.body == body for heard in server.heard] == [True]


async def test_who_has_closed_sends_nothing_to_a_socket_either(outbound, tmp_path):
    path = tmp_path / "app.sock"
    async with serving(says(answer(b"[1]")), path=path) as server:
        await outbound.close()
        with pytest.raises(Unreachable, match="stopping"):
            await post(outbound, server.url, socket=str(path))
    assert server.connections == 0


async def test_no_packet_goes_to_a_closed_network():
    closed = Outbound(Guard())
    async with serving(says(answer())) as server:
        with pytest.raises(AddressForbidden):
            await post(closed, server.url)
        with pytest.raises(AddressForbidden):
            await post(closed, server.url.replace("http:", "https:"))
    assert server.connections == 0
    await closed.close()


async def test_nothing_is_sent_after_the_end(outbound):
    await outbound.close()
    await outbound.close()
    async with serving(says(answer())) as server:
        with pytest.raises(Unreachable):
            await post(outbound, server.url)
    assert server.connections == 0
