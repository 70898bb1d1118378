"""A hall that answers one question: the app that asks it, and as many guests as are wanted."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert

from mymozhem.auth.tables import UserRow
from mymozhem.contract import (
    JsonObject,
    OpenWindow,
    ParticipantStatus,
    PersonKind,
    Role,
    hookimpl,
)
from mymozhem.db.base import new_id
from mymozhem.db.unit_of_work import Database
from mymozhem.rooms.tables.participants import ParticipantRow

APP = "asker"
QUESTION = "q-1"
RIGHT = "b"
SECONDS = 120


class SlowWindowApp:
    """An app whose only action opens a window of two minutes; the rules know the right option."""

    @hookimpl
    def app_manifest(self) -> JsonObject:
        return {
            "id": APP,
            "meta": {"name": "Asker", "version": "1.0.0", "description": "Asks one question."},
            "capabilities": ["actions", "windows"],
            "permissions": [],
            "actions": {"ask": {}},
        }

    @hookimpl
    def handle_action(self) -> JsonObject:
        question = OpenWindow(
            id=QUESTION,
            prompt={"text": "Which one is it?", "options": list("abcd")},
            accepts={
                "type": "object",
                "required": ["option"],
                "additionalProperties": False,
                "properties": {"option": {"enum": list("abcd")}},
            },
            rules={"properties": {"option": {"const": RIGHT}}},
            judge="rules",
            points=100,
            duration_ms=SECONDS * 1000,
        )
        return {"effects": [question.model_dump(mode="json", by_alias=True, exclude_none=True)]}

    @hookimpl
    def close_window(self) -> None:
        """Leave it at the verdicts of the rules."""


@dataclass(frozen=True)
class Guest:
    """Somebody in the hall, as far as a token knows them."""

    id: str
    kind: PersonKind = PersonKind.GUEST


async def seat(database: Database, room_id: str, people: int, *, now: datetime) -> list[Guest]:
    """Seat guests by writing their rows; joining is measured elsewhere."""
    guests = [Guest(new_id("usr")) for _ in range(people)]
    async with database.write() as unit:
        users = [_user(guest, now) for guest in guests]
        await unit.session.execute(insert(UserRow), users)
        seats = [_seat(room_id, guest, now) for guest in guests]
        await unit.session.execute(insert(ParticipantRow), seats)
    return guests


def _user(guest: Guest, now: datetime) -> dict[str, object]:
    return {
        "id": guest.id,
        "name": guest.id,
        "kind": guest.kind,
        "created_at": now,
        "updated_at": now,
    }


def _seat(room_id: str, guest: Guest, now: datetime) -> dict[str, object]:
    return {
        "room_id": room_id,
        "user_id": guest.id,
        "display_name": guest.id,
        "role": Role.PARTICIPANT,
        "status": ParticipantStatus.ACTIVE,
        "joined_at": now,
        "updated_at": now,
    }
