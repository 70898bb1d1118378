"""An app that the host has never heard of: an auction, with all that an app may do.

It imports the contract alone and runs over every transport; nothing in the host was made for it.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from mymozhem.auth.principal import Principal
from mymozhem.clock import Clock, HeldClock
from mymozhem.contract import (
    ActionRequest,
    Adjust,
    Award,
    Cancel,
    ChangeKind,
    Context,
    Draw,
    Effects,
    Emit,
    EntryRule,
    JsonObject,
    Level,
    Notify,
    PreparedDraw,
    PrepareDrawRequest,
    PrizeCount,
    Refuse,
    Reply,
    Reveal,
    RoomChangeRequest,
    RunDraw,
    Schedule,
    SetParticipants,
    SetState,
    TicketRule,
    TimerRequest,
    fair,
    hookimpl,
)
from mymozhem.db.unit_of_work import Database
from mymozhem.errors import Refused
from mymozhem.rooms.actions.perform import ActionResponse, perform
from mymozhem.rooms.coordination.join_batches import JoinResult
from mymozhem.rooms.draws.record import record
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.tables.draws import DrawRow
from mymozhem.rooms.tables.notifications import NotificationRow
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.prizes import PrizeRow, WinnerRow
from mymozhem.rooms.tables.rooms import RoomRow, RoomStateRow
from mymozhem.rooms.tables.timers import TimerRow
from tests.support.host import HostHarness, principal
from tests.support.transports import HOUSES

# ------------------------------------------------------------------------------------ the app


class Auction:
    """Lots go to whoever bids most before the hammer falls; among all who bid one more is drawn.

    Public: the lot and the best bid. Organizers see who holds it, nobody the reserve. Each bidder
    sees their own best bid; every bid is a ticket for the consolation.
    """

    @hookimpl
    def app_manifest(self) -> JsonObject:
        amount = {"type": "integer", "minimum": 1}
        empty = {"type": "object", "additionalProperties": False}
        return {
            "id": "auction",
            "meta": {"name": "Auction", "version": "1.0.0", "description": "Sells to the highest."},
            "capabilities": ["actions", "timers", "roomChanges", "winnerSelection"],
            "permissions": [],
            "changes": ["draw"],
            "needs": {"action:open": ["prizes"], "action:bid": ["participants"]},
            "settings": {
                "type": "object",
                "properties": {"step": amount | {"default": 5, "x-visibility": "public"}},
            },
            "state": {
                "type": "object",
                "properties": {"public": {"properties": {"best": {"type": "integer"}}}},
            },
            "actions": {
                "open": {
                    "roles": ["ORGANIZER"],
                    "payload": {
                        "type": "object",
                        "required": ["prizeId", "reserve"],
                        "properties": {"prizeId": {"type": "string"}, "reserve": amount},
                    },
                },
                "bid": {
                    "roles": ["PARTICIPANT"],
                    "payload": {
                        "type": "object",
                        "required": ["amount"],
                        "properties": {"amount": amount},
                    },
                },
                "halt": {"roles": ["ORGANIZER"], "payload": empty},
                "console": {"roles": ["ORGANIZER"]},
                "roll": {"roles": ["ORGANIZER"], "payload": empty},
                "tell": {"roles": ["ORGANIZER"], "payload": empty},
            },
            "events": {
                "auction:bid": {"visibility": "public", "payload": {"required": ["amount"]}},
                "auction:sold": {"visibility": "public", "payload": {"required": ["amount"]}},
                "auction:unsold": {"visibility": "organizer"},
                "auction:consoled": {"visibility": "public"},
            },
        }

    @hookimpl
    def handle_action(self, context: Context, request: ActionRequest) -> Effects:
        return getattr(self, f"_{request.action}")(context, request.payload)  # type: ignore[no-any-return]  # one of those below

    @hookimpl
    async def on_timer(self, context: Context, request: TimerRequest) -> Effects:
        """Let the hammer fall."""
        assert context.room is not None
        state = context.room.state
        holder, best = state.organizer.get("holder"), state.public["best"]
        idle = SetState(public={"lot": None, "best": 0}, organizer={}, private={})
        if holder is None or best < state.private["reserve"]:  # type: ignore[operator]  # numbers
            return Effects.of(Emit(type="auction:unsold", to=Level.ORGANIZER), idle)
        return Effects.of(
            Award(
                participant_id=holder, prize_id=request.payload["prizeId"], metadata={"bid": best}
            ),
            Emit(type="auction:sold", payload={"amount": best}),
            Notify(to=(holder,), title="Sold", message="To you."),
            idle,
        )

    @hookimpl
    async def on_room_changed(self, request: RoomChangeRequest) -> Effects:
        """Congratulate once the consolation is public."""
        change = request.change
        if change.kind is not ChangeKind.DRAW or change.what != "revealed":
            return Effects()
        return Effects.of(Emit(type="auction:consoled", payload={"key": change.key}))

    @hookimpl
    def prepare_draw(self, request: PrepareDrawRequest) -> PreparedDraw:
        """Give everybody a ticket for each bid."""
        tickets = TicketRule(of="points", default=0)
        return PreparedDraw(entries=EntryRule(tickets=tickets), rule="A ticket for each bid.")

    def _open(self, context: Context, payload: JsonObject) -> Effects:
        prizes = {prize.id: prize for prize in context.prizes or ()}
        lot = prizes.get(str(payload["prizeId"]))
        if lot is None or not lot.quantity_remaining:
            raise Refuse("NOTHING_TO_SELL", "There is nothing left of that.")
        return Effects.of(
            SetState(
                public={"lot": lot.name, "best": 0},
                organizer={"prizeId": lot.id},
                private={"reserve": payload["reserve"]},
            ),
            self._hammer(lot.id),
        )

    def _bid(self, context: Context, payload: JsonObject) -> Effects:
        assert context.room is not None
        assert context.actor is not None
        assert context.actor.participant_id is not None
        state, me, amount = context.room.state, context.actor.participant_id, payload["amount"]
        if not state.public.get("lot"):
            raise Refuse("NOT_OPEN", "Nothing is being sold.")
        least = state.public["best"] + context.room.settings["step"]  # type: ignore[operator]  # numbers
        if amount < least:  # type: ignore[operator]  # numbers
            raise Refuse("TOO_LOW", f"Bid at least {least}.", {"least": least})
        previous = state.organizer.get("holder")
        outbid = (Notify(to=(str(previous),), title="Outbid"),) if previous else ()
        bids = int(context.actor.data.private.get("bids", 0)) + 1  # type: ignore[arg-type]  # a number
        return Effects.of(
            SetState(
                public=state.public | {"best": amount}, organizer=state.organizer | {"holder": me}
            ),
            SetParticipants(
                participant_id=(me,), own=({"myBest": amount},), private=({"bids": bids},)
            ),
            Adjust(participant_id=me, points=1, reason="a bid"),
            Emit(type="auction:bid", payload={"amount": amount}),
            *outbid,
            self._hammer(str(state.organizer["prizeId"])),  # the time begins anew with each bid
            Reply(data={"bids": bids, "rivals": len(context.participants.id) - 2}),  # type: ignore[union-attr]  # needed
        )

    def _halt(self, _: Context, __: JsonObject) -> Effects:
        return Effects.of(Cancel(name="hammer"), SetState(public={"lot": None, "best": 0}))

    def _console(self, _: Context, payload: JsonObject) -> Effects:
        prizes = (PrizeCount(prize_id=str(payload["prizeId"]), count=1),)
        return Effects.of(Draw(key="consolation", prizes=prizes, reveal="manual"))

    def _roll(self, _: Context, __: JsonObject) -> Effects:
        return Effects.of(RunDraw(key="consolation"))

    def _tell(self, _: Context, __: JsonObject) -> Effects:
        return Effects.of(Reveal(key="consolation"))

    def _hammer(self, prize_id: str) -> Schedule:
        return Schedule(name="hammer", after_ms=60_000, payload={"prizeId": prize_id})


# ------------------------------------------------------------------------------------ the house


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
async def host(
    transport: str, database: Database, clock: Clock, tmp_path: Path
) -> AsyncIterator[HostHarness]:
    async with HOUSES[transport](database, clock, tmp_path, {"auction": Auction()}) as host:
        yield host


@dataclass
class Evening:
    """A room with two bidders and two prizes, and a clock in the hand."""

    host: HostHarness
    clock: HeldClock
    jobs: Jobs
    room: RoomRow
    ada: JoinResult
    bob: JoinResult
    clock_prize: str
    mug: str

    async def do(self, who: JoinResult | None, action: str, **payload: Any) -> ActionResponse:
        caller: Principal = self.host.organizer if who is None else principal(who)
        return await perform(self.host.services, self.room.id, caller, action, payload)

    async def open(self, reserve: int = 1) -> None:
        await self.do(None, "open", prizeId=self.clock_prize, reserve=reserve)

    async def later(self, seconds: int) -> None:
        self.clock.advance(timedelta(seconds=seconds))
        await self.jobs.run_due()

    async def all(self, table: type[Any]) -> list[Any]:
        async with self.host.services.database.read() as session:
            return list((await session.scalars(select(table).order_by(table.id))).all())

    async def state(self) -> RoomStateRow:
        async with self.host.services.database.read() as session:
            query = select(RoomStateRow).where(RoomStateRow.room_id == self.room.id)
            return (await session.scalars(query)).one()

    async def types(self, prefix: str) -> list[str]:
        events = await self.host.events(self.room.id)
        return [event.type for event in events if event.type.startswith(prefix)]


@pytest.fixture
async def evening(host: HostHarness, clock: HeldClock) -> AsyncIterator[Evening]:
    jobs, room = Jobs(host.services), await host.start("auction")
    ada, bob = await host.guest(room, "Ada"), await host.guest(room, "Bob")
    prizes = [await host.prize(room, 1, name) for name in ("Clock", "Mug")]
    yield Evening(host, clock, jobs, room, ada, bob, *prizes)
    await jobs.stop()


async def test_bids_are_checked_kept_and_shown_to_whom_they_concern(evening: Evening) -> None:
    with pytest.raises(Refused) as caught:
        await evening.do(evening.ada, "bid", amount=10)
    assert caught.value.code == "NOT_OPEN"
    await evening.open(reserve=20)

    assert (await evening.do(evening.ada, "bid", amount=10)).reply == {"bids": 1, "rivals": 1}
    with pytest.raises(Refused) as caught:
        await evening.do(evening.bob, "bid", amount=12)
    assert (caught.value.code, caught.value.details) == ("TOO_LOW", {"least": 15})
    await evening.do(evening.bob, "bid", amount=15)
    assert (await evening.do(evening.ada, "bid", amount=25)).reply == {"bids": 2, "rivals": 1}

    state, ada = await evening.state(), evening.ada.participant.id
    assert state.public == {"lot": "Clock", "best": 25}
    assert state.organizer == {"prizeId": evening.clock_prize, "holder": ada}
    assert state.private == {"reserve": 20}
    people = {row.id: row for row in await evening.all(ParticipantRow)}
    assert (people[ada].own, people[ada].private) == ({"myBest": 25}, {"bids": 2})
    assert people[evening.bob.participant.id].own == {"myBest": 15}
    assert [row.points for row in people.values() if row.role == "PARTICIPANT"] == [2, 1]
    assert [note.title for note in await evening.all(NotificationRow)] == ["Outbid", "Outbid"]
    streams = {
        event.stream for event in await evening.host.events(evening.room.id, "state:own_changed")
    }
    assert streams == {ada, evening.bob.participant.id}
    assert await evening.types("auction:") == ["auction:bid"] * 3


async def test_the_hammer_waits_for_the_last_bid_and_falls_once(evening: Evening) -> None:
    await evening.open()
    await evening.later(50)
    await evening.do(evening.ada, "bid", amount=10)
    await evening.later(50)  # the first hammer was replaced
    assert await evening.all(WinnerRow) == []
    await evening.do(evening.bob, "bid", amount=30)
    await evening.later(60)
    await evening.later(60)

    (win,) = await evening.all(WinnerRow)
    assert (win.participant_id, win.prize_id) == (evening.bob.participant.id, evening.clock_prize)
    assert win.data == {"bid": 30}
    assert await evening.types("auction:sold") == ["auction:sold"]
    assert [prize.quantity_remaining for prize in await evening.all(PrizeRow)] == [0, 1]
    assert [note.title for note in await evening.all(NotificationRow)] == [
        "Outbid", "Sold", "Congratulations!",
    ]  # fmt: skip
    assert (await evening.state()).public == {"lot": None, "best": 0}
    with pytest.raises(Refused) as caught:
        await evening.open()
    assert caught.value.code == "NOTHING_TO_SELL"


async def test_what_is_below_the_reserve_or_called_off_is_not_sold(evening: Evening) -> None:
    await evening.open(reserve=100)
    await evening.do(evening.ada, "bid", amount=10)
    await evening.later(60)
    await evening.open()
    await evening.do(evening.ada, "bid", amount=10)
    await evening.do(None, "halt")
    assert await evening.all(TimerRow) == []
    await evening.later(600)

    assert await evening.all(WinnerRow) == []
    (unsold,) = await evening.host.events(evening.room.id, "auction:unsold")
    assert unsold.stream == "organizer"


async def test_a_draw_among_the_bidders_is_run_revealed_and_verified(evening: Evening) -> None:
    await evening.host.guest(evening.room, "Eve")  # who never bids, and has no ticket
    await evening.open()
    for who, amount in ((evening.ada, 10), (evening.bob, 20), (evening.ada, 30)):
        await evening.do(who, "bid", amount=amount)
    await evening.later(60)

    await evening.do(None, "console", prizeId=evening.mug)
    await evening.jobs.run_due()
    assert [draw.status for draw in await evening.all(DrawRow)] == ["COMMITTED"]
    await evening.do(None, "roll")
    await evening.jobs.run_due()
    (draw,) = await evening.all(DrawRow)
    assert (draw.status, draw.entry_count, draw.ticket_count) == ("DRAWN", 2, 3)
    assert await evening.types("winner:selected") == ["winner:selected"]  # the auction's own
    await evening.do(None, "tell")
    await evening.jobs.run_due()

    wins = {win.prize_id: win for win in await evening.all(WinnerRow)}
    bidders = {evening.ada.participant.id, evening.bob.participant.id}
    assert wins[evening.mug].participant_id in bidders
    assert await evening.types("auction:consoled") == ["auction:consoled"]
    document = json.loads(await record(evening.host.services, evening.room.id, draw.id))
    assert fair.verify(document).ok
