"""Notifications by the host itself: what winners and organizers have to know.

They follow from the events of a transaction, and are written with it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Select, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.contract.enums import ParticipantStatus
from mymozhem.contract.events import (
    FallbackUsed,
    HostEvent,
    ParticipantJoined,
    WinnerRevoked,
    WinnerSelected,
)
from mymozhem.db.base import new_id
from mymozhem.rooms.tables.notifications import NotificationRow, NotificationType
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.prizes import PrizeRow

from .membership import STAFF

#: notifications in one statement; some milliseconds of the event loop
AT_ONCE = 500


@dataclass
class Notices:
    """What the events of a transaction give people to know.

    Of what organizers should look at, they get one notification until they have read it, however
    often it happens.
    """

    wins: dict[str, WinnerSelected] = field(default_factory=dict)
    fallbacks: dict[str, FallbackUsed] = field(default_factory=dict)
    waiting: int = 0

    def add(self, event: HostEvent) -> None:
        """Note an event."""
        if isinstance(event, WinnerSelected):
            self.wins[event.winner_id] = event
        elif isinstance(event, WinnerRevoked):
            self.wins.pop(event.winner_id, None)
        elif isinstance(event, FallbackUsed):
            self.fallbacks.setdefault(event.hook, event)
        elif isinstance(event, ParticipantJoined) and event.status is ParticipantStatus.PENDING:
            self.waiting += 1

    def copy(self) -> "Notices":
        """Return the state now, to return to it."""
        return Notices(dict(self.wins), dict(self.fallbacks), self.waiting)

    async def write(self, session: AsyncSession, room_id: str, now: datetime) -> None:
        """Write the notifications."""
        rows: list[dict[str, object]] = []
        if self.wins:
            rows += await self._for_winners(session)
        if self.fallbacks or self.waiting:
            rows += await self._for_staff(session, room_id)
        whole = [
            {"id": new_id("note"), "room_id": room_id, "created_at": now, **_EMPTY, **row}
            for row in rows
        ]
        for start in range(0, len(whole), AT_ONCE):
            await session.execute(insert(NotificationRow), whole[start : start + AT_ONCE])

    async def _for_winners(self, session: AsyncSession) -> list[dict[str, object]]:
        wins = list(self.wins.values())
        whose = select(ParticipantRow.id, ParticipantRow.user_id)
        users = await _by_id(session, whose, (each.participant_id for each in wins))
        names = select(PrizeRow.id, PrizeRow.name)
        prizes = await _by_id(session, names, (each.prize_id for each in wins))
        return [
            {
                "user_id": users[each.participant_id],
                "type": NotificationType.WINNER_SELECTED,
                "title": "Congratulations!",
                "message": f"You won {prizes[each.prize_id]}.",
                "winner_id": each.winner_id,
                "prize_id": each.prize_id,
            }
            for each in wins
        ]

    async def _for_staff(self, session: AsyncSession, room_id: str) -> list[dict[str, object]]:
        staff = await session.scalars(
            select(ParticipantRow.user_id).where(
                ParticipantRow.room_id == room_id,
                ParticipantRow.role.in_(STAFF),
                ParticipantRow.status == ParticipantStatus.ACTIVE,
            )
        )
        people = list(staff)
        unread = await session.execute(
            select(NotificationRow.user_id, NotificationRow.title).where(
                NotificationRow.user_id.in_(people),
                NotificationRow.room_id == room_id,
                NotificationRow.read_at.is_(None),
                NotificationRow.type.is_not(None),
            )
        )
        known = {(user_id, title) for user_id, title in unread}
        return [
            {"user_id": user_id, **letter}
            for letter in self._letters()
            for user_id in people
            if (user_id, letter["title"]) not in known
        ]

    def _letters(self) -> Iterable[Mapping[str, object]]:
        for event in self.fallbacks.values():
            yield {
                "type": NotificationType.APP_FALLBACK,
                "title": f"The app did not answer {event.hook}",
                "message": f"{event.message} Decided by: {event.decided_by}.",
            }
        if self.waiting:
            yield {
                "type": NotificationType.MANUAL_APPROVAL_REQUIRED,
                "title": "Somebody waits to be admitted",
                "message": "Approve or reject the participants whose status is pending.",
            }


_EMPTY = {"winner_id": None, "prize_id": None}


async def _by_id(
    session: AsyncSession, rows: Select[str, str], ids: Iterable[str]
) -> dict[str, str]:
    """Return pairs of a query as a dictionary; the first of each is the id of its row."""
    found: dict[str, str] = {}
    column, ordered = rows.selected_columns[0], sorted(set(ids))
    for start in range(0, len(ordered), AT_ONCE):
        some = await session.execute(rows.where(column.in_(ordered[start : start + AT_ONCE])))
        found.update((row[0], row[1]) for row in some)
    return found
