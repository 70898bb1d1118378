"""A room with simulated participants: created over HTTP, and kept as long as possible."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from pydantic import JsonValue

from mymozhem.contract import JsonObject
from mymozhem.contract.demo import DemoFailed, Guest
from mymozhem.demo.http_evening import HttpEvening

from .app_profile import AppProfile

NAMES = ("Ada", "Bob", "Cem", "Dee", "Eve")
_PRIZE: JsonObject = {"name": "A prize to try", "quantity": 3}


@dataclass(frozen=True)
class SimulatedPhone:
    """A participant in the room."""

    name: str
    guest: Guest


@dataclass
class DevRoom:
    """A room to try an app in; `refusals` are the reasons why it did not start or a join failed."""

    room_id: str
    code: str
    status: str
    version: str
    settings: JsonObject
    phones: list[SimulatedPhone] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)


async def gather(
    evening: HttpEvening, card: AppProfile, *, before: DevRoom | None, people: int
) -> tuple[DevRoom, bool]:
    """Return a room with participants, and whether it is the room of before."""
    if before is not None and await _goes_on(evening, card, before):
        return before, True
    party = await _made(evening, card)
    await _let_in(evening, card, party, people)
    return party, False


async def _goes_on(evening: HttpEvening, card: AppProfile, party: DevRoom) -> bool:
    """Return whether a room exists, is ACTIVE, and is of the version that runs now."""
    if party.version != _version(card):
        return False
    path = f"/rooms/{party.room_id}"
    found = await evening.attempt("GET", path, token=evening.organizer)
    return found.code is None and _text(found.data, "status") == party.status == "ACTIVE"


async def _made(evening: HttpEvening, card: AppProfile) -> DevRoom:
    """Create a room with the first settings with which it can start."""
    refusals: list[str] = []
    party = None
    for settings in card.settings:
        party = await _started(evening, card, settings, refusals)
        if party is not None and party.status == "ACTIVE":
            return party
    if party is None:
        raise DemoFailed(f"No room can be made: {'; '.join(refusals) or 'no settings are valid'}.")
    return party


async def _started(
    evening: HttpEvening, card: AppProfile, settings: JsonObject, refusals: list[str]
) -> DevRoom | None:
    body: JsonObject = {"name": "Trial", "appId": card.app_id, "appSettings": settings}
    body["prizes"] = [_PRIZE]
    made = await evening.attempt("POST", "/rooms", body, token=evening.organizer)
    if made.code is not None:
        refusals.append(f"a room was refused: {made.code} {made.data}")
        return None
    room_id, code = _text(made.data, "id"), _text(made.data, "code")
    change: JsonObject = {"status": "ACTIVE"}
    started = await evening.attempt("PATCH", f"/rooms/{room_id}", change, token=evening.organizer)
    if started.code is not None:
        refusals.append(f"the room cannot be started: {started.code} {started.data}")
    status = "DRAFT" if started.code else "ACTIVE"
    return DevRoom(room_id, code, status, _version(card), settings, refusals=refusals)


async def _let_in(evening: HttpEvening, card: AppProfile, party: DevRoom, people: int) -> None:
    for number, name in enumerate(_names(people)):
        body: JsonObject = {"code": party.code, "name": name}
        if card.answers:
            body["answers"] = card.answers[number % len(card.answers)]
        entered = await evening.attempt("POST", "/auth/guest", body)
        match entered.data:
            case {"accessToken": str(token), "participant": {"id": str(own), **rest}}:
                party.phones.append(SimulatedPhone(name, Guest(token, own)))
                if rest.get("status") == "PENDING":
                    path = f"/rooms/{party.room_id}/participants/{own}/approve"
                    await evening.attempt("POST", path, token=evening.organizer)
            case _:
                party.refusals.append(f"{name} was not let in: {entered.code} {entered.data}")


def _names(people: int) -> Iterable[str]:
    return (NAMES[n] if n < len(NAMES) else f"Guest {n + 1}" for n in range(people))


def _version(card: AppProfile) -> str:
    return _text(card.manifest.get("meta"), "version")


def _text(data: JsonValue, name: str) -> str:
    found = data.get(name) if isinstance(data, dict) else None
    return found if isinstance(found, str) else ""
