"""Move many rooms of an app to another version, as an operator does after an update.

Each room is moved in its own transaction, as its organizer would move it. A room that needs an
answer stays unchanged and is listed. Repeating the request moves the remaining rooms.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select

from mymozhem.auth.principal import Principal
from mymozhem.contract import RoomStatus
from mymozhem.contract.versions import VersionRange, as_version
from mymozhem.errors import Invalid, MymozhemError, Unavailable
from mymozhem.registry.snapshot import CatalogApp
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.tables.rooms import RoomRow

from .migrate import Strategy
from .plan import Plan
from .preconditions import RoomActive
from .procedure import MigrationPaths
from .snapshot import find_version
from .upgrade import UpgradeRequest, upgrade_room

#: rooms that are looked at or moved at the same moment
AT_ONCE = 8

#: after so many seconds the rest is left for the next request
SECONDS = 20.0

#: rooms that need an answer and are listed; the others are counted
MAX_LISTED = 100

_MOVABLE = (RoomStatus.DRAFT, RoomStatus.ACTIVE)


@dataclass(frozen=True)
class BulkUpgradeRequest:
    """Which rooms to move, and to which version.

    `source` is a version or a range; rooms above the target are left alone. `after` is the last
    room of an earlier request, `most` the maximal number of rooms to process.
    """

    source: str
    target: str
    dry_run: bool = False
    consent: bool = False
    after: str | None = None
    most: int = 1_000


@dataclass(frozen=True)
class NeedsAnswer:
    """A room that cannot be moved without its organizer, and why; `plan` may be None."""

    room_id: str
    name: str
    error: MymozhemError
    plan: Plan | None

    @property
    def strategy(self) -> Strategy | None:
        """Return how the room would be moved; None without a plan."""
        return self.plan.strategy if self.plan else None


@dataclass(frozen=True)
class Bulk:
    """The result: of `rooms`, how many were `clean`, and were `upgraded` unless it was a dry run.

    `active` are running and cannot be moved now; `need_answer` counts the others; `listed` are the
    first of both. `left` rooms were not processed: repeat the request with `last` as `after`.
    `last` is None if none are left.
    """

    rooms: int
    clean: int
    upgraded: int
    need_answer: int
    active: int
    listed: tuple[NeedsAnswer, ...]
    left: int
    last: str | None

    @property
    def summary(self) -> str:
        """Return the result as a sentence."""
        rooms = "1 room" if self.rooms == 1 else f"{self.rooms} rooms"
        need = "1 needs" if self.need_answer == 1 else f"{self.need_answer} need"
        runs = "1 runs" if self.active == 1 else f"{self.active} run"
        running = f", {runs} and cannot be moved now" if self.active else ""
        return f"{rooms}: {self.clean} clean, {need} an answer{running}"


async def upgrade_rooms(
    services: Services, app_id: str, caller: Principal, wish: BulkUpgradeRequest
) -> Bulk:
    """Move the DRAFT and ACTIVE rooms of an app, or only count them. For administrators.

    A room is clean if it can be moved without an answer: automatically, or by steps and the app if
    it is a draft. Raises NotFound for an unknown app or version, and Invalid for an invalid range.
    Idempotent.
    """
    app = services.catalog.get(app_id)
    find_version(app, wish.target)
    which = _which(app_id, _versions(app, wish))
    rooms, total = await _rooms(services, which, wish)
    work = _Work(services, caller, wish)
    await work.do(rooms)
    done = work.looked_at
    left = total - done
    return Bulk(
        rooms=done,
        clean=work.clean,
        upgraded=0 if wish.dry_run else work.clean,
        need_answer=done - work.clean - work.active,
        active=work.active,
        listed=tuple(work.listed[:MAX_LISTED]),
        left=left,
        last=rooms[done - 1].id if left and done else None,
    )


class _Work:
    """Processes rooms in order, in chunks."""

    def __init__(self, services: Services, caller: Principal, wish: BulkUpgradeRequest) -> None:
        self._services = services
        self._caller = caller
        self._wish = wish
        self._journeys: MigrationPaths = {}
        self.looked_at = 0
        self.clean = 0
        self.active = 0
        self.listed: list[NeedsAnswer] = []

    async def do(self, rooms: Sequence[RoomRow]) -> None:
        """Process rooms until all are done or the time is over."""
        clock = self._services.clock
        ends = clock.monotonic() + SECONDS
        for start in range(0, len(rooms), AT_ONCE):
            some = rooms[start : start + AT_ONCE]
            found = await asyncio.gather(*map(self._one, some))
            self.looked_at += len(some)
            open_ = [each for each in found if each is not None]
            self.clean += len(some) - len(open_)
            self.active += sum(isinstance(each.error, RoomActive) for each in open_)
            self.listed += open_
            if clock.monotonic() >= ends:
                return

    async def _one(self, room: RoomRow) -> NeedsAnswer | None:
        """Move a room, or plan it; None if it is clean."""
        failed = None
        if not self._wish.dry_run:
            plan, failed = await self._try(room, dry_run=False)
            if failed is None:
                return None
        plan, refused = await self._try(room, dry_run=True)
        error = failed or refused
        return NeedsAnswer(room.id, room.name, error, plan) if error else None

    async def _try(
        self, room: RoomRow, *, dry_run: bool
    ) -> tuple[Plan | None, MymozhemError | None]:
        """Return the plan and why it fails; raise only if no room can be moved."""
        wish = UpgradeRequest(
            dry_run=dry_run,
            target=self._wish.target,
            source=room.app_manifest_version,
            consent=self._wish.consent,
        )
        try:
            moved = await upgrade_room(
                self._services, room.id, self._caller, wish, journeys=self._journeys
            )
        except MymozhemError as error:
            if isinstance(error, Unavailable) and "callId" not in error.details:
                raise  # the database is away
            return None, error
        return moved.plan, moved.plan.refusals[0] if moved.plan.refusals else None


def _versions(app: CatalogApp, wish: BulkUpgradeRequest) -> list[str]:
    """Return the versions to move rooms from, all below the target."""
    target = as_version(wish.target)
    known = [each.manifest.version for each in app.versions]
    if wish.source in known:
        return [wish.source] if as_version(wish.source) < target else []
    try:
        wanted = VersionRange.parse(wish.source)
    except ValueError as error:
        raise Invalid(fields={"/from": [f"{error}."]}) from error
    return [each for each in known if each in wanted and as_version(each) < target]


def _which(app_id: str, versions: Sequence[str]) -> tuple[ColumnElement[bool], ...]:
    return (
        RoomRow.app_id == app_id,
        RoomRow.app_manifest_version.in_(versions),
        RoomRow.status.in_(_MOVABLE),
        RoomRow.deleted_at.is_(None),
    )


async def _rooms(
    services: Services, which: tuple[ColumnElement[bool], ...], wish: BulkUpgradeRequest
) -> tuple[Sequence[RoomRow], int]:
    """Return the rooms to process, by id, and the total with those beyond the limit."""
    mine = (*which, *((RoomRow.id > wish.after,) if wish.after else ()))
    async with services.database.read() as session:
        total = await session.scalar(select(func.count()).select_from(RoomRow).where(*mine)) or 0
        rows = await session.scalars(
            select(RoomRow).where(*mine).order_by(RoomRow.id).limit(wish.most)
        )
        return rows.all(), total
