"""What monitoring needs of parts that it does not import; wired in the composition root."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.clock import ClockJump
from mymozhem.contract import JsonObject
from mymozhem.observability.metrics import BreakerState

from .tables import AppStatus


class DeliveryCount(NamedTuple):
    """The numbers of pending and of dead deliveries to one app."""

    app_id: str
    pending: int
    dead: int


class Orphans(NamedTuple):
    """The orphaned rooms of an app; `do` is what would bring the app back."""

    app_id: str
    versions: tuple[str, ...]
    rooms: int
    active: int
    do: str


@dataclass(frozen=True)
class AffectedRoom:
    """An active room that is locked to an app."""

    id: str
    name: str


@dataclass(frozen=True)
class AffectedRooms:
    """The rooms that a problem of an app affects: some of them, and their number."""

    rooms: tuple[AffectedRoom, ...] = ()
    count: int = 0


class Checked(NamedTuple):
    """The result of a health check; `details` are the app's own, or the failure's code."""

    status: AppStatus
    details: JsonObject


class AskHealth(Protocol):
    """Calls the health check of a version of an app; failures of the app do not raise."""

    async def __call__(self, app_id: str, version: str, /) -> Checked:
        """Return the app's result, or `FAILED` if there is none."""
        ...


async def _no_breakers(_: AsyncSession) -> Sequence[BreakerState]:
    return ()


async def _no_deliveries(_: AsyncSession) -> Sequence[DeliveryCount]:
    return ()


async def _no_rooms(_session: AsyncSession, _app_id: str) -> AffectedRooms:
    return AffectedRooms()


def _no_orphans() -> Sequence[Orphans]:
    return ()


def _no_jumps(_: datetime) -> Sequence[ClockJump]:
    return ()


async def _nobody(_session: AsyncSession, _app_id: str | None) -> Sequence[str]:
    return ()


@dataclass(frozen=True)
class Sources:
    """The sources of facts; by default, each of them is empty.

    `breakers` returns those that are not closed, `affected_rooms` the active rooms of an app,
    `recipients` the addresses to notify about an app, or about the platform for None, `orphans`
    the apps with orphaned rooms, from memory, `clock_jumps` the jumps of the machine's clock since
    a moment. Without `ask`, no health check is called.
    """

    breakers: Callable[[AsyncSession], Awaitable[Sequence[BreakerState]]] = _no_breakers
    deliveries: Callable[[AsyncSession], Awaitable[Sequence[DeliveryCount]]] = _no_deliveries
    affected_rooms: Callable[[AsyncSession, str], Awaitable[AffectedRooms]] = _no_rooms
    recipients: Callable[[AsyncSession, str | None], Awaitable[Sequence[str]]] = _nobody
    orphans: Callable[[], Sequence[Orphans]] = _no_orphans
    clock_jumps: Callable[[datetime], Sequence[ClockJump]] = _no_jumps
    ask: AskHealth | None = None
