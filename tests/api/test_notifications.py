"""What the host itself tells people: winners that they won, organizers what to look at."""

from datetime import timedelta

from mymozhem.contract import RegistrationRequest, RegistrationResult, hookimpl
from tests.support.api_host import ApiHost, Caller, make_api_host


async def told(caller: Caller) -> list[tuple[str, str, str | None, str | None]]:
    notes = (await caller.get("/notifications")).data
    return [(each["type"], each["message"], each["winnerId"], each["prizeId"]) for each in notes]


async def test_a_winner_is_told_what_they_won(host: ApiHost):
    room = await host.start()
    path = f"/rooms/{room['id']}"
    ada, joined = await host.guest(room, "Ada")
    bob, _ = await host.guest(room, "Bob")
    prize = (await host.organizer.post(f"{path}/prizes", {"name": "Bike"})).data
    win = {"participantId": joined["participant"]["id"], "prizeId": prize["id"]}
    won = (await host.organizer.post(f"{path}/winners", win)).data
    note = ("winner_selected", "You won Bike.", won["id"], prize["id"])
    assert await told(ada) == [note]
    assert await told(bob) == []


async def test_a_sealed_draw_tells_nobody_before_its_reveal(host: ApiHost):
    room = await host.start()
    path = f"/rooms/{room['id']}"
    ada, _ = await host.guest(room, "Ada")
    await host.organizer.post(f"{path}/prizes", {"name": "Bike"})
    draw = (await host.organizer.post(f"{path}/draws", {"run": True, "reveal": "manual"})).data
    await host.work()
    assert await told(ada) == []
    assert (await host.organizer.post(f"{path}/draws/{draw['id']}/reveal")).status == 200
    ((kind, message, winner_id, _),) = await told(ada)
    (winner,) = (await host.organizer.get(f"{path}/winners")).data
    assert (kind, message, winner_id) == ("winner_selected", "You won Bike.", winner["id"])


async def test_organizers_are_told_once_that_people_wait(host: ApiHost):
    room = await host.start()
    await host.guest(room, "Shy", answers={"shy": True})
    await host.guest(room, "Coy", answers={"shy": True})
    ((kind, *_),) = await told(host.organizer)
    assert kind == "manual_approval_required"
    (note,) = (await host.organizer.get("/notifications")).data
    await host.organizer.post(f"/notifications/{note['id']}/read")
    await host.guest(room, "Meek", answers={"shy": True})
    assert len(await told(host.organizer)) == 2


class Broken:
    """An app that cannot say who may join."""

    @hookimpl
    def app_manifest(self):
        return {
            "id": "broken",
            "meta": {"name": "Broken", "version": "1.0.0", "description": "Fails."},
            "capabilities": ["participantRegistration"],
            "permissions": [],
        }

    @hookimpl
    def register_participant(self, request: RegistrationRequest) -> RegistrationResult:
        raise RuntimeError(request.applicant.name)


async def test_organizers_are_told_that_something_else_decided(database_url, clock, tmp_path):
    async with make_api_host(database_url, clock, tmp_path, apps={"broken": Broken()}) as host:
        room = await host.start(appId="broken")
        await host.guest(room, "Ada")
        clock.advance(timedelta(seconds=1))
        await host.guest(room, "Bob")
        kinds = [each[0] for each in await told(host.organizer)]
    assert sorted(kinds) == ["app_fallback", "manual_approval_required"]
