"""What health must know of parts that it does not import; wired in the composition root."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.contract import JsonObject
from mymozhem.observability.metrics import BreakerState

from .tables import AppStatus


class DeliveryCount(NamedTuple):
    """Deliveries to one app: those that wait, and those that were given up."""

    app_id: str
    pending: int
    dead: int


class Orphans(NamedTuple):
    """Rooms of an app that nothing answers for; `do` is what would bring it back."""

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
    """The rooms that an app's trouble reaches: some of them, and how many they are."""

    rooms: tuple[AffectedRoom, ...] = ()
    count: int = 0


class Checked(NamedTuple):
    """An answer to a health check; `details` are the app's own, or the failure's code."""

    status: AppStatus
    details: JsonObject


class AskHealth(Protocol):
    """Asks a version of an app how it is; never raises for what the app does."""

    async def __call__(self, app_id: str, version: str, /) -> Checked:
        """Return what the app said, or `FAILED` when it said nothing."""
        ...


async def _no_breakers(_: AsyncSession) -> Sequence[BreakerState]:
    return ()


async def _no_deliveries(_: AsyncSession) -> Sequence[DeliveryCount]:
    return ()


async def _no_rooms(_session: AsyncSession, _app_id: str) -> AffectedRooms:
    return AffectedRooms()


def _no_orphans() -> Sequence[Orphans]:
    return ()


async def _nobody(_session: AsyncSession, _app_id: str | None) -> Sequence[str]:
    return ()


@dataclass(frozen=True)
class Sources:
    """Where facts come from; each default is that there is nothing.

    `breakers` returns those that are not closed, `affected_rooms` the active rooms of an app,
    `recipients` the addresses to tell about an app, or about the platform for None, `orphans` the
    apps whose rooms nothing answers for, from memory. Without `ask` no app is asked how it is.
    """

    breakers: Callable[[AsyncSession], Awaitable[Sequence[BreakerState]]] = _no_breakers
    deliveries: Callable[[AsyncSession], Awaitable[Sequence[DeliveryCount]]] = _no_deliveries
    affected_rooms: Callable[[AsyncSession, str], Awaitable[AffectedRooms]] = _no_rooms
    recipients: Callable[[AsyncSession, str | None], Awaitable[Sequence[str]]] = _nobody
    orphans: Callable[[], Sequence[Orphans]] = _no_orphans
    ask: AskHealth | None = None
