"""Before its results are shown a window tells nobody what is right, nor who was.

Two rooms are the same but for what decides: rules, data, points, and so every verdict. Whatever
anybody can read of the one has to be what they can read of the other.
"""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mymozhem.api.openapi import openapi_document
from mymozhem.api.v1 import ROUTES
from mymozhem.clock import Clock
from mymozhem.contract import CloseWindowRequest, JudgeRequest
from tests.api.test_access import BODIES
from tests.support.api_host import Caller, Heard, make_api_host
from tests.support.api_room import ApiRoom
from tests.support.apps.window_app import WindowApp

STATES = ("open", "paused", "tallying", "unrevealed")
JUDGES = ("rules", "app", "close")
CASES = [
    ("open", "rules"), ("open", "app"), ("paused", "rules"), ("tallying", "rules"),
    ("tallying", "app"), *(("unrevealed", judge) for judge in JUDGES),
]  # fmt: skip
WRITES = [route for route in ROUTES if route.method != "GET" and "/rooms/{id}" in route.endpoint]

#: what nobody is to find, in either room; and of people's answers, nobody but helpers, and later
SECRETS = (b"rule-5f2c", b"rule-81ab", b"data-5f2c", b"data-81ab", b"40961", b"51437")
ANSWERS = (b"bobs-77aa", b"cyds-77aa")

#: a drawing of the room's code, which is another in each room
DRAWN = "/qr.svg"


@dataclass(frozen=True)
class World:
    """What decides in one room."""

    rule: str
    data: str
    points: int
    right: str

    def opening(self, judge: str) -> dict[str, Any]:
        """Return the effect that opens its window."""
        rules = {"properties": {"n": {"enum": [self.right, self.rule]}}}
        return {
            "effect": "openWindow",
            "id": "w",
            "prompt": {"text": "Which one?"},
            "accepts": {"type": "object", "properties": {"n": {"type": "string"}}},
            "data": {"hint": self.data, "right": self.right, "points": self.points},
            "rules": rules if judge == "rules" else None,
            "judge": judge,
            "points": self.points,
            "results": "onReveal",
            "durationMs": 60_000,
        }


WORLDS = (
    World("rule-5f2c", "data-5f2c", 40_961, "bobs-77aa"),
    World("rule-81ab", "data-81ab", 51_437, "cyds-77aa"),
)


class Sphinx(WindowApp):
    """Judges by the `data` of its windows, and gives points for style; breaks off when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.silent = False
        self.judging = self._judge
        self.closing = self._close

    def _judge(self, asked: JudgeRequest) -> Any:
        right = asked.submission.payload == {"n": asked.window.data["right"]}
        points = asked.window.data["points"] if right else 0
        return {"verdict": "right" if right else "wrong", "points": points}

    def _close(self, asked: CloseWindowRequest) -> Any:
        if self.silent:
            raise ValueError(asked.window.data)
        found = [each.payload == {"n": asked.window.data["right"]} for each in rows(asked)]
        points = asked.window.data["points"]
        style = {"effect": "adjust", "points": points, "reason": asked.window.data["hint"]}
        return {
            "effects": [style | {"participantId": asked.submissions.participant_id[0]}],
            "verdicts": {
                "submissionId": list(asked.submissions.id),
                "verdict": ["right" if each else "wrong" for each in found],
                "points": [points if each else 0 for each in found],
            },
        }


def rows(asked: CloseWindowRequest) -> Any:
    return asked.submissions.rows()


@dataclass
class Twins:
    """Two rooms of one house, and by name everybody who may look into them."""

    evenings: tuple[ApiRoom, ApiRoom]
    callers: tuple[dict[str, Caller], dict[str, Caller]]

    def both(self) -> Iterator[tuple[ApiRoom, dict[str, Caller]]]:
        return iter(zip(self.evenings, self.callers, strict=True))


async def bring_to(twins: Twins, state: str, judge: str) -> None:
    """Have both rooms' windows answered, and bring them to a state."""
    for api_room, world in zip(twins.evenings, WORLDS, strict=True):
        api_room.desk.silent = state == "tallying"
        await api_room.do(world.opening(judge))
        await api_room.submitted({"n": "adas-77aa"}, {"n": "bobs-77aa"}, {"n": "cyds-77aa"})
        await api_room.host.work()
        if state == "paused":
            await api_room.control("pause")
        if state in ("tallying", "unrevealed"):
            await api_room.close()


@pytest.fixture
async def twins(database_url: str, clock: Clock, tmp_path: Path) -> AsyncIterator[Twins]:
    app = Sphinx()
    async with make_api_host(database_url, clock, tmp_path, apps={"desk": app}) as host:
        admin = await host.person("root@example.com", is_admin=True)
        elsewhere = await host.start(name="Elsewhere")
        foreign, _ = await host.guest(elsewhere, "Eve")
        accounts = {
            name: await host.person(f"{name}@people.example.com")
            for name in ("moderator", "viewer")
        }
        evenings, callers = [], []
        for _ in WORLDS:
            api_room = ApiRoom(host, app, await host.start(appId="desk"))
            await api_room.come("Ada", "Bob", "Cyd", "Dan")
            people = {"organizer": host.organizer, "admin": admin, "anonymous": host.nobody}
            people |= {"foreign": foreign, "ada": api_room.guests[0], "dan": api_room.guests[3]}
            people |= {name: await seated(api_room, person) for name, person in accounts.items()}
            evenings.append(api_room)
            callers.append(people)
        yield Twins((evenings[0], evenings[1]), (callers[0], callers[1]))


async def seated(api_room: ApiRoom, person: Caller) -> Caller:
    """Let somebody in with the role that their name is."""
    joined = await person.post(f"{api_room.path}/participants", {"code": api_room.room["code"]})
    seat = f"{api_room.path}/participants/{joined.data['id']}"
    role = joined.data["displayName"].upper()
    assert (await api_room.organizer.patch(seat, {"role": role})).status == 200
    return person


# ------------------------------------------------------------------------------- what can be read


def addresses(api_room: ApiRoom) -> list[str]:
    """Return every address that can be read, of the API's own description, with its choices."""
    ids = {"id": api_room.room["id"], "pid": api_room.ids[1], "windowId": "w"}
    ids |= {"appId": "desk", "v": "1.0.0"}
    found = []
    for path, methods in openapi_document(api_room.host.app)["paths"].items():
        if "get" in methods:
            filled = re.sub(r"{(\w+)}", lambda name: ids.get(name[1], "none"), path)
            names = {each["name"] for each in methods["get"]["parameters"]}
            found += [filled, *(f"{filled}?{choice}" for choice in choices(path, names))]
    return found


def choices(path: str, names: set[str]) -> Iterator[str]:
    if "format" in names:
        yield from ("format=csv", "format=json")
    if path.endswith("/participants"):
        yield from ("sort=points", "sort=-points", "limit=100")
    if path.endswith("/windows"):
        yield from ("sort=-createdAt", "fields=answered,of,decidedBy,closedBy")
    if path.endswith("/rooms"):
        yield "mine=true"


async def read(caller: Caller, api_room: ApiRoom) -> dict[str, Heard]:
    """Return everything that a caller can read, by an address that both rooms have."""
    heard = {each: await caller.get(absolute(each)) for each in addresses(api_room)}
    return {plain(path, api_room): answer for path, answer in heard.items()}


def absolute(path: str) -> str:
    return path if path.startswith("/api/") else f"/{path}"


def plain(text: str, api_room: ApiRoom) -> str:
    """Return a text without what is another in each room: ids, codes, anchor, epoch."""
    text = re.sub(r"\b([a-z]+)_[0-9a-f]{32}", r"\1", text.replace(api_room.room["code"], "CODE"))
    text = re.sub(r'"(epoch|shortCode)":"[^"]*"', r'"\1":""', text)
    return re.sub(r"[0-9a-f]{64}", "", text)


def told(heard: Heard, api_room: ApiRoom) -> tuple[int, str | None, str]:
    return heard.status, heard.headers.get("ETag"), plain(heard.raw.decode(), api_room)


def in_room(path: str) -> bool:
    return "/rooms/room" in path and DRAWN not in path


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("state", "judge"), CASES)
async def test_nobody_reads_what_is_right_or_who_was(twins: Twins, state: str, judge: str):
    await bring_to(twins, state, judge)
    for who in twins.callers[0]:
        seen = []
        for api_room, callers in twins.both():
            answers = await read(callers[who], api_room)
            helps = who in ("organizer", "moderator", "admin") and state in STATES[2:]
            hidden = SECRETS if helps else (*SECRETS, *ANSWERS)
            for path, heard in answers.items():
                assert [each for each in hidden if each in heard.raw] == [], (who, path)
            seen.append({p: told(h, api_room) for p, h in answers.items() if in_room(p)})
        assert seen[0] == seen[1], who
        let_in = sum(status == 200 for status, *_ in seen[0].values())
        assert let_in > 15 or who in ("foreign", "anonymous"), who


@pytest.mark.parametrize("judge", JUDGES)
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_what_is_revealed_is_another_thing_in_each_room(twins: Twins, judge: str):
    """The walk finds what there is to find, once it may be found."""
    await bring_to(twins, "unrevealed", judge)
    for api_room in twins.evenings:
        assert (await api_room.control("reveal")).status == 200
    seen = []
    for api_room, callers in twins.both():
        answers = await read(callers["ada"], api_room)
        seen.append({path: told(heard, api_room) for path, heard in answers.items()})
    differing = {
        path.rpartition("/rooms/room/")[2] for path in seen[0] if seen[0][path] != seen[1][path]
    }
    assert {"state", "standings", "standings?format=csv", "events"} <= differing


# -------------------------------------------------------------------------- what writes are told


def attempts(api_room: ApiRoom) -> Iterator[tuple[str, str, Any]]:
    """Yield every write in a room that no participant may make, or not like this."""
    ids = {"id": api_room.room["id"], "pid": api_room.ids[1], "windowId": "w", "action": "nothing"}
    for route in WRITES:
        if not route.endpoint.endswith(("/participants/me", "POST /rooms/{id}/participants")):
            path = re.sub(r"{(\w+)}", lambda name: ids.get(name[1], "none"), route.path)
            yield route.method, path, BODIES.get(route.endpoint)
    path = f"{api_room.path}/windows/w/submissions"
    for payload in ({"n": "bobs-77aa"}, {"n": "cyds-77aa"}, {"n": 7}, None, {"n": "x" * 20_000}):
        yield "POST", path, {"payload": payload}


CONTROLS: list[tuple[str, Any]] = [
    ("settle", None), ("extend", {"byMs": 0}), ("rejudge", {}), ("rejudge", {"rules": {"type": 7}}),
    ("rejudge", {"verdicts": {"submissionId": ["sub_x"], "verdict": ["right"], "points": [1]}}),
]  # fmt: skip


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize("state", STATES)
async def test_no_refusal_tells_what_is_right_or_who_was(twins: Twins, state: str):
    await bring_to(twins, state, "rules")
    for who in ("ada", "dan", "viewer", "foreign", "anonymous", "organizer"):
        seen = []
        for api_room, callers in twins.both():
            answers = []
            if who == "organizer":
                wanted = [("POST", f"{api_room.path}/windows/w/{act}", b) for act, b in CONTROLS
                          if not (state == "tallying" and act == "settle")]  # fmt: skip
                wanted += [("POST", f"{api_room.path}/windows/w/reveal", None)] * (
                    state != "unrevealed"
                )
            else:
                wanted = list(attempts(api_room))
            for method, path, body in wanted:
                heard = await callers[who].ask(method, path, body)
                hidden = (*SECRETS, *ANSWERS)
                assert [each for each in hidden if each in heard.raw] == [], (who, path)
                answers.append((method, plain(path, api_room), told(heard, api_room)))
            seen.append(answers)
        assert seen[0] == seen[1], who


@pytest.mark.parametrize("close_on", ["deadline", "firstRight", "everyoneAnswered"])
async def test_a_right_submission_is_answered_like_a_wrong_one(api_room: ApiRoom, close_on: str):
    rules = {"properties": {"n": {"const": 4}}}
    await api_room.open(rules=rules, judge="rules", closeOn=close_on)
    wrong = await api_room.submit(api_room.guests[0], {"n": 3})
    right = await api_room.submit(api_room.guests[1], {"n": 4})
    assert (wrong.status, len(wrong.raw)) == (right.status, len(right.raw))
    assert list(wrong.data) == list(right.data) == ["accepted", "submissionId", "elapsedMs"]
    assert {name for name, _ in wrong.headers} == {name for name, _ in right.headers}
