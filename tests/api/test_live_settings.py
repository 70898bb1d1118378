"""Settings over HTTP while a room runs: live ones change and are told, all others are frozen."""

from typing import Any

from tests.support.api_host import ApiHost, Caller, Heard


async def change(caller: Caller, room: Any, settings: object, **headers: str) -> Heard:
    path = f"/rooms/{room['id']}"
    return await caller.patch(path, {"appSettings": settings}, headers=headers)


async def settings_of(caller: Caller, room: Any) -> Any:
    return (await caller.get(f"/rooms/{room['id']}")).data["appSettings"]


async def test_a_draft_takes_any_setting_and_a_running_room_live_ones_alone(host: ApiHost):
    room = await host.room()
    assert (await change(host.organizer, room, {"inside": "soup", "live": 2})).status == 200
    await host.organizer.patch(f"/rooms/{room['id']}", {"status": "ACTIVE"})

    frozen = await change(host.organizer, room, {"inside": "salad", "live": 3})
    assert (frozen.status, frozen.code) == (409, "SETTINGS_FROZEN")
    assert frozen.body["error"]["details"]["settings"] == ["/inside"]
    assert (await settings_of(host.organizer, room))["live"] == 2  # all or none

    live = await change(host.organizer, room, {"live": 3, "inside": "soup"})
    assert live.status == 200
    assert live.data["appSettings"]["live"] == 3


async def test_a_live_change_is_logged_by_name_and_never_by_value(host: ApiHost):
    room = await host.start()
    guest, _ = await host.guest(room)
    assert (await change(host.organizer, room, {"live": 77_123})).status == 200
    path = f"/rooms/{room['id']}/events"
    told = [e["payload"] for e in (await host.organizer.get(path)).data]
    assert {"fields": ["appSettings/live"]} in told
    assert "room:updated" not in {e["type"] for e in (await guest.get(path)).data}
    for caller in (host.organizer, guest):
        assert b"77123" not in (await caller.get(path)).raw
    assert "live" not in await settings_of(guest, room)


async def test_a_live_setting_keeps_to_its_schema_and_to_its_organizers(host: ApiHost):
    room = await host.start()
    guest, _ = await host.guest(room)
    broken = await change(host.organizer, room, {"live": "many"})
    assert (broken.status, broken.code) == (422, "SETTINGS_INVALID")
    assert broken.body["error"]["details"]["fields"].keys() == {"/appSettings/live"}
    assert (await change(guest, room, {"live": 5})).status == 403
    stranger = await host.person("stranger@example.com")
    assert (await change(stranger, room, {"live": 5})).status == 404
    assert (await settings_of(host.organizer, room))["live"] == 1


async def test_two_organizers_do_not_overwrite_each_other_s_live_change(host: ApiHost):
    room = await host.start()
    seen = (await host.organizer.get(f"/rooms/{room['id']}")).headers["ETag"]
    first = await change(host.organizer, room, {"live": 2}, **{"If-Match": seen})
    late = await change(host.organizer, room, {"live": 3}, **{"If-Match": seen})
    assert (first.status, late.status, late.code) == (200, 412, "ROOM_CHANGED")
    assert (await settings_of(host.organizer, room))["live"] == 2


async def test_an_app_changes_live_settings_alone_while_the_room_runs(host: ApiHost):
    room = await host.start()
    path = f"/rooms/{room['id']}/actions/do"
    for name, value, status in (("live", 9, 200), ("inside", "salad", 409)):
        effects = [{"effect": "setSettings", "patch": {name: value}}]
        heard = await host.organizer.post(path, {"effects": effects})
        assert heard.status == status, heard.raw
    assert heard.body["error"]["details"]["code"] == "SETTINGS_FROZEN"
    found = await settings_of(host.organizer, room)
    assert (found["live"], found["inside"]) == (9, "to organizers")


async def test_an_ended_room_freezes_live_settings_too(host: ApiHost):
    room = await host.start()
    await host.organizer.patch(f"/rooms/{room['id']}", {"status": "COMPLETED"})
    heard = await change(host.organizer, room, {"live": 5})
    assert (heard.status, heard.code) == (409, "SETTINGS_FROZEN")
