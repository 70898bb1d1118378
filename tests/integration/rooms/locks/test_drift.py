"""A remote app that answers for another lock is written down, shown and counted."""

import re

import pytest

from mymozhem.contract.serve import serve
from mymozhem.dispatch.dispatcher import Dispatcher
from mymozhem.dispatch.lock_drift import Drifted
from mymozhem.dispatch.observers import Ears
from mymozhem.rooms.core.membership import find_seat
from mymozhem.rooms.locks.drift import MOST_NAMED, Drifts
from mymozhem.rooms.views.locks import room_lock
from mymozhem.testing import open_house
from tests.integration.rooms.locks.hosts import lock_of
from tests.support.apps.draw_app import Drawer
from tests.support.host import make_house

pytestmark = pytest.mark.both_engines

OTHER = "b" * 64
NAMED = rb'("lock":\s*")[0-9a-f]{64}'


@pytest.fixture
async def house(database, clock, tmp_path):
    house = await make_house(database, clock, tmp_path, {"drawer": Drawer()})
    yield house
    await house.services.dispatcher.close()


@pytest.fixture
async def drifts(house):
    drifts = Drifts(pause=0)
    drifts.open(house.services)
    yield drifts
    await drifts.close()


def drift(room, named=OTHER):
    return Drifted("drawer", "1.0.0", room.id, named, "a" * 64)


async def test_drifts_are_counted_and_shown_to_organizers_alone(house, drifts, clock):
    room = await house.start("drawer")
    for _ in range(3):
        drifts.drifted(drift(room))
    await drifts.settled()
    first_at = clock.now()
    clock.advance(60)
    drifts.drifted(drift(room))
    await drifts.settled()
    (seen,) = (await lock_of(house, house.services, room.id)).drift
    assert (seen.named, seen.expected, seen.times) == (OTHER, "a" * 64, 4)
    assert (seen.first_at, seen.last_at) == (first_at, clock.now())
    guest = await house.guest(room)
    async with house.services.database.read() as session:
        seat = await find_seat(session, room.id, house.who(guest))
        assert (await room_lock(session, house.services.catalog, seat)).drift is None


async def test_whatever_an_app_names_is_kept_within_bounds(house, drifts):
    room = await house.start("drawer")
    drifts.drifted(drift(room, "\x00\x1b[31m" + "x" * 1_000))
    for number in range(MOST_NAMED + 5):
        drifts.drifted(drift(room, f"lock {number}"))
    await drifts.settled()
    drifts.drifted(drift(room, "lock 0"))
    await drifts.settled()
    seen = (await lock_of(house, house.services, room.id)).drift
    assert len(seen) == MOST_NAMED
    assert all(each.named.isprintable() and len(each.named) <= 128 for each in seen)
    assert {each.times for each in seen if each.named == "lock 0"} == {2}


async def test_a_room_that_is_gone_has_no_drift(drifts, house):
    drifts.drifted(Drifted("drawer", "1.0.0", "room_nowhere", OTHER, "a" * 64))
    await drifts.settled()
    assert (await lock_of(house, house.services, (await house.room("drawer")).id)).drift == []


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
    async with open_house({"drawer": Drawer()}, served=True, endpoint=made) as house:
        drifts = Drifts(pause=0)
        drifts.open(house.services)
        services = house.services
        dispatcher = Dispatcher(
            services.catalog, services.clock, services.settings, remote=house.remote,
            ears=Ears(drifts=drifts),
        )  # fmt: skip
        house.services = type(services)(
            services.database, services.catalog, dispatcher, services.keys, services.clock,
            services.settings,
        )  # fmt: skip
        room = await house.start("drawer")
        assert await house.act(room, "do", {}) is None
        await drifts.settled()
        seen = await lock_of(house, house.services, room.id)
        assert [each.named for each in seen.drift] == named
        assert {each.expected for each in seen.drift} <= {seen.digest}
        await drifts.close()
        await dispatcher.close()
