"""What an app is told: each event of its rooms, each notification, in the order of the log."""

import asyncio

import pytest
from sqlalchemy import func, select

from mymozhem.contract import ActionRequest, JsonObject, Refuse, hookimpl
from mymozhem.db.unit_of_work import in_transaction
from mymozhem.deliveries.relay import Relay
from mymozhem.deliveries.retry_schedule import Schedules
from mymozhem.deliveries.tables import (
    DeliveryContextRow,
    DeliveryRow,
    DeliveryState,
    StreamRow,
)
from mymozhem.errors import MymozhemError
from mymozhem.rooms.actions.perform import perform
from mymozhem.rooms.participants.erase import erase_person
from mymozhem.rooms.participants.join import join
from mymozhem.wiring.deliveries import AppDeliverySender
from tests.support.host import make_host, principal

pytestmark = pytest.mark.both_engines


class Scribe:
    """Writes down what it is told, after having failed as often as it is asked to."""

    def __init__(self, *capabilities: str) -> None:
        self.capabilities = ["actions", *capabilities]
        self.events, self.notes, self.fail = [], [], 0

    @hookimpl
    def app_manifest(self) -> JsonObject:
        return {
            "id": "scribe",
            "meta": {"name": "Scribe", "version": "1.0.0", "description": "Writes it down."},
            "capabilities": self.capabilities,
            "permissions": [],
            "actions": {"do": {"roles": ["ORGANIZER", "PARTICIPANT"]}},
            "events": {
                f"scribe:{name}": {"visibility": "public"} for name in ("said", "whispered")
            },
        }

    @hookimpl
    def handle_action(self, request: ActionRequest) -> JsonObject:
        if "refuse" in request.payload:
            raise Refuse("NO", "No.")
        return {"effects": request.payload["effects"]}

    @hookimpl
    async def on_event(self, context, request) -> None:
        assert not in_transaction()
        self.events.append((context, request.event))
        if self.fail:
            self.fail -= 1
            raise ValueError

    @hookimpl
    def deliver_notification(self, context, request) -> None:
        self.notes.append((context, request))


@pytest.fixture
def scribe(request):
    return Scribe(*getattr(request, "param", ("analytics", "notifications")))


@pytest.fixture
async def host(database, clock, tmp_path, scribe):
    host = await make_host(database, clock, tmp_path, {"scribe": scribe})
    yield host
    await host.services.dispatcher.close()


def relay(host):
    services = host.services
    return Relay(
        services.database,
        services.outbox,
        AppDeliverySender(services.dispatcher, services.clock, services.settings),
        Schedules(services.catalog, services.settings),
        services.clock,
        chance=lambda: 0,
    )


async def act(host, room, *effects, who=None):
    caller = who or host.organizer
    return await perform(host.services, room.id, caller, "do", {"effects": [*effects]})


def said(text, **more):
    return {"effect": "emit", "type": "scribe:said", "payload": {"text": text}, **more}


def notify(to):
    return {"effect": "notify", "to": to, "title": "Dinner", "message": "It is served."}


async def test_the_app_is_told_every_event_of_its_room_in_the_order_of_the_log(host, scribe):
    room = await host.start("scribe")
    guest = await host.guest(room)
    hidden = {"effect": "setState", "private": {"card": 7}}
    to_one = said("psst", to=[guest.participant.id])
    await act(host, room, said("all"), said("helpers", to="organizer"), to_one, hidden)
    await relay(host).run_due()
    log = await host.events(room.id)
    told = [event for _, event in scribe.events]
    assert [(event.type, event.payload, event.at) for event in told] == [
        (row.type, row.payload, row.created_at) for row in log
    ]
    assert [event.level or event.participant_id for event in told] == [row.stream for row in log]
    assert len({context.call_id for context, _ in scribe.events}) == len(log)
    last = scribe.events[-1][0]
    assert last.room.state.private == {"card": 7}
    assert (last.room.id, last.room.status, last.seed) == (room.id, "ACTIVE", None)
    assert (last.app.id, last.app.version) == ("scribe", "1.0.0")


async def test_a_notification_is_carried_to_the_participants_it_names(host, scribe):
    room = await host.start("scribe")
    ada, bob = await host.guests(room, 2)
    await act(host, room, notify([ada.participant.id]), notify("public"))
    await act(host, room, notify("private"))
    await relay(host).run_due()
    (_, one), (_, everybody) = scribe.notes
    assert (one.title, one.message, one.recipients) == (
        "Dinner",
        "It is served.",
        (ada.participant.id,),
    )
    assert {ada.participant.id, bob.participant.id} <= set(everybody.recipients)
    sent = await host.events(room.id, "notification:sent")
    assert [row.payload["notificationId"] for row in sent] == [
        one.notification_id,
        everybody.notification_id,
    ]


async def test_what_was_told_of_a_room_is_gone_once_somebody_in_it_is_forgotten(host, scribe):
    room, elsewhere = await host.start("scribe"), await host.start("scribe")
    zoe = await host.person("zoe@example.com")
    seat = await join(host.services, room.code, zoe, name="Zoe", answers={})
    letter = notify([seat.participant.id]) | {"title": "Dear Zoe"}
    await act(host, room, letter)
    await act(host, elsewhere, said("hello"))
    await relay(host).run_due()
    await act(host, room, said("still to be told"))
    await erase_person(host.services, zoe, zoe.user_id)
    async with host.services.database.read() as session:
        kept = (await session.scalars(select(DeliveryRow))).all()
        contexts = await session.scalar(select(func.count()).select_from(DeliveryContextRow))
    assert contexts == len({row.context_id for row in kept})
    assert {row.state for row in kept if row.room_id == room.id} == {DeliveryState.PENDING}
    assert {row.state for row in kept if row.room_id == elsewhere.id} == {DeliveryState.DELIVERED}
    told = len(scribe.events)
    await relay(host).run_due()
    assert [event.type for _, event in scribe.events[told:]][:1] == ["scribe:said"]


@pytest.mark.parametrize("scribe", [()], indirect=True)
async def test_an_app_without_these_capabilities_is_told_nothing_and_costs_nothing(host):
    room = await host.start("scribe")
    await act(
        host, room, said("x"), {"effect": "notify", "to": "public", "title": "T", "message": "M"}
    )
    for table in (DeliveryRow, StreamRow, DeliveryContextRow):
        assert await host.count(table) == 0


async def test_what_one_transaction_tells_shares_its_context(host):
    room = await host.start("scribe")
    async with host.services.database.read() as session:
        before = await session.scalar(select(func.count()).select_from(DeliveryContextRow))
    await act(host, room, *(said(str(n)) for n in range(50)))
    assert await host.count(DeliveryContextRow) == before + 1


async def test_what_was_refused_is_not_told(host, scribe):
    room = await host.start("scribe")
    await relay(host).run_due()
    told = len(scribe.events)
    over = {"effect": "emit", "type": "scribe:other", "payload": {}}
    with pytest.raises(MymozhemError):
        await act(host, room, said("x"), notify("public"), over)
    await relay(host).run_due()
    assert [event.type for _, event in scribe.events[told:]].count("scribe:said") == 0


async def test_an_app_that_failed_is_told_the_same_again_under_the_same_id(host, scribe, clock):
    room = await host.start("scribe")
    await relay(host).run_due()
    told, scribe.fail = len(scribe.events), 1
    await act(host, room, said("x"))
    await relay(host).run_due()
    await act(host, room, {"effect": "setState", "public": {"later": True}}, said("y"))
    clock.advance(30)
    await relay(host).run_due()
    (first, one), (second, two), *_, (_, other) = scribe.events[told:]
    assert other.payload == {"text": "y"}
    assert one == two != other
    plain = {"deadline_ms": 0}
    assert first.model_copy(update=plain) == second.model_copy(update=plain)
    assert second.room.state.public == {}


async def test_rooms_are_told_of_side_by_side(host, scribe):
    rooms = await asyncio.gather(*(host.start("scribe") for _ in range(3)))
    await asyncio.gather(*(act(host, room, *(said(str(n)) for n in range(9))) for room in rooms))
    await relay(host).run_due()
    for room in rooms:
        heard = [
            event.payload["text"]
            for context, event in scribe.events
            if context.room.id == room.id and event.type == "scribe:said"
        ]
        assert heard == [str(n) for n in range(9)]


async def test_people_who_come_in_together_are_told_of_one_by_one(host, scribe):
    room = await host.start("scribe")
    guests = await asyncio.gather(*(host.guest(room, f"Guest {n}") for n in range(20)))
    await relay(host).run_due()
    assert principal(guests[0]).user_id
    joined = [event for _, event in scribe.events if event.type == "participant:joined"]
    assert len(joined) >= len(guests)
