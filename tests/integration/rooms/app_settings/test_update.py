"""Settings have 256 KiB at most, whichever way they come."""

import pytest

from mymozhem.contract import JsonObject
from mymozhem.errors import TooLarge
from mymozhem.rooms.actions.perform import perform
from mymozhem.rooms.app_settings.update import MAX_SETTINGS_BYTES
from mymozhem.rooms.effects import EffectRefused
from mymozhem.rooms.tables.rooms import RoomRow
from tests.support.host import HostHarness

#: what a room of the small app holds beside its banner, as JSON
REST = len('{"banner":"","limit":3,"secret":"s3cret"}')
FITS = "x" * (MAX_SETTINGS_BYTES - REST)


async def test_a_room_is_made_with_as_much_as_fits(host: HostHarness) -> None:
    room = await host.room("bazaar", settings={"banner": FITS})
    assert room.app_settings["banner"] == FITS
    with pytest.raises(TooLarge) as caught:
        await host.room("bazaar", settings={"banner": FITS + "x"})
    assert caught.value.code == "SETTINGS_TOO_LARGE"
    assert await host.count(RoomRow) == 1


async def test_bytes_count_and_not_characters(host: HostHarness) -> None:
    with pytest.raises(TooLarge):
        await host.room("bazaar", settings={"banner": "é" * (len(FITS) // 2 + 1)})


async def test_a_change_does_not_grow_settings_beyond_it(host: HostHarness) -> None:
    room = await host.room("bazaar", settings={"banner": FITS})
    with pytest.raises(TooLarge) as caught:
        await host.change(room.id, settings={"opensAt": "noon"})
    assert caught.value.code == "SETTINGS_TOO_LARGE"
    assert (await host.change(room.id, settings={"banner": "short"})).version == room.version + 1


async def test_an_app_does_not_grow_settings_beyond_it(host: HostHarness) -> None:
    room = await host.start("bazaar")
    large: JsonObject = {"effect": "setSettings", "patch": {"banner": FITS + "x"}}
    with pytest.raises(EffectRefused) as caught:
        await perform(host.services, room.id, host.organizer, "do", {"effects": [large]})
    assert caught.value.details["code"] == "SETTINGS_TOO_LARGE"
    assert await host.events(room.id, "room:updated") == []
