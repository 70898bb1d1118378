"""What clients read when something is deleted: status 200, and a body in the envelope."""

from datetime import datetime

import pytest

from mymozhem.api.routes import Routes
from mymozhem.api.v1 import ROUTES
from tests.support.api_host import ApiHost, Heard


def require_deleted(heard: Heard, id: str) -> None:
    assert heard.status == 200, heard.raw
    assert heard.body["meta"] == {}
    assert set(heard.data) == {"success", "id", "deletedAt"}
    assert (heard.data["success"], heard.data["id"]) == (True, id)
    assert datetime.fromisoformat(heard.data["deletedAt"]).utcoffset() is not None


async def test_every_deletion_says_what_is_gone_and_when(host: ApiHost):
    room = await host.start()
    path = f"/rooms/{room['id']}"
    organizer = host.organizer
    prize = (await organizer.post(f"{path}/prizes", {"name": "Bike"})).data
    require_deleted(await organizer.delete(f"{path}/prizes/{prize['id']}"), prize["id"])
    ada, joined = await host.guest(room, "Ada")
    _, removed = await host.guest(room, "Bob")
    pid = removed["participant"]["id"]
    require_deleted(await organizer.delete(f"{path}/participants/{pid}"), pid)
    require_deleted(await ada.delete(f"{path}/participants/me"), joined["participant"]["id"])
    require_deleted(await ada.delete(f"/users/{ada.id}"), ada.id)
    await organizer.patch(path, {"status": "CANCELLED"})
    require_deleted(await organizer.delete(path), room["id"])
    admin = await host.person("admin@example.com", is_admin=True)
    await host.remote_app("raffle")
    require_deleted(await admin.delete("/apps/raffle"), "raffle")


async def test_a_revoked_win_is_shown_with_its_reason(host: ApiHost):
    room = await host.start()
    path = f"/rooms/{room['id']}"
    _, joined = await host.guest(room, "Ada")
    prize = (await host.organizer.post(f"{path}/prizes", {"name": "Bike"})).data
    given = {"participantId": joined["participant"]["id"], "prizeId": prize["id"]}
    won = (await host.organizer.post(f"{path}/winners", given)).data
    heard = await host.organizer.delete(f"{path}/winners/{won['id']}", {"reason": "gone home"})
    assert heard.status == 200
    assert (heard.data["success"], heard.data["id"]) == (True, won["id"])
    assert (heard.data["status"], heard.data["reason"]) == ("revoked", "gone home")
    assert heard.data["deletedAt"] == heard.data["updatedAt"]


def test_no_route_responds_without_a_body():
    assert {route.status for route in ROUTES} <= {200, 201, 202}
    with pytest.raises(TypeError, match="DELETE /rooms"):

        @Routes("t", "t").add("DELETE /rooms/{id}")
        async def silent(_: object) -> None: ...
