"""An app for tests of draws, timers and changes: it does what the room's settings say."""

import asyncio
from collections.abc import Callable

from mymozhem.contract import (
    ActionRequest,
    Context,
    Effects,
    EntryList,
    JsonObject,
    Pick,
    PreparedDraw,
    PrepareDrawRequest,
    Refuse,
    RoomChangeRequest,
    SelectWinnersRequest,
    SelectWinnersResult,
    TimerRequest,
    hookimpl,
)


class DrawApp:
    """`prepare`, `select`, `timer` and `change` are set by the test; defaults are the simplest."""

    changes: tuple[str, ...] = ()
    policies: JsonObject = {}

    def __init__(self, **behaviour: Callable[..., object]) -> None:
        self.behaviour = behaviour
        self.asked: list[object] = []

    @hookimpl
    def app_manifest(self) -> JsonObject:
        return {
            "id": "drawer",
            "meta": {"name": "Drawer", "version": "1.0.0", "description": "Draws and waits."},
            "capabilities": ["winnerSelection", "timers", "roomChanges", "actions"],
            "permissions": [],
            "policies": self.policies,
            "changes": list(self.changes),
            "needs": {"on_timer": ["prizes", "winners"], "handle_action": ["prizes", "winners"]},
            "actions": {"do": {"roles": ["ORGANIZER"], "payload": {"type": "object"}}},
            "events": {"drawer:said": {"visibility": "public", "payload": {"type": "object"}}},
        }

    @hookimpl
    def handle_action(self, context: Context, request: ActionRequest) -> JsonObject:
        self.asked.append(context)
        return {"effects": request.payload.get("effects", [])}

    @hookimpl
    async def prepare_draw(self, context: Context, request: PrepareDrawRequest) -> object:
        self.asked.append(request)
        return await self._do("prepare", context, request, PreparedDraw())

    @hookimpl
    async def select_winners(self, context: Context, request: SelectWinnersRequest) -> object:
        self.asked.append(request)
        return await self._do("select", context, request, in_order(context, request))

    @hookimpl
    async def on_timer(self, context: Context, request: TimerRequest) -> object:
        self.asked.append(request)
        return await self._do("timer", context, request, said(request.name))

    @hookimpl
    async def on_room_changed(self, context: Context, request: RoomChangeRequest) -> object:
        self.asked.append(request)
        return await self._do("change", context, request, Effects())

    async def _do(self, name: str, context: Context, request: object, otherwise: object) -> object:
        act = self.behaviour.get(name)
        answer = act(context, request) if act else otherwise
        return await answer if asyncio.iscoroutine(answer) else answer


def said(text: str) -> JsonObject:
    """Return effects that leave a mark in the log."""
    return {"effects": [{"effect": "emit", "type": "drawer:said", "payload": {"text": text}}]}


def in_order(_: Context, request: SelectWinnersRequest) -> SelectWinnersResult:
    """Pick people in the order of the entries."""
    people = iter(who for who in request.participants if who not in request.exclude)
    picks = [
        Pick(prize_id=prize.prize_id, participant_id=who)
        for prize in request.prizes
        for who, _ in zip(people, range(prize.count), strict=False)
    ]
    return SelectWinnersResult(picks=tuple(picks))


def listing(*tickets: tuple[str, int]) -> PreparedDraw:
    """Return a list of entries."""
    return PreparedDraw(
        entries=EntryList(
            participants=tuple(who for who, _ in tickets),
            tickets=tuple(count for _, count in tickets),
        )
    )


def refuse(*_: object) -> None:
    """Say no."""
    raise Refuse("NOT_NOW", "Come back later.")


def break_down(*_: object) -> None:
    """Fail as a broken app does."""
    message = "broken on purpose"
    raise ValueError(message)
