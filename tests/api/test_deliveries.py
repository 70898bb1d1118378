"""Deliveries on the admin routes: seen without their bodies, retried, deleted, and audited."""

import pytest

from mymozhem.deliveries.delivery import Outcome, Result
from mymozhem.deliveries.relay import Relay
from mymozhem.deliveries.retry_schedule import Schedules
from mymozhem.wiring.deliveries import relay_of
from tests.support.relay_host import FAILED, App, telling
from tests.unit.outbound.hostile import answer, says, serving

SECRET = "the card under the hat"
PARKED = Result(Outcome.PARKED, "APP_STOPPED", "stall was stopped by the operator.")


@pytest.fixture
async def admin(host):
    return await host.person("admin@example.com", is_admin=True)


async def put(host, *rooms, app="stall"):
    """Tell each room's stream one thing; return the ids in that order."""
    services, ids = host.host.services, []
    for room in rooms:
        told = telling([SECRET], app=app, room=room)
        async with services.database.write() as unit:
            ids += await services.outbox.enqueue(unit, [told])
    return ids


async def carry(host, *answers):
    services = host.host.services
    settings = services.settings.model_copy(update={"delivery_attempts": 1})
    schedules = Schedules(services.catalog, settings)
    relay = Relay(services.database, services.outbox, App([*answers]), schedules, services.clock)
    await relay.run_due()


async def test_an_admin_sees_deliveries_by_state_app_and_room_and_never_what_they_say(host, admin):
    dead, delivered = await put(host, "room_1", "room_2")
    await carry(host, FAILED)
    (other,) = await put(host, "room_1", app="other")
    await carry(host, PARKED)
    for path, found in (
        ("/admin/deliveries", [other, delivered, dead]),
        ("/admin/deliveries?state=delivered", [delivered]),
        ("/admin/deliveries?roomId=room_1", [other, dead]),
        ("/admin/deliveries?appId=stall&capability=analytics", [delivered, dead]),
        ("/admin/deliveries?limit=1&page=2", [delivered]),
        ("/admin/dead-letters", [dead]),
        ("/admin/dead-letters?appId=other", []),
    ):
        heard = await admin.get(path)
        assert [each["id"] for each in heard.data] == found, path
        assert SECRET.encode() not in heard.raw
    (waiting, *_) = (await admin.get("/admin/deliveries")).data
    assert (waiting["state"], waiting["parked"]) == ("pending", True)
    assert waiting["nextAt"] == "2030-01-01T12:01:00.000Z"
    assert (waiting["lastCode"], waiting["attemptCount"]) == ("APP_STOPPED", 0)


async def test_an_admin_sees_every_attempt(host, admin):
    (dead,) = await put(host, "room_1")
    await carry(host, FAILED)
    heard = await admin.get(f"/admin/deliveries/{dead}")
    assert SECRET.encode() not in heard.raw
    seen = heard.data
    assert (seen["state"], seen["nextAt"], seen["hook"]) == ("dead", None, "on_event")
    (attempt,) = seen["attempts"]
    assert (attempt["number"], attempt["outcome"], attempt["code"]) == (
        1,
        "failed",
        "APP_BAD_STATUS",
    )
    assert (await admin.get("/admin/deliveries/call_none")).code == "DELIVERY_NOT_FOUND"


async def test_an_admin_retries_a_letter_once_however_often_it_is_asked(host, admin):
    dead, _ = await put(host, "room_1", "room_2")
    await carry(host, FAILED)
    path, key = f"/admin/dead-letters/{dead}/retry", {"Idempotency-Key": "again"}
    for _ in range(2):
        heard = await admin.post(path, headers=key)
        assert (heard.status, heard.data["state"]) == (200, "pending")
    assert (await admin.post(path)).code == "DELIVERY_NOT_DEAD"
    await carry(host)
    assert (await admin.get("/admin/dead-letters")).data == []
    assert (await admin.post("/admin/dead-letters/call_none/retry")).status == 404
    (entry,) = (await admin.get("/admin/audit?action=delivery.retry")).data
    assert (entry["details"], entry["actorId"]) == ({"id": dead, "appId": "stall"}, admin.id)


async def test_an_admin_retries_all_that_died_since_a_moment(host, admin):
    await put(host, "room_1", "room_2")
    await put(host, "room_3", app="other")
    await carry(host, FAILED, FAILED, FAILED)
    path, since = "/admin/dead-letters/retry", "2030-01-01T12:00:00Z"
    later = {"since": "2030-01-01T12:00:01Z"}
    assert (await admin.post(path, later)).data == {"retried": 0}
    assert (await admin.post(path, {"since": since, "appId": "stall"})).data == {"retried": 2}
    assert (await admin.post(path, {"since": since})).data == {"retried": 1}
    assert (await admin.post(path, {"since": "yesterday"})).status == 422
    assert (await admin.post(path, {})).status == 422


async def test_an_admin_deletes_a_letter_and_nothing_that_is_on_its_way(host, admin):
    dead, waiting = await put(host, "room_1", "room_2")
    await carry(host, FAILED, PARKED)
    assert (await admin.delete(f"/admin/dead-letters/{waiting}")).code == "DELIVERY_NOT_DEAD"
    gone = (await admin.delete(f"/admin/dead-letters/{dead}")).data
    assert (gone["success"], gone["id"]) == (True, dead)
    assert (await admin.delete(f"/admin/dead-letters/{dead}")).status == 404
    (entry,) = (await admin.get("/admin/audit?action=delivery.delete")).data
    assert entry["details"] == {"id": dead, "appId": "stall"}


async def test_what_a_remote_app_accepts_with_202_is_delivered_by_its_callback(host, admin):
    async with serving(says(answer(status="202 Accepted"))) as server:
        made = await host.remote_app(
            "raffle",
            baseUrl=server.url,
            capabilities=["analytics"],
            webhooks={"analytics": {"path": "/events", "async": True}},
        )
        await host.start(appId="raffle")
        relay = relay_of(host.host.services)
        await relay.run_due()
        (accepted,) = (await admin.get("/admin/deliveries?state=accepted")).data
        waiting = (await admin.get("/admin/deliveries?state=pending")).data
        assert len(waiting) >= 1
        body = {"id": accepted["id"], "contract": "1.0", "outcome": "ok", "data": {}}
        path = f"/callbacks/analytics/{accepted['id']}"
        for _ in range(2):
            assert (await host.signed_in(made).post(path, body)).data == {"received": True}
        seen = (await admin.get(f"/admin/deliveries/{accepted['id']}")).data
        assert (seen["state"], seen["attempts"][0]["outcome"]) == ("delivered", "delivered")
        await relay.run_due()
    following = (await admin.get("/admin/deliveries?state=accepted")).data
    assert [each["id"] for each in following] == [waiting[-1]["id"]]
