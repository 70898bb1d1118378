"""A remote app that answers for another lock is written down, shown and counted."""

import re

import pytest

from mymozhem.contract.serve import serve
from mymozhem.dispatch.dispatcher import Dispatcher
from mymozhem.dispatch.lock_drift import Drifted
from mymozhem.dispatch.observers import CallObservers
from mymozhem.rooms.core.membership import find_membership
from mymozhem.rooms.locks.drift import MOST_NAMED, Drifts
from mymozhem.rooms.views.locks import room_lock
from mymozhem.testing import open_host
from tests.integration.rooms.locks.hosts import lock_of
from tests.support.apps.draw_app import DrawApp
from tests.support.host import make_host

pytestmark = pytest.mark.both_engines

OTHER = "b" * 64
NAMED = rb'("lock":\s*")[0-9a-f]{64}'


@pytest.fixture
async def host(database, clock, tmp_path):
    host = await make_host(database, clock, tmp_path, {"drawer": DrawApp()})
    yield host
    await host.services.dispatcher.close()


@pytest.fixture
async def drifts(host):
    drifts = Drifts(pause=0)
    await drifts.open(host.services)
    yield drifts
    await drifts.close()


def drift(room, named=OTHER):
    return Drifted("drawer", "1.0.0", room.id, named, "a" * 64)


async def test_drifts_are_counted_and_shown_to_organizers_alone(host, drifts, clock):
    room = await host.start("drawer")
    for _ in range(3):
        drifts.drifted(drift(room))
    await drifts.settled()
    first_at = clock.now()
    clock.advance(60)
    drifts.drifted(drift(room))
    await drifts.settled()
    (seen,) = (await lock_of(host, host.services, room.id)).drift
    assert (seen.named, seen.expected, seen.times) == (OTHER, "a" * 64, 4)
    assert (seen.first_at, seen.last_at) == (first_at, clock.now())
    guest = await host.guest(room)
    async with host.services.database.read() as session:
        seat = await find_membership(session, room.id, host.who(guest))
        assert (await room_lock(session, host.services.catalog, seat)).drift is None


async def test_whatever_an_app_names_is_kept_within_bounds(host, drifts):
    room = await host.start("drawer")
    drifts.drifted(drift(room, "\x00\x1b[31m" + "x" * 1_000))
    for number in range(MOST_NAMED + 5):
        drifts.drifted(drift(room, f"lock {number}"))
    await drifts.settled()
    drifts.drifted(drift(room, "lock 0"))
    await drifts.settled()
    seen = (await lock_of(host, host.services, room.id)).drift
    assert len(seen) == MOST_NAMED
    assert all(each.named.isprintable() and len(each.named) <= 128 for each in seen)
    assert {each.times for each in seen if each.named == "lock 0"} == {2}


async def test_a_room_that_is_gone_has_no_drift(drifts, host):
    drifts.drifted(Drifted("drawer", "1.0.0", "room_nowhere", OTHER, "a" * 64))
    await drifts.settled()
    assert (await lock_of(host, host.services, (await host.room("drawer")).id)).drift == []


def confused(app, keys):
    """Serve an app as a server does that holds another manifest: its replies name that lock."""
    inner = serve(app, keys=keys)

    async def outer(scope, receive, send):
        async def sent(message):
            if message["type"] == "http.response.body":
                body = re.sub(NAMED, rb"\1" + OTHER.encode(), message["body"])
                message = message | {"body": body}
            await send(message)

        await inner(scope, receive, sent)

    return outer


@pytest.mark.parametrize(("endpoint", "named"), [(confused, [OTHER]), (serve, [])])
async def test_what_a_real_server_answers_is_compared_with_the_room_s_lock(endpoint, named):
    made = endpoint if endpoint is confused else lambda app, keys: serve(app, keys=keys)
    async with open_host({"drawer": DrawApp()}, served=True, endpoint=made) as host:
        drifts = Drifts(pause=0)
        await drifts.open(host.services)
        services = host.services
        dispatcher = Dispatcher(
            services.catalog, services.clock, services.settings, remote=host.remote,
            observers=CallObservers(drifts=drifts),
        )  # fmt: skip
        host.services = type(services)(
            services.database, services.catalog, dispatcher, services.keys, services.clock,
            services.settings,
        )  # fmt: skip
        room = await host.start("drawer")
        assert await host.act(room, "do", {}) is None
        await drifts.settled()
        seen = await lock_of(host, host.services, room.id)
        assert [each.named for each in seen.drift] == named
        assert {each.expected for each in seen.drift} <= {seen.digest}
        await drifts.close()
        await dispatcher.close()
