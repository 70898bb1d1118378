"""An event from end to end over HTTP, and what each of its people sees on the way."""

import orjson
import pytest

from mymozhem.contract.fair import read_record, verify
from tests.support.api_host import ApiHost

pytestmark = pytest.mark.both_engines


async def test_an_event_runs_over_http_and_nobody_sees_a_result_before_its_reveal(
    host: ApiHost, tmp_path
):
    room = await host.start(prizes=[{"name": "Bicycle", "quantity": 2}])
    path = f"/rooms/{room['id']}"
    guests = [await host.guest(room, f"Guest {number}") for number in range(5)]
    wish = {"run": True, "reveal": "manual", "reserves": 2}
    asked = await host.organizer.post(f"{path}/draws", wish)
    assert asked.status == 202, asked.raw
    draw = f"{path}/draws/{asked.data['id']}"
    await host.work()
    for caller in (host.organizer, guests[0][0]):
        seen = (await caller.get(draw)).data
        assert seen["status"] == "DRAWN"
        assert not {"picks", "reserves", "link"} & seen.keys()
        assert (await caller.get(f"{path}/winners")).data == []
        log = (await caller.get(f"{path}/events")).data
        assert "winner:selected" not in {event["type"] for event in log}
    assert (await host.nobody.get(f"{draw}/record")).status == 404
    revealed = await host.organizer.post(f"{draw}/reveal")
    assert revealed.status == 200, revealed.raw
    people = [each["participantId"] for each in revealed.data["picks"] + revealed.data["reserves"]]
    assert (len(revealed.data["picks"]), len(set(people))) == (2, 4)
    assert all(each.keys() == {"participantId", "ticket"} for each in revealed.data["reserves"])
    won = (await guests[0][0].get(f"{path}/winners")).body
    assert won["meta"] == {"page": 1, "limit": 20, "total": 2, "totalPages": 1}
    assert won["data"][0]["prize"]["name"] == "Bicycle"
    record = await host.nobody.get(f"{draw}/record")
    assert record.status == 200
    file = tmp_path / "record.json"
    file.write_bytes(orjson.dumps(record.data))
    assert verify(read_record(file)).ok
    assert record.data["reserves"] == revealed.data["reserves"]
    wish = {"reserves": 1_001}
    assert (await host.organizer.post(f"{path}/draws", wish)).status == 422
