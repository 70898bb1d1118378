"""Records over HTTP, and values of public sources, which are confirmed before they count."""

from datetime import timedelta

from mymozhem.contract import fair
from mymozhem.contract.enums import RoomStatus
from tests.support.api_host import ApiHost

FORMAT = {"kind": "numbers", "count": 2, "min": 1, "max": 9}


async def test_a_record_is_served_with_an_etag_also_after_its_room_is_gone(host: ApiHost):
    room = await host.start(prizes=[{"name": "Bicycle", "quantity": 2}])
    path = f"/rooms/{room['id']}"
    await host.guest(room, "Ada")
    draw = (await host.organizer.post(f"{path}/draws", {"run": True})).data["id"]
    await host.work()
    address = f"{path}/draws/{draw}/record"
    first = await host.nobody.get(address)
    assert first.status == 200
    assert fair.verify(first.data).ok
    assert first.headers["ETag"] == f'"{first.data["recordDigest"]}"'
    assert int(first.headers["Content-Length"]) == len(first.raw)
    for known in (first.headers["ETag"], f'"other", {first.headers["ETag"]}', "*"):
        again = await host.nobody.get(address, headers={"If-None-Match": known})
        assert (again.status, again.raw) == (304, b""), known
        assert again.headers["ETag"] == first.headers["ETag"]
    other = await host.nobody.get(address, headers={"If-None-Match": '"other"'})
    assert (other.status, other.raw) == (200, first.raw)
    cancelled = await host.organizer.patch(path, {"status": RoomStatus.CANCELLED})
    assert cancelled.status == 200, cancelled.raw
    assert (await host.organizer.delete(path)).status == 200
    assert (await host.nobody.get(path)).status == 404
    kept = await host.nobody.get(address)
    assert (kept.status, kept.raw) == (200, first.raw)


async def test_a_value_is_accepted_in_the_form_that_was_shown(host: ApiHost, clock):
    room = await host.start(prizes=[{"name": "Bicycle", "quantity": 2}])
    path = f"/rooms/{room['id']}"
    await host.guest(room, "Ada")
    source = {"name": "lotto", "due": (clock.now() + timedelta(minutes=5)).isoformat()}
    without = await host.organizer.post(f"{path}/draws", {"publicSources": [source]})
    assert without.status == 422
    assert "/publicSources/0/format" in without.body["error"]["details"]["fields"]
    wish = {"publicSources": [source | {"format": FORMAT}]}
    draw = f"{path}/draws/{(await host.organizer.post(f'{path}/draws', wish)).data['id']}"
    await host.work()
    clock.advance(timedelta(minutes=5))
    asked = await host.organizer.post(f"{draw}/run", {"publicInputs": ["09 3"]})
    assert asked.status == 409
    assert asked.body["error"]["code"] == "PUBLIC_INPUTS_UNCONFIRMED"
    shown = asked.body["error"]["details"]["confirm"]
    assert shown == ["3.9."]
    body = {"publicInputs": [[9, 3]], "confirm": shown}
    ran = await host.organizer.post(f"{draw}/run", body)
    assert (ran.status, ran.data["publicInputs"]) == (202, ["3.9."])
    await host.work()
    record = (await host.nobody.get(f"{draw}/record")).data
    assert record["publicInputs"] == ["3.9."]
    assert fair.verify(record).ok
