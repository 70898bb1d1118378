"""The demo of the lottery: sample rooms, and an evening that is played over HTTP.

The evening repeats the draw of the IETF's nominating committee of 2022: 267 people, ten places, and
the numbers that were published for it. So everybody knows what the result must be.
"""

from datetime import UTC, datetime, timedelta
from itertools import product

from pydantic import JsonValue, TypeAdapter

from mymozhem.contract import JsonObject, RoomStatus, WinnerStatus
from mymozhem.contract.demo import Evening, SampleAction, SamplePrize, SampleRoom
from mymozhem.contract.fair import Verification
from mymozhem.contract.wire import Wire

from .settings import Source, SourceFormat

Sources = tuple[tuple[str, list[int]], ...]

# Source: the public sources and the result of the IETF NomCom of 2022, drawn by RFC 3797. A host
# learns such numbers when they are published; here they are known, so they are due shortly after
# the commit.
NOMCOM_SOURCES: Sources = (
    ("NomCom 2022, first lottery", [7, 18, 28, 40, 48, 8, 11]),
    ("NomCom 2022, second lottery", [15, 21, 31, 36, 65, 16]),
    ("NomCom 2022, third lottery", [17, 21, 12, 26, 8, 42, 35, 13]),
    ("NomCom 2022, fourth lottery", [1, 10, 13, 14, 16, 25, 27, 5, 21]),
)
NOMCOM_POOL = 267
NOMCOM_POSITIONS = (171, 245, 68, 190, 70, 126, 110, 128, 138, 173)

# Source: RFC 3797, section 6; for the redraw, which needs numbers that nobody knew at its commit.
REDRAW_SOURCES: Sources = (
    ("RFC 3797, stock volume", [9319]),
    ("RFC 3797, first lottery", [2, 5, 12, 8, 10]),
    ("RFC 3797, second lottery", [9, 18, 26, 34, 41, 45]),
)

PRIZES = (
    "A weekend in the mountains", "Electric bicycle", "Espresso machine", "Headphones",
    "Telescope", "Chess set of walnut", "Concert tickets for two", "Cast-iron pan",
    "Basket of cheese", "A very good umbrella",
)  # fmt: skip
FIRST_NAMES = (
    "Ada", "Alan", "Barbara", "Chen", "Dmitri", "Edsger", "Fatima", "Grace", "Hedy", "Ivan",
    "Jamal", "Katherine", "Linus", "Margaret", "Niklaus", "Olga", "Priya", "Radia", "Sofia",
    "Tomás",
)  # fmt: skip
LAST_NAMES = (
    "Abe", "Berg", "Costa", "Dumont", "Eriksen", "Fischer", "Garcia", "Hughes", "Ito", "Jansen",
    "Kowalski", "Lindqvist", "Moreau", "Novak",
)  # fmt: skip
PEOPLE = tuple(f"{first} {last}" for last, first in product(LAST_NAMES, FIRST_NAMES))

#: the number of reserves in the draw with the host's secret
RESERVES = 3

#: how long until the values of public sources are known, at least; the draw is committed meanwhile
A_MOMENT = timedelta(seconds=2)
#: on a busy machine, so many times as long as an earlier draw of the demo took to be committed
COMMITS = 10

SAMPLES = (
    SampleRoom(
        name="New Year raffle",
        description="Ten prizes at midnight, one ticket each. Join with the code.",
        settings={"theme": "new-year", "reveal": "manual"},
        prizes=tuple(SamplePrize(name=name) for name in PRIZES),
        people=PEOPLE[:24],
    ),
    SampleRoom(
        name="Summer party tombola",
        description="Drawn last week; every prize was handed over, and anybody can verify it.",
        settings={"theme": "birthday", "reserves": 3},
        status=RoomStatus.COMPLETED,
        prizes=(
            SamplePrize(name="Hammock", quantity=2),
            SamplePrize(name="Ice cream for a year"),
            SamplePrize(name="Picnic basket", quantity=3),
        ),
        people=PEOPLE[24:64],
        actions=(SampleAction(action="draw"),),
        handed_over=6,
    ),
    SampleRoom(
        name="Conference giveaway",
        description="Books and a laptop for people with an account, drawn at the closing session.",
        settings={"eligibility": "registered"},
        status=RoomStatus.DRAFT,
        prizes=(SamplePrize(name="Laptop"), SamplePrize(name="Signed book", quantity=5)),
    ),
    SampleRoom(
        name="Office plant lottery",
        description="Called off: the plants have found a home.",
        status=RoomStatus.CANCELLED,
        prizes=(SamplePrize(name="Monstera"),),
        is_public=False,
    ),
)  # fmt: skip


class _Room(Wire):
    id: str
    code: str


class _Draw(Wire):
    id: str
    key: str
    status: str
    entries_digest: str | None = None
    rule_digest: str | None = None
    picks: tuple[JsonObject, ...] | None = None
    reserves: tuple[JsonObject, ...] | None = None


class _Name(Wire):
    display_name: str


class _Prize(Wire):
    name: str


class _Win(Wire):
    id: str
    participant_id: str
    prize_id: str
    draw_id: str | None
    status: WinnerStatus
    reason: str | None
    participant: _Name
    prize: _Prize


_DRAWS = TypeAdapter(tuple[_Draw, ...])
_WINS = TypeAdapter(tuple[_Win, ...])


async def play(evening: Evening) -> None:
    """Draw ten prizes among 267 people, with the host's secret and with published numbers."""
    evening.say("An evening with vrs: the secret was fixed before anybody joined.")
    slowest = await _with_the_secret(evening)
    evening.say("An evening with rfc3797: published numbers alone decide.")
    await _with_public_sources(evening, max(A_MOMENT, COMMITS * slowest))


async def _with_the_secret(evening: Evening) -> timedelta:
    """Return how long it took at most until a draw was committed."""
    settings: JsonObject = {"selectionMethod": "vrs", "reserves": RESERVES}
    room = await _open(evening, "An evening with vrs", settings)
    asked = datetime.now(UTC)
    draw = await _ask(evening, room, "draw", {"run": False, "reveal": "manual"})
    first = datetime.now(UTC) - asked
    await _run(evening, room, draw)
    sealed = await _until(evening, room, draw, "DRAWN")
    evening.require(sealed.picks is None, "Winners can be seen before they are revealed.")
    evening.require(not await _wins(evening, room), "Wins can be seen before they are revealed.")
    evening.say("The winners are drawn and sealed; not even the organizer sees them. Revealing.")
    await evening.call("POST", f"{_path(room, draw)}/reveal", {}, token=evening.organizer)
    await _show(evening, room, draw)
    asked = datetime.now(UTC)
    again = await _redraw(evening, room, {})
    second = datetime.now(UTC) - asked
    await _replaced(evening, room, again)
    await _move_up(evening, room, draw)
    for each in (draw, again):
        await _verify(evening, room, each)
    return max(first, second)


async def _with_public_sources(evening: Evening, moment: timedelta) -> None:
    later = datetime.now(UTC) + timedelta(days=1)
    settings: JsonObject = {
        "selectionMethod": "rfc3797",
        "publicSources": _sources(NOMCOM_SOURCES, due=later),
    }
    room = await _open(evening, "An evening with rfc3797", settings)
    due = datetime.now(UTC) + moment
    payload: JsonObject = {"publicSources": _sources(NOMCOM_SOURCES, due=due)}
    draw = await _ask(evening, room, "draw", payload)
    await evening.known(due)
    evening.say("The published numbers are known now.")
    await _run(evening, room, draw, NOMCOM_SOURCES)
    await _show(evening, room, draw)
    due = datetime.now(UTC) + moment
    again = await _redraw(evening, room, {"publicSources": _sources(REDRAW_SOURCES, due=due)})
    await evening.known(due)
    await _run(evening, room, again, REDRAW_SOURCES)
    await _replaced(evening, room, again)
    positions = _positions(await _verify(evening, room, draw))
    evening.require(
        positions == NOMCOM_POSITIONS, f"The drawn positions are {positions}, not the published."
    )
    evening.say(f"The drawn positions are the published ones: {', '.join(map(str, positions))}.")
    await _verify(evening, room, again)


async def _open(evening: Evening, name: str, settings: JsonObject) -> _Room:
    """Create a room with ten prizes, start it, and let everybody join."""
    body: JsonObject = {
        "name": name,
        "appId": evening.app_id,
        "appSettings": settings,
        "prizes": [{"name": prize} for prize in PRIZES],
    }
    made = await evening.call("POST", "/rooms", body, token=evening.organizer)
    room = _Room.model_validate(made)
    await evening.call("PATCH", f"/rooms/{room.id}", {"status": "ACTIVE"}, token=evening.organizer)
    evening.say(f"Room {room.id} with {len(PRIZES)} prizes is open; its code is {room.code}.")
    await evening.guests(room.code, PEOPLE[:NOMCOM_POOL])
    return room


async def _ask(evening: Evening, room: _Room, action: str, payload: JsonObject) -> _Draw:
    """Run an action that requests a draw, and return the draw once it is committed."""
    path = f"/rooms/{room.id}"
    await evening.call("POST", f"{path}/actions/{action}", payload, token=evening.organizer)
    found = await evening.call("GET", f"{path}/draws", token=evening.organizer)
    newest = _DRAWS.validate_python(found)[0]
    draw = await _until(evening, room, newest, "COMMITTED", "DRAWN", "REVEALED")
    evening.say(f"Committed: entries {draw.entries_digest}, rule {draw.rule_digest}.")
    return draw


async def _run(evening: Evening, room: _Room, draw: _Draw, sources: Sources = ()) -> None:
    """Have the winners selected, with the values of the public sources if any."""
    values: list[JsonValue] = [list[JsonValue](numbers) for _, numbers in sources]
    forms: list[JsonValue] = [_canonical(numbers) for _, numbers in sources]
    body: JsonObject = {"publicInputs": values, "confirm": forms}
    await evening.call("POST", f"{_path(room, draw)}/run", body, token=evening.organizer)


async def _until(evening: Evening, room: _Room, draw: _Draw, *statuses: str) -> _Draw:
    found = await evening.until(_path(room, draw), "status", *statuses, token=evening.organizer)
    return _Draw.model_validate(found)


async def _show(evening: Evening, room: _Room, draw: _Draw) -> None:
    """Print the winners once their names are public."""
    await _until(evening, room, draw, "REVEALED")
    wins = [win for win in await _wins(evening, room) if win.draw_id == draw.id]
    evening.require(len(wins) == len(PRIZES), f"{len(wins)} people won {len(PRIZES)} prizes.")
    for win in wins:
        evening.say(f"  {win.prize.name}: {win.participant.display_name}")


async def _redraw(evening: Evening, room: _Room, payload: JsonObject) -> _Draw:
    """Take back the prize of an absent winner, and have it drawn again."""
    absent = (await _wins(evening, room))[2]
    evening.say(f"{absent.participant.display_name} is not here: {absent.prize.name} again.")
    body = payload | {"winnerId": absent.id, "reason": "Not here."}
    return await _ask(evening, room, "redraw", body)


async def _replaced(evening: Evening, room: _Room, draw: _Draw) -> None:
    """Check that somebody else has the prize now, and that the first result is kept."""
    await _until(evening, room, draw, "REVEALED")
    wins = await _wins(evening, room)
    (new,) = (win for win in wins if win.draw_id == draw.id)
    first = [win for win in wins if win.status is WinnerStatus.REVOKED]
    evening.require(
        [win.prize_id for win in first] == [new.prize_id] and first[0].reason,
        "The first result is not visible any more, or without its reason.",
    )
    before = {win.participant_id for win in wins if win.id != new.id}
    evening.require(new.participant_id not in before, "Somebody was drawn twice.")
    evening.say(f"  {new.prize.name}: {new.participant.display_name}; the first result stays.")


async def _move_up(evening: Evening, room: _Room, draw: _Draw) -> None:
    """Give the prize of an absent winner to the next reserve, without a draw."""
    seen = await _until(evening, room, draw, "REVEALED")
    ready = [person["participantId"] for person in seen.reserves or ()]
    evening.require(len(ready) == RESERVES, f"{len(ready)} people are in reserve.")
    absent = (await _wins(evening, room))[0]
    body: JsonObject = {"winnerId": absent.id, "reason": "Not here."}
    path = f"/rooms/{room.id}/actions/moveUp"
    await evening.call("POST", path, body, token=evening.organizer)
    (new,) = (win for win in await _wins(evening, room) if win.draw_id is None)
    evening.require(
        new.participant_id in ready and new.prize_id == absent.prize_id,
        "The prize went to somebody who was not next.",
    )
    evening.say(
        f"{absent.participant.display_name} is not here: {new.participant.display_name} came next"
        f" in the draw, and has {new.prize.name}."
    )


async def _verify(evening: Evening, room: _Room, draw: _Draw) -> Verification:
    """Fetch a record as any stranger can, and verify it without the host."""
    return evening.verify(await evening.call("GET", f"{_path(room, draw)}/record"))


async def _wins(evening: Evening, room: _Room) -> tuple[_Win, ...]:
    path = f"/rooms/{room.id}/winners?limit=100&sort=createdAt,id"
    return _WINS.validate_python(await evening.call("GET", path, token=evening.organizer))


def _positions(verification: Verification) -> tuple[int, ...]:
    """Return the positions of the winners in the canonical pool, counted from 1."""
    record = verification.record
    if record is None:
        return ()
    pool = record.entries.participants
    return tuple(pool.index(pick.participant_id) + 1 for pick in record.picks)


def _path(room: _Room, draw: _Draw) -> str:
    return f"/rooms/{room.id}/draws/{draw.id}"


def _sources(sources: Sources, *, due: datetime) -> JsonValue:
    named = (Source(name=name, due=due, format=_format(numbers)) for name, numbers in sources)
    return [source.model_dump(mode="json", by_alias=True, exclude_none=True) for source in named]


def _format(numbers: list[int]) -> SourceFormat:
    return SourceFormat(kind="numbers", count=len(numbers), min=1, max=max(100, *numbers))


def _canonical(numbers: list[int]) -> str:
    """Return the form of the numbers in which a draw accepts them (RFC 3797, section 4.1)."""
    return "".join(f"{number}." for number in sorted(numbers))
