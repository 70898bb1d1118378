"""Write the results of a window, part by part: verdicts, points and scores.

The transaction that decides on results (it closes, corrects, voids or reveals a window) writes the
first part and stores what is to be written in the others. After that, nothing can refuse them. Each
further part is a short transaction of its own, so that other writers get their turn in between. If
the process dies half-way, the job writes the rest.

Hooks of the room, draws, and further decisions on the window wait for the last part. Then the
standings are announced.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial

from sqlalchemy import delete, func, insert, select

from mymozhem.contract import Judge, Verdict, WindowStatus
from mymozhem.contract.enums import DecidedBy
from mymozhem.db.base import new_id
from mymozhem.errors import NotFound
from mymozhem.manifests.validators import compile_schema
from mymozhem.rooms import scores
from mymozhem.rooms.core.membership import room_not_found
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import RoomTransaction, room_transaction
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.results import Judging, ResultPartRow
from mymozhem.rooms.tables.scores import ScoreRow
from mymozhem.rooms.tables.windows import SubmissionRow, WindowRow

from .rules import Rules

#: submissions in one transaction; other writers get their turn after each. Between parts, readers
#: see the points of some people only, so a window of a usual size is written at once.
AT_ONCE = 1_000

#: after this time, the jobs of all processes help to write; most often, that process is dead
LEFT_AFTER = timedelta(seconds=5)

#: what stands beside points that came from a window
REASON = "window"

NamedVerdicts = Mapping[str, tuple[Verdict, int]]


async def write_results(
    transaction: RoomTransaction,
    window: WindowRow,
    judging: Judging,
    verdicts: NamedVerdicts | None = None,
) -> None:
    """Judge the counting submissions of a window, and credit their points if results are shown.

    Call `finish_results` before anything of the window changes. Raises Conflict
    POINTS_OUT_OF_RANGE if somebody would have too many points.
    """
    named = verdicts or {}
    await _drop_points(transaction, window)
    if window.revealed_at is not None:
        await scores.unseal(transaction, window.id, window_key=window.key)
        if not window.announce_standings:
            await scores.announce(transaction, shown=False)
    parts = await _parts_of(transaction, window)
    at_once = parts[:1]
    if len(parts) > 1 and not await _is_certain(transaction, window, named):
        at_once = parts
    for part in at_once:
        await _write(transaction, window, judging, named, part)
    if rest := parts[len(at_once) :]:
        await _store(transaction, window, judging, named, rest)
    else:
        await _announce(transaction, window)


async def finish_results(transaction: RoomTransaction, window: WindowRow) -> None:
    """Write the verdicts that an earlier decision on the window has left."""
    await _drop_points(transaction, window)
    if not transaction.room.results_pending:
        return
    while (part := await _next_part(transaction, window.id)) is not None:
        await _write_stored(transaction, window, part)


async def _drop_points(transaction: RoomTransaction, window: WindowRow) -> None:
    """Forget the parts without verdicts: the next decision writes the same or newer points."""
    if not transaction.room.results_pending:
        return
    dropped = await transaction.session.scalars(
        delete(ResultPartRow)
        .where(ResultPartRow.window_id == window.id, ResultPartRow.judging == Judging.KEEP)
        .returning(ResultPartRow.id)
    )
    transaction.room.results_pending -= len(dropped.all())


async def write_pending(services: Services, room_id: str, window_id: str) -> None:
    """Write the parts that are left of a window's results. Idempotent, also in parallel."""
    try:
        while await _write_next(services, room_id, window_id):
            pass
    except NotFound as gone:
        if gone.code != room_not_found().code:
            raise
        await _drop(services, room_id)


async def write_left(services: Services, room_id: str, part_id: str) -> None:
    """Write the results of the window that a part belongs to. Idempotent."""
    async with services.database.read() as session:
        part = await session.get(ResultPartRow, part_id)
    if part is not None:
        await write_pending(services, room_id, part.window_id)


async def _write_next(services: Services, room_id: str, window_id: str) -> bool:
    """Write one part; return False if none was left."""
    async with room_transaction(services, room_id) as transaction:
        part = await _next_part(transaction, window_id)
        if part is None:
            return False
        window = await transaction.session.get_one(WindowRow, window_id, populate_existing=True)
        transaction.actor_id = part.actor_id
        await _write_stored(transaction, window, part)
        return True


async def _write_stored(
    transaction: RoomTransaction, window: WindowRow, part: ResultPartRow
) -> None:
    named = {name: (Verdict(verdict), points) for name, (verdict, points) in part.verdicts.items()}
    ordinals = range(part.first_ordinal, part.last_ordinal + 1)
    await _write(transaction, window, part.judging, named, ordinals)
    await transaction.session.delete(part)
    transaction.room.results_pending -= 1
    await transaction.session.flush()
    if await _next_part(transaction, window.id) is None:
        await _announce(transaction, window)


async def _next_part(transaction: RoomTransaction, window_id: str) -> ResultPartRow | None:
    parts = select(ResultPartRow).where(ResultPartRow.window_id == window_id)
    found: ResultPartRow | None = await transaction.session.scalar(
        parts.order_by(ResultPartRow.first_ordinal).limit(1)
    )
    return found


async def _process(
    services: Services, room_id: str, windows: Sequence[str]
) -> dict[str, Exception | None]:
    """Write the results of windows that this process has decided; the job goes on if it fails."""
    found: dict[str, Exception | None] = {}
    for window_id in windows:
        try:
            await write_pending(services, room_id, window_id)
        except Exception as error:  # noqa: BLE001  raised to its callers
            found[window_id] = error
        else:
            found[window_id] = None
    return found


async def _drop(services: Services, room_id: str) -> None:
    """Forget what is to be written in a deleted room."""
    async with services.database.write(turn=room_id) as unit:
        await unit.session.execute(delete(ResultPartRow).where(ResultPartRow.room_id == room_id))


async def _parts_of(transaction: RoomTransaction, window: WindowRow) -> list[range]:
    """Return the ordinals of the counting submissions, divided into parts."""
    found = await transaction.session.scalars(
        select(SubmissionRow.ordinal)
        .where(SubmissionRow.window_id == window.id, SubmissionRow.counts)
        .order_by(SubmissionRow.ordinal)
    )
    ordinals = found.all()
    parts = (ordinals[start : start + AT_ONCE] for start in range(0, len(ordinals), AT_ONCE))
    return [range(part[0], part[-1] + 1) for part in parts]


async def _store(
    transaction: RoomTransaction,
    window: WindowRow,
    judging: Judging,
    named: NamedVerdicts,
    parts: Sequence[range],
) -> None:
    ids = await _ids_by_ordinal(transaction, window, named)
    due_at = transaction.now + LEFT_AFTER
    rows = [
        {
            "id": new_id("result"),
            "room_id": transaction.room.id,
            "window_id": window.id,
            "first_ordinal": part[0],
            "last_ordinal": part[-1],
            "judging": judging,
            "verdicts": {ids[at]: named[ids[at]] for at in part if at in ids},
            "actor_id": transaction.actor_id,
            "due_at": due_at,
        }
        for part in parts
    ]
    await transaction.session.execute(insert(ResultPartRow), rows)
    transaction.room.results_pending += len(rows)
    services, room_id, window_id = transaction.services, transaction.room.id, window.id

    def start() -> None:
        services.results.put(room_id, window_id, partial(_process, services, room_id))

    transaction.unit.after_commit(start)


async def _ids_by_ordinal(
    transaction: RoomTransaction, window: WindowRow, named: NamedVerdicts
) -> dict[int, str]:
    """Return the ids of the named submissions by their ordinals."""
    if not named:
        return {}
    found = await transaction.session.execute(
        select(SubmissionRow.ordinal, SubmissionRow.id).where(
            SubmissionRow.window_id == window.id, SubmissionRow.counts
        )
    )
    return {row.ordinal: row.id for row in found if row.id in named}


async def _is_certain(
    transaction: RoomTransaction, window: WindowRow, named: NamedVerdicts
) -> bool:
    """Return whether nobody can get too many points, whatever the parts contain."""
    session = transaction.session
    stored = await session.execute(
        select(
            func.count(),
            func.max(func.abs(SubmissionRow.points)),
            func.max(func.abs(SubmissionRow.credited)),
        ).where(SubmissionRow.window_id == window.id, SubmissionRow.counts)
    )
    number, points, credited = stored.one()
    have = await session.scalar(
        select(func.max(func.abs(ParticipantRow.points))).where(
            ParticipantRow.room_id == transaction.room.id
        )
    )
    sealed = await session.scalar(
        select(func.sum(func.abs(ScoreRow.points))).where(
            ScoreRow.window_id == window.id, ScoreRow.sealed
        )
    )
    largest = max([abs(window.points), points or 0, *(abs(given) for _, given in named.values())])
    total: int = (have or 0) + (sealed or 0) + number * (largest + (credited or 0))
    return total <= scores.MOST


async def _write(
    transaction: RoomTransaction,
    window: WindowRow,
    judging: Judging,
    named: NamedVerdicts,
    ordinals: range,
) -> None:
    """Judge the submissions of one part, and credit their points if results are shown."""
    rows = (
        await transaction.session.scalars(
            select(SubmissionRow)
            .where(
                SubmissionRow.window_id == window.id,
                SubmissionRow.counts,
                SubmissionRow.ordinal.between(ordinals[0], ordinals[-1]),
            )
            .order_by(SubmissionRow.ordinal)
            .execution_options(populate_existing=True)
        )
    ).all()
    if judging is not Judging.KEEP:
        _judge(window, rows, judging, named)
    deltas: Counter[str] = Counter()
    if window.revealed_at is not None:
        _credit(window, rows, deltas)
    await transaction.session.flush()
    await scores.credit(
        transaction, deltas, window_id=window.id, window_key=window.key, reason=REASON
    )


def _judge(
    window: WindowRow, rows: Sequence[SubmissionRow], judging: Judging, named: NamedVerdicts
) -> None:
    rules = Rules(window)
    # What was erased keeps its verdict under new rules.
    erasable = not compile_schema(window.accepts).is_valid(None)
    for row in rows:
        if judging is Judging.SETTLE:
            row.verdict, row.points = named.get(row.id) or _own_verdict(window, rules, row)
        elif judging is Judging.RULES and not (erasable and row.payload is None):
            row.verdict, row.points = rules.verdict(row.payload, without=row.verdict)
        elif row.id in named:
            row.verdict, row.points = named[row.id]
        row.judged = True


def _own_verdict(window: WindowRow, rules: Rules, row: SubmissionRow) -> tuple[Verdict, int]:
    if row.judged and window.judge != Judge.CLOSE:
        return row.verdict, row.points
    failed = window.decided_by is not DecidedBy.APP
    return rules.verdict(row.payload, without=Verdict.PENDING if failed else Verdict.NONE)


def _credit(window: WindowRow, rows: Sequence[SubmissionRow], deltas: Counter[str]) -> None:
    """Store the current points of submissions, and add the difference per participant."""
    for row in rows:
        given = 0 if window.status == WindowStatus.VOID else row.points
        if given != row.credited:
            deltas[row.participant_id] += given - row.credited
            row.credited = given


async def _announce(transaction: RoomTransaction, window: WindowRow) -> None:
    if window.revealed_at is not None:
        await scores.announce(transaction, shown=window.announce_standings)
