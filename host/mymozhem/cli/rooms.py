"""Commands about rooms, for operators."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing
from typing import IO, TYPE_CHECKING, Any, Literal, TypeVar

import click

from mymozhem.config import Settings
from mymozhem.contract.byte_order_marks import as_text
from mymozhem.errors import MymozhemError

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from mymozhem.rooms.replay import Replayed
    from mymozhem.rooms.tables.rooms import RoomRow

    from .room_verification import VerifiedRoom


T = TypeVar("T")
Form = Literal["text", "json"]
STATUSES = ("DRAFT", "ACTIVE", "COMPLETED", "CANCELLED")


@click.group("rooms")
def rooms_group() -> None:
    """List and show rooms, verify locks, export and replay logs."""


@rooms_group.command("list")
@click.option("--status", type=click.Choice(STATUSES, case_sensitive=False))
@click.option("--app", "app_id", metavar="APP_ID", help="Only rooms of this app.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, help="Maximum number.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def list_command(status: str | None, app_id: str | None, limit: int, form: Form) -> None:
    """List the newest rooms of the configured database.

    The host may be running.

    \b
    Examples:
      mymozhem rooms list
      mymozhem rooms list --status active --format json
    """
    from . import room_reports

    rooms = _read(
        lambda session: room_reports.list_rooms(session, status=status, app_id=app_id, limit=limit)
    )
    if form == "json":
        click.echo(json.dumps(rooms, ensure_ascii=False))
        return
    for room in rooms:
        click.echo("{status:<10} {code}  {participantCount:>6}  {id}  {name}".format(**room))
    if not rooms:
        click.echo("There is no such room.", err=True)


@rooms_group.command("show")
@click.argument("room")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def show_command(room: str, form: Form) -> None:
    """Show the room ROOM, an id or a code.

    Nothing of a draw is shown before its reveal.

    \b
    Examples:
      mymozhem rooms show MH7T866Y
      mymozhem rooms show room_01a20469f1c3706bb7963231e6f32f0e --format json
    """
    from . import room_reports

    found = _read_room(room, room_reports.show_room)
    if form == "json":
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    prizes, draws = found.pop("prizes"), found.pop("draws")
    for name, value in found.items():
        click.echo(f"{name:<20} {value if value is not None else '-'}")
    for prize in prizes:
        click.echo(
            "prize                {id}  {quantityRemaining}/{quantity}  {name}".format(**prize)
        )
    for draw in draws:
        held = f"  held: {draw['held']}" if draw["held"] else ""
        click.echo(f"draw                 {draw['id']}  {draw['status']}{held}")


@rooms_group.command("export")
@click.argument("room")
def export_command(room: str) -> None:
    """Write the log of the room ROOM to standard output.

    The format is JSON Lines. The first line is the room; the last is the state in its tables, with
    which a replay can be compared. Participants are named by their ids. The log has every stream,
    also those that apps keep private: handle it with care.

    \b
    Examples:
      mymozhem rooms export MH7T866Y > room.jsonl
      mymozhem rooms export MH7T866Y | mymozhem rooms replay -
    """
    from . import room_reports

    async def write(session: "AsyncSession", found: "RoomRow") -> None:
        async for line in room_reports.export_lines(session, found):
            click.echo(json.dumps(line, ensure_ascii=False, separators=(",", ":")))

    _read_room(room, write)


@rooms_group.command("replay")
@click.argument("file", type=click.File("rb"))
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def replay_command(file: IO[bytes], form: Form) -> None:
    """Compute winners, scores and state from the log FILE.

    If FILE is -, standard input is read. No database is opened. If the file has the state of the
    tables, the result is compared with it, and the exit status is 1 if they differ.

    \b
    Examples:
      mymozhem rooms replay room.jsonl
      mymozhem rooms replay room.jsonl --format json
    """
    from mymozhem.rooms.replay import LogBroken, replay

    from . import room_reports

    try:
        with as_text(file) as text:
            reader = _Reader(text)
            room = replay(reader.events())
    except (LogBroken, KeyError, TypeError, ValueError) as error:
        raise click.ClickException(f"The log cannot be replayed: {error}") from error
    added_up = json.loads(json.dumps(room_reports.as_json(room)))
    differing = _differing(added_up, reader.end)
    if form == "json":
        agrees = None if reader.end is None else not differing
        click.echo(json.dumps(added_up | {"agrees": agrees}, ensure_ascii=False, indent=2))
    else:
        _print(room)
    if differing:
        sentence = f"The log and the tables differ in: {', '.join(differing)}."
        raise click.ClickException(sentence)
    if reader.end is not None and form == "text":
        click.echo("The tables are equal.")


@rooms_group.command("verify")
@click.argument("room", required=False)
@click.option("--all", "every", is_flag=True, help="Every room in DRAFT or ACTIVE.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def verify_command(room: str | None, form: Form, *, every: bool) -> None:
    """Verify that the room ROOM runs what it is locked to.

    ROOM is an id or a code. Digests are computed again from the stored documents; the room's
    settings are validated; and the code that a host would load if it started now is compared with
    the lock: enabled plugins are imported in this process for that. Nothing is written; the host
    may be running.

    Exit status: 0 if every check passes, 1 if not.

    \b
    Examples:
      mymozhem rooms verify MH7T866Y
      mymozhem rooms verify --all --format json
    """
    from .room_verification import VerifiedRoom, verified_rooms

    if (room is None) is not every:
        raise click.UsageError("Name one room, or give --all.")

    async def shown() -> bool:
        found: list[VerifiedRoom] = []
        count, holds = 0, True
        async with aclosing(verified_rooms(Settings(), room)) as proved:
            async for each in proved:
                count, holds = count + 1, holds and each.holds
                if form == "json":
                    found.append(each)
                else:
                    _print_proof(each)
        if form == "json":
            document = [each.document() for each in found]
            click.echo(json.dumps(document if every else document[0], ensure_ascii=False, indent=2))
        elif not count:
            click.echo("There is no room in DRAFT or ACTIVE.", err=True)
        return holds

    try:
        holds = asyncio.run(shown())
    except MymozhemError as error:
        raise click.ClickException(error.message) from error
    if not holds:
        raise SystemExit(1)


def _print_proof(proved: "VerifiedRoom") -> None:
    click.echo(f"{proved.room['id']}  {proved.room['name']}")
    for line in proved.lines:
        click.echo(f"  {'ok ' if line.holds else 'NOT'}  {line.what:<16} {line.says}")


class _Reader:
    """Reads a log line by line; `end` is the state in its last line, None if missing."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self.end: Mapping[str, Any] | None = None

    def events(self) -> Iterator[Mapping[str, Any]]:
        """Yield the entries; raises ValueError if the file is not a log."""
        first = json.loads(next(iter(self._file), "null"))
        if not isinstance(first, dict) or first.get("format") != "mymozhem-room-1":
            message = "the first line is not that of a room's log"
            raise ValueError(message)
        for text in self._file:
            line = json.loads(text)
            if "end" in line:
                self.end = line["end"]
            else:
                yield line


def _differing(found: Mapping[str, Any], end: Mapping[str, Any] | None) -> list[str]:
    if end is None:
        return []
    return sorted(name for name in found.keys() | end.keys() if found.get(name) != end.get(name))


def _print(room: "Replayed") -> None:
    click.echo(f"{room.events} entries; status {room.status}; {room.people} people")
    for winner_id, win in room.wins.items():
        click.echo(f"{win.status:<10} {winner_id}  {win.participant_id}  {win.prize_id}")
    for person, points in room.scores.most_common():
        click.echo(f"{points:>10} {person}")
    for name, status in room.windows.items():
        click.echo(f"window {name}: {status}")
    for level, state in room.state.items():
        if state:
            click.echo(f"state {level}: {json.dumps(state, ensure_ascii=False)}")


def _read_room(room: str, work: "Callable[[AsyncSession, RoomRow], Awaitable[T]]") -> T:
    from . import room_reports

    async def found(session: "AsyncSession") -> T:
        row = await room_reports.find_room(session, room)
        if row is None:
            raise click.ClickException(f"There is no room {room!r}; see `mymozhem rooms list`.")
        return await work(session, row)

    return _read(found)


def _read(work: "Callable[[AsyncSession], Awaitable[T]]") -> T:
    from .database import opened_database

    async def reading() -> T:
        async with (
            opened_database(Settings(), exclusive=False) as database,
            database.read() as session,
        ):
            return await work(session)

    try:
        return asyncio.run(reading())
    except MymozhemError as error:
        raise click.ClickException(error.message) from error
