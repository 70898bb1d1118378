"""The texts of mails: what broke, which rooms are affected, what to do. Plain text."""

from collections.abc import Sequence
from typing import NamedTuple

from mymozhem.clock import iso
from mymozhem.contract import JsonObject

from .tables import AlertRow

LONGEST_SUBJECT = 150
_PREFIX = "[mymozhem]"


class MailText(NamedTuple):
    """A subject of one line, and a text."""

    subject: str
    body: str


def alert_mail(row: AlertRow, public_url: str) -> MailText:
    """Return the mail about one alert: that it began, got worse, or is over."""
    state = "recovered" if row.recovered_at is not None else row.severity.value
    subject = line(f"{_PREFIX} {state}: {row.summary}")
    return MailText(_cut(subject), "\n".join([*incident(row), "", *_foot(public_url)]))


def digest_mail(rows: Sequence[AlertRow], public_url: str) -> MailText:
    """Return one mail about everything that happened in the quiet hours."""
    still = sum(row.recovered_at is None for row in rows)
    count = "1 warning" if len(rows) == 1 else f"{len(rows)} warnings"
    subject = f"{_PREFIX} last night: {count}, {still} still open"
    body = [part for row in rows for part in [*incident(row), "", "-" * 40, ""]]
    return MailText(subject, "\n".join([*body, *_foot(public_url)]))


def line(text: str) -> str:
    """Return a text as one printable line, so that it cannot become a header or a command."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def incident(row: AlertRow) -> list[str]:
    """Return the lines about one alert: what broke, since when, for whom, what to do."""
    over = [f"Over since {iso(row.recovered_at)}."] if row.recovered_at is not None else []
    facts = [
        f"{title}: {line(value)}"
        for title, value in (
            ("app", row.app_id), ("version", row.version), ("capability", row.capability),
            ("code", row.code),
        )
        if value
    ]  # fmt: skip
    return [
        line(row.summary),
        f"Began {iso(row.opened_at)}, {row.severity.value}.",
        *over,
        "",
        *facts,
        "",
        *_rooms(row),
        *(["", f"What to do: {row.advice}"] if row.recovered_at is None else []),
    ]


def _rooms(row: AlertRow) -> list[str]:
    if row.app_id is None:
        return []
    if not row.room_count:
        return ["No active room is locked to this app."]
    noun = "room is" if row.room_count == 1 else "rooms are"
    named = [f"  - {_room(room)}" for room in row.rooms]
    rest = row.room_count - len(named)
    more = [f"  - and {rest} more"] if rest > 0 else []
    return [f"{row.room_count} active {noun} locked to this app:", *named, *more]


def _room(room: JsonObject) -> str:
    return f"{line(str(room['name']))} ({room['id']})"


def _foot(public_url: str) -> list[str]:
    return [f"All alerts: {public_url}/api/v1/admin/alerts", ""]


def _cut(subject: str) -> str:
    return subject if len(subject) <= LONGEST_SUBJECT else subject[: LONGEST_SUBJECT - 1] + "…"
