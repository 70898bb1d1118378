"""Commands of organizers on a window, which work even while its app is down."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from mymozhem.auth.principal import Principal
from mymozhem.contract import CloseReason, JsonObject, Verdicts, WindowStatus
from mymozhem.contract.events import WindowPaused
from mymozhem.errors import Conflict
from mymozhem.rooms.core.access import write_as
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import RoomTransaction
from mymozhem.rooms.tables.windows import WindowRow

from . import rejudge as rejudging
from . import settle as settling
from .close import IN_FLIGHT, begin_settling, close_when_all_answered, tell_app
from .queries import UNDER_WAY, find_window
from .timing import left_ms, move_end, record_changed, require, shift

#: how long a caller waits until decided results are written; they are written in any case
RESULTS_SECONDS = 60.0

_WINDOW = "POST /rooms/{id}/windows/{windowId}"


async def pause(services: Services, room_id: str, caller: Principal, window_key: str) -> WindowRow:
    """Pause a window and keep its remaining time; what arrived before still counts."""
    await services.submissions.flush(room_id, within=IN_FLIGHT)
    async with _changing(services, room_id, caller, window_key, "pause") as (transaction, window):
        require(window, WindowStatus.OPEN)
        window.status, window.paused_at = WindowStatus.PAUSED, transaction.now
        window.due_at = None
        left = left_ms(window, transaction.now)
        transaction.record(WindowPaused(window_id=window.key, left_ms=left))
        tell_app(transaction, window, "paused")
    return window


async def resume(services: Services, room_id: str, caller: Principal, window_key: str) -> WindowRow:
    """Resume a paused window with the remaining time."""
    async with _changing(services, room_id, caller, window_key, "resume") as (transaction, window):
        require(window, WindowStatus.PAUSED)
        shift(window, window.paused_at or transaction.now, transaction.now, "pause")
        window.status, window.paused_at = WindowStatus.OPEN, None
        window.due_at, window.checked_at = window.closes_at, transaction.now
        record_changed(transaction, window, "resumed")
        tell_app(transaction, window, "resumed")
        await close_when_all_answered(transaction, window)  # the last one may have left meanwhile
    return window


async def extend(
    services: Services, room_id: str, caller: Principal, window_key: str, *, by_ms: int
) -> WindowRow:
    """Give a window more time; Conflict NO_END if it has no end, ENDS_TOO_LATE for years."""
    async with _changing(services, room_id, caller, window_key, "extend") as (transaction, window):
        require(window, *UNDER_WAY)
        if window.closes_at is None:
            message = "The window has no end; it closes when you close it."
            raise Conflict(message, code="NO_END")
        move_end(transaction, window, window.closes_at + timedelta(milliseconds=by_ms))
        record_changed(transaction, window, "extended")
        tell_app(transaction, window, "extended")
    return window


async def close(services: Services, room_id: str, caller: Principal, window_key: str) -> WindowRow:
    """Close a window now; what arrived before still counts. Idempotent."""
    await services.submissions.flush(room_id, within=IN_FLIGHT)
    async with _changing(services, room_id, caller, window_key, "close") as (transaction, window):
        if window.status in UNDER_WAY:
            begin_settling(transaction, window, CloseReason.ORGANIZER)
    return window


async def settle(services: Services, room_id: str, caller: Principal, window_key: str) -> WindowRow:
    """Settle a window that waits for its app by the host's verdicts, and notify the app later."""
    async with _deciding(services, room_id, caller, window_key, "settle") as (transaction, window):
        require(window, WindowStatus.TALLYING)
        await settling.settle_without_app(transaction, window)
    return window


async def reveal(services: Services, room_id: str, caller: Principal, window_key: str) -> WindowRow:
    """Show the verdicts and standings that a window held back; idempotent."""
    async with _deciding(services, room_id, caller, window_key, "reveal") as (transaction, window):
        if window.revealed_at is None:
            await settling.reveal(transaction, window)
            tell_app(transaction, window, "revealed")
    return window


async def rejudge(
    services: Services,
    room_id: str,
    caller: Principal,
    window_key: str,
    *,
    rules: JsonObject | None = None,
    verdicts: Verdicts | None = None,
    void: bool = False,
) -> WindowRow:
    """Correct a window by new rules, by verdicts, or by voiding it; see `windows.rejudge`."""
    async with _deciding(services, room_id, caller, window_key, "rejudge") as (transaction, window):
        if void:
            await rejudging.void(transaction, window)
        else:
            await rejudging.rejudge(transaction, window, rules=rules, verdicts=verdicts)
        tell_app(transaction, window, "voided" if void else "corrected")
    return window


@asynccontextmanager
async def _deciding(
    services: Services, room_id: str, caller: Principal, window_key: str, act: str
) -> AsyncIterator[tuple[RoomTransaction, WindowRow]]:
    """Change results: after earlier ones are written, and until these are."""
    await services.results.flush(room_id, within=RESULTS_SECONDS)
    async with _changing(services, room_id, caller, window_key, act) as (transaction, window):
        yield transaction, window
    await services.results.flush(room_id, within=RESULTS_SECONDS)


@asynccontextmanager
async def _changing(
    services: Services, room_id: str, caller: Principal, window_key: str, act: str
) -> AsyncIterator[tuple[RoomTransaction, WindowRow]]:
    async with write_as(services, room_id, caller, f"{_WINDOW}/{act}") as transaction:
        window = await find_window(transaction.session, room_id, window_key)
        transaction.audit(f"window.{act}", subject=window.id)
        yield transaction, window
