"""Compute the entries of a draw and their tickets; pure functions for a child process.

Candidates travel as chunks of JSON, `[id, kind, metadata, points, earlierPoints, lastSeenAt]` each,
so that a million of them never become objects in the host process.
"""

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

import orjson

from mymozhem.contract import EntryList, EntryRule, JsonObject, TicketRule, fair
from mymozhem.manifests.validators import compile_schema
from mymozhem.rooms.core.whole_numbers import whole_number

Row = tuple[str, str, JsonObject, int, int | None, str | None]
Source = EntryRule | EntryList

#: people whom a message names
MOST_NAMED = 5

#: rows in one chunk; some milliseconds of the event loop to write
CHUNK = 500


class _UnreadableError(ValueError):
    """A candidate's tickets are no whole number."""


class EntriesRefused(ValueError):
    """The entries cannot be frozen; `code` is for programs, the message for people."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(code, message)  # both, so that it crosses from a child process


@dataclass(frozen=True)
class FrozenEntries:
    """Entries as they are stored and published: `text` is canonical JSON, `digest` its SHA-256.

    `excluded` are the entries that the rule excludes, in canonical order.
    """

    text: str
    digest: str
    entries: int
    tickets: int
    excluded: tuple[str, ...] = ()


def write_chunk(rows: Sequence[Row]) -> bytes:
    """Return candidates as one chunk of JSON, compressed.

    A million of them are a tenth of their size then, in the host and on the way to the child.
    """
    return zlib.compress(orjson.dumps(rows), level=1)


def read_chunk(chunk: bytes) -> list[Row]:
    """Return the candidates of a chunk."""
    rows: list[Row] = orjson.loads(zlib.decompress(chunk))
    return rows


def freeze(chunks: Sequence[bytes], source: Source, rule: fair.Rule) -> FrozenEntries:
    """Return the entries of a draw in canonical order: ascending participant ids.

    Raises EntriesRefused if nobody can be drawn (NO_ENTRIES), if there are too many
    (DRAW_TOO_LARGE), if tickets in the metadata are no whole number (TICKETS_UNREADABLE), and for
    lists that name a stranger or the same person twice (NOT_A_CANDIDATE,
    ENTRY_TWICE).
    """
    rows = (row for chunk in chunks for row in read_chunk(chunk))
    tickets = dict(_listed(rows, source) if isinstance(source, EntryList) else _ruled(rows, source))
    excluded = tuple(sorted(tickets.keys() & set(rule.exclude)))
    if len(excluded) == len(tickets):
        raise EntriesRefused("NO_ENTRIES", "There is nobody to draw from.")
    _check_size(rule, tickets)
    return _frozen(tickets, excluded)


def check_list(entries: EntryList, candidates: Sequence[str]) -> None:
    """Raise EntriesRefused if a list names no candidate, or the same person twice."""
    named = set(entries.participants)
    if len(named) != len(entries.participants):
        raise EntriesRefused("ENTRY_TWICE", "The entries name somebody twice.")
    strangers = named.difference(candidates)
    if strangers:
        message = f"{min(strangers)!r} is no candidate of this draw."
        raise EntriesRefused("NOT_A_CANDIDATE", message)


def _listed(rows: Iterable[Row], entries: EntryList) -> Iterable[tuple[str, int]]:
    check_list(entries, [row[0] for row in rows])
    return zip(entries.participants, entries.tickets, strict=True)


def _ruled(rows: Iterable[Row], rule: EntryRule) -> Iterator[tuple[str, int]]:
    """Yield the participants that satisfy the rule, with their tickets."""
    fits, count = _fits(rule), _counts(rule.tickets)
    left_out = frozenset(rule.leave_out)
    unreadable: list[str] = []
    for row in rows:
        if row[0] in left_out or not fits(row):
            continue
        try:
            tickets = count(row)
        except _UnreadableError as found:
            unreadable.append(f"{row[0]} has {found}")
            continue
        if tickets:
            yield row[0], tickets
    if unreadable:
        _refuse_tickets(unreadable)


def _refuse_tickets(unreadable: list[str]) -> NoReturn:
    shown = "; ".join(unreadable[:MOST_NAMED])
    more = f"; and {len(unreadable) - MOST_NAMED} more" if len(unreadable) > MOST_NAMED else ""
    message = f"Tickets must be whole numbers: {shown}{more}. Correct them, then retry the draw."
    raise EntriesRefused("TICKETS_UNREADABLE", message)


def _fits(rule: EntryRule) -> Callable[[Row], bool]:
    valid = None if rule.where is True else compile_schema(rule.where).is_valid
    since = rule.seen_since

    def fits(row: Row) -> bool:
        _, kind, metadata, points, _, seen = row
        if since is not None and (seen is None or datetime.fromisoformat(seen) < since):
            return False
        return valid is None or valid({"kind": kind, "metadata": metadata, "points": points})

    return fits


def _counts(tickets: int | TicketRule) -> Callable[[Row], int]:
    if isinstance(tickets, int):
        return lambda _: tickets
    rule = tickets

    def count(row: Row) -> int:
        found = _looked_up(rule, row)
        number = rule.default if found is None else found // rule.per
        return min(max(number, rule.minimum), rule.maximum)

    return count


def _looked_up(rule: TicketRule, row: Row) -> int | None:
    _, _, metadata, points, earlier_points, _ = row
    if rule.of == "points":
        return points
    if rule.of == "earlierPoints":
        return earlier_points
    keys = [rule.field] if rule.field in metadata else _alike(metadata, rule.field)
    if len(keys) > 1:
        raise _UnreadableError(f"both {keys[0]!r} and {keys[1]!r}")
    found = metadata[keys[0]] if keys else None
    if found is None:
        return None
    number = whole_number(found)
    if number is None:
        raise _UnreadableError(f"{found!r:.60} as {keys[0]!r}")
    return number


def _alike(metadata: JsonObject, field: str) -> list[str]:
    """Return the keys that are the field but for case: somebody who wrote `Tickets` meant it."""
    wanted = field.strip().casefold()
    return [key for key in metadata if key.strip().casefold() == wanted]


def _check_size(rule: fair.Rule, tickets: dict[str, int]) -> None:
    entries = fair.Entries.model_construct(
        participants=tuple(tickets), tickets=tuple(tickets.values())
    )
    try:
        fair.check_limits(rule, entries)
    except fair.DrawTooLarge as error:
        raise EntriesRefused("DRAW_TOO_LARGE", f"{error}.") from error


def _frozen(tickets: dict[str, int], excluded: tuple[str, ...]) -> FrozenEntries:
    participants = sorted(tickets)
    document = {
        "participants": participants,
        "tickets": [tickets[each] for each in participants],
    }
    text = orjson.dumps(document)  # canonical as it stands: ids of ours are plain ASCII
    return FrozenEntries(
        text=text.decode(),
        digest=hashlib.sha256(text).hexdigest(),
        entries=len(participants),
        tickets=sum(tickets.values()),
        excluded=excluded,
    )
