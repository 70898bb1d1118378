"""A house gives tests of apps rooms, guests, actions, time and the log."""

import pytest

from mymozhem.contract import RoomStatus, WindowStatus
from mymozhem.errors import Unavailable
from mymozhem.testing import NotLoadable, open_host
from mymozhem.testing.web_server import WireFault
from tests.support.apps.tiny_app import NeedsCards, Promises, Tiny

TRANSPORTS = pytest.mark.parametrize("served", [False, True], ids=["inside", "served"])


@TRANSPORTS
async def test_people_act_and_what_they_did_is_in_state_and_log(served):
    async with open_host({"tiny": Tiny()}, served=served) as host:
        room = await host.start("tiny")
        ada = await host.guest(room, "Ada")
        assert await host.act(room, "add", by=ada) == 1
        assert await host.act(room, "add") == 2
        assert (await host.sees(room, ada)).state.public == {"count": 2}
        added = await host.events(room.id, "tiny:added")
        assert [event.payload for event in added] == [{"count": 1}, {"count": 2}]


@TRANSPORTS
async def test_time_closes_a_window_and_the_app_settles_it(served):
    async with open_host({"tiny": Tiny()}, served=served) as host:
        room = await host.start("tiny")
        ada = await host.guest(room, "Ada")
        await host.act(room, "ask")
        (window,) = (await host.sees(room, ada)).windows
        await host.submit(room, window.id, {}, by=ada)
        await host.advance(5)
        assert (await host.replayed(room.id)).windows == {window.id: WindowStatus.CLOSED}
        assert (await host.replayed(room.id)).scores == {ada.participant.id: 1}


async def test_a_person_whom_the_organizer_adds_is_in_the_room_without_data_of_the_app():
    async with open_host({"tiny": NeedsCards()}) as host:
        room = await host.start("tiny")
        ada = await host.guest(room, "Ada")
        assert (await host.sees(room, ada)).me.own == {"card": 1}
        assert await host.act(room, "add") == 2
        added = await host.add_person(room, "Bob")
        assert added != ada.participant.id
        with pytest.raises(Unavailable):
            await host.act(room, "add")


async def test_a_service_breaks_and_is_mended():
    async with open_host({"tiny": Tiny()}, served=True) as host:
        room = await host.start("tiny")
        for fault in WireFault:
            if fault is WireFault.HANGS:
                continue  # takes as long as the deadline
            await host.fronts["tiny"].break_by(fault)
            with pytest.raises(Unavailable):
                await host.act(room, "add")
        await host.fronts["tiny"].break_by(None)
        assert await host.act(room, "add") == 1
        assert (await host.change(room.id, status=RoomStatus.COMPLETED)).status == "COMPLETED"


async def test_in_a_hurry_nobody_waits_for_an_app_that_hangs():
    async with open_host({"tiny": Tiny()}, served=True) as host:
        room = await host.start("tiny")
        await host.fronts["tiny"].break_by(WireFault.HANGS)
        async with host.hurried(100) as hurried:
            with pytest.raises(Unavailable, match="within 100 ms"):
                await hurried.act(room, "add")
        await host.fronts["tiny"].break_by(None)
        assert await host.act(room, "add") == 1


async def test_an_app_that_the_host_would_refuse_is_refused_with_its_reasons():
    with pytest.raises(NotLoadable, match="it declares timers and does not implement on_timer"):
        async with open_host({"tiny": Promises()}):
            pass
