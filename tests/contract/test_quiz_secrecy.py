"""Until its time nobody who plays learns what is right, nor what others said, by any address.

Two rooms are the same but for the keys of their questions, and the title of a round that is still
to come. Whatever anybody who plays, watches or passes by can read of the one has to be what they
can read of the other, be it an answer or an error.
"""

import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

import mymozhem_quiz
from mymozhem.api.openapi import openapi_document
from mymozhem.clock import Clock, HeldClock
from tests.support.api_host import ApiHost, Caller, Heard, make_api_host
from tests.support.quiz_room import NEWEST, in_one_round

#: another one in each room, or not the room's at all
DRAWN = "/qr.svg"
TEXTS = ("Alpha", "Bravo", "Delta", "Gamma")


@dataclass(frozen=True)
class Kind:
    """A type of question: the part that holds the key, in either room, and what people answer.

    Bob is right in the first room, Cyd in the second, Ada in neither where that can be.
    """

    keys: tuple[dict[str, Any], dict[str, Any]]
    answers: tuple[Any, Any, Any]


def options(*right: int) -> dict[str, Any]:
    """Return four options with pictures, some of which are right."""
    return {"options": [pictured(n) | {"right": n in right} for n in range(len(TEXTS))]}


def listed(*order: int) -> dict[str, Any]:
    return {"options": [pictured(n) for n in order]}


def pictured(number: int) -> dict[str, Any]:
    text = TEXTS[number]
    return {"text": text, "picture": {"url": f"https://example.org/{text}", "alt": f"The {text}"}}


def rounds(asked: list[dict[str, Any]], secret: str) -> list[dict[str, Any]]:
    """Return three rounds of questions, the last of one that is never played; its title tells."""
    parts = {"One": asked[:3], "Two": asked[3:-1], f"{secret}s are right": asked[-1:]}
    return [
        {"id": f"r{n}", "title": title, "questions": questions}
        for n, (title, questions) in enumerate(parts.items(), start=1)
    ]


KINDS = {
    "single": Kind((options(1), options(2)), ("a", "b", "c")),
    "multiple": Kind((options(0, 1), options(2, 3)), (["a"], ["a", "b"], ["c", "d"])),
    "boolean": Kind(({"answer": True}, {"answer": False}), ("true", "true", "false")),
    "number": Kind(
        ({"answer": 40_961, "tolerance": 1}, {"answer": 51_437, "tolerance": 1}),
        (7, 40_962, 51_438),
    ),
    "nearest": Kind(({"answer": 60_917}, {"answer": 71_353}), (7, 60_922, 71_358)),
    "text": Kind(
        ({"accepted": ["zebra-5f2c", "Zebra 5F2C"]}, {"accepted": ["okapi-81ab", "Okapi 81AB"]}),
        ("horse-0000", "ZEBRA-5f2c", "OKAPI-81ab"),
    ),
    "order": Kind(
        (listed(2, 0, 3, 1), listed(1, 3, 0, 2)), (list("abcd"), list("badc"), list("dcba"))
    ),
}  # fmt: skip

#: what only the organizer may find while nothing is revealed; and what people wrote, nobody else
SECRETS = (
    b"zebra", b"okapi", b"40961", b"51437", b"60917", b"71353", b'"right":true', b'"right":false',
    b'"accepted":["', b'"verdict":"',
)  # fmt: skip
ANSWERS = (b"ZEBRA-5f2c", b"OKAPI-81ab", b"40962", b"51438", b"60922", b"71358")
ACTIONS = tuple(json.loads(json.dumps(mymozhem_quiz.app_manifest()["actions"])))
CONTROLS = ("pause", "resume", "extend", "close", "settle", "reveal", "rejudge")
SEEN_BY = ("ada", "dan", "viewer", "foreign", "anonymous")


def question(name: str, key: dict[str, Any]) -> dict[str, Any]:
    kind = "number" if name == "nearest" else name
    return {"id": f"id-{name}", "type": kind, "text": f"A question of type {name}?", **key}


@dataclass
class World:
    """One room, and by name everybody who may look into it."""

    host: ApiHost
    clock: HeldClock
    room: dict[str, Any]
    callers: dict[str, Caller]
    ids: dict[str, str]

    @property
    def path(self) -> str:
        return f"/rooms/{self.room['id']}"

    async def do(self, action: str, payload: object = None) -> None:
        heard = await self.callers["organizer"].post(f"{self.path}/actions/{action}", payload or {})
        assert heard.status == HTTPStatus.OK, heard.raw
        await self.host.work()

    async def show(self, name: str) -> int:
        """Start the quiz and have one question asked; return the number of its round."""
        await self.do("start")
        if name == next(iter(KINDS)):
            return 1
        await self.do("close")
        await self.do("show", {"questionId": f"id-{name}"})
        return 2

    async def send(self, who: str, number: int, answer: object) -> Heard:
        path = f"{self.path}/windows/q-{number}/submissions"
        return await self.callers[who].post(path, {"payload": {"answer": answer}})

    async def answered(self, number: int, answers: tuple[Any, Any, Any]) -> None:
        for who, answer in zip(("ada", "bob", "cyd"), answers, strict=True):
            heard = await self.send(who, number, answer)
            assert heard.status == HTTPStatus.OK, heard.raw
        await self.host.work()


Worlds = tuple[World, World]


@pytest.fixture
async def host(database_url: str, clock: Clock, tmp_path: Path) -> AsyncIterator[ApiHost]:
    async with make_api_host(database_url, clock, tmp_path, apps={"quiz": mymozhem_quiz}) as host:
        yield host


@pytest.fixture
def settings() -> dict[str, Any]:
    """What both rooms choose besides their questions; a test may override it."""
    return {"mode": "speed", "revealAnswers": "byHand", "timePerQuestion": 60}


@pytest.fixture
async def worlds(host: ApiHost, clock: HeldClock, settings: dict[str, Any]) -> Worlds:
    viewer = await host.person("viewer@people.example.com")
    foreign, _ = await host.guest(await host.start(name="Elsewhere"), "Eve")
    found = []
    for number in (0, 1):
        asked = [question(name, kind.keys[number]) for name, kind in KINDS.items()]
        asked.append(question("text", KINDS["text"].keys[number]) | {"id": "never-played"})
        room = await host.start(
            appId="quiz", appSettings={"rounds": in_one_round(asked), **settings}
        )
        callers = {"organizer": host.organizer, "foreign": foreign, "anonymous": host.nobody}
        ids = {"id": room["id"], "windowId": "q-1"}
        for name in ("ada", "bob", "cyd", "dan"):
            callers[name], told = await host.guest(room, name)
            ids[name] = told["participant"]["id"]
        callers["viewer"] = await watching(host, room, viewer)
        found.append(World(host, clock, room, callers, ids))
    return found[0], found[1]


async def watching(host: ApiHost, room: dict[str, Any], person: Caller) -> Caller:
    """Let somebody in as a viewer."""
    joined = await person.post(f"/rooms/{room['id']}/participants", {"code": room["code"]})
    seat = f"/rooms/{room['id']}/participants/{joined.data['id']}"
    heard = await host.organizer.patch(seat, {"role": "VIEWER"})
    assert heard.status == HTTPStatus.OK
    return person


# ---------------------------------------------------------------------------------------- reading


def addresses(world: World, number: int) -> Iterator[str]:
    """Yield every address of the API's own description, filled in for a room and a window."""
    ids = world.ids | {"pid": world.ids["bob"], "windowId": f"q-{number}", "appId": "quiz"}
    ids |= {"v": NEWEST}
    described: Any = openapi_document(world.host.app)
    for path, methods in described["paths"].items():
        if "get" in methods:
            filled = re.sub(r"{(\w+)}", lambda name: ids.get(name[1], "none"), path)
            yield filled
            names = {each["name"] for each in methods["get"]["parameters"]}
            if "format" in names:
                yield from (f"{filled}?format={form}" for form in ("csv", "json"))
            if path.endswith("/participants"):
                yield f"{filled}?sort=-points"


def plain(text: str, world: World) -> str:
    """Return a text without what is another in each room: ids, code, anchor, epoch."""
    text = re.sub(r"\b([a-z]+)_[0-9a-f]{32}", r"\1", text.replace(world.room["code"], "CODE"))
    return re.sub(r"[0-9a-f]{64}|(?<=\"epoch\":\")[^\"]*", "", text)


def unshuffled(text: str) -> str:
    """Return a text in which it does not show in what order options stand."""
    return re.sub("|".join(TEXTS), "TEXT", text)


def said(heard: Heard, world: World) -> tuple[int, str]:
    return heard.status, unshuffled(plain(heard.raw.decode(), world))


async def walk(worlds: Worlds, number: int, *, hidden: tuple[bytes, ...]) -> None:
    """Read everything as everybody; what is read is the same in both rooms, and holds no secret."""
    for who in SEEN_BY:
        seen = []
        for world in worlds:
            found = {}
            for path in addresses(world, number):
                heard = await world.callers[who].get(
                    path if path.startswith("/api/") else f"/{path}"
                )
                if "/rooms/room_" in path and DRAWN not in path:
                    refuse_secrets(heard, hidden, f"{who} {path}")
                    found[plain(path, world)] = said(heard, world)
            seen.append(found)
        assert seen[0] == seen[1], who
        let_in = sum(status == HTTPStatus.OK for status, _ in seen[0].values())
        assert let_in > 10 or who in ("foreign", "anonymous"), who


def refuse_secrets(heard: Heard, hidden: tuple[bytes, ...], what: str) -> None:
    assert [each for each in hidden if _tells(each, heard.raw)] == [], what


def _tells(secret: bytes, raw: bytes) -> bool:
    """Tell whether a secret stands in what was heard; digits within a random id are chance."""
    if not secret.isdigit():
        return secret in raw
    return re.search(rb"(?<![0-9a-f])%s(?![0-9a-f])" % secret, raw) is not None


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_nobody_reads_a_key_from_the_start_to_the_last_question(worlds: Worlds) -> None:
    hidden = (*SECRETS, *ANSWERS)
    await walk(worlds, 1, hidden=hidden)
    for number, kind in enumerate(KINDS.values(), start=1):
        for world in worlds:
            await world.do("start" if number == 1 else "next")
        worlds[0].clock.advance(timedelta(seconds=1))
        for world in worlds:
            await world.answered(number, kind.answers)
        if number == len(KINDS):
            await walk(worlds, number, hidden=hidden)
        else:
            await look(worlds, number, hidden)
        for world in worlds:
            await world.do("close")
        await look(worlds, number, hidden)
    await walk(worlds, 6, hidden=hidden)


async def look(worlds: Worlds, number: int, hidden: tuple[bytes, ...]) -> None:
    """Read the addresses that speak of a question, as one who has not answered."""
    seen = []
    for world in worlds:
        window = f"{world.path}/windows/q-{number}"
        paths = (f"{world.path}/state", f"{world.path}/events", window, f"{window}/submissions")
        answers = [await world.callers["dan"].get(path) for path in paths]
        for heard in answers:
            refuse_secrets(heard, hidden, f"question {number}")
        seen.append([said(heard, world) for heard in answers])
    assert seen[0] == seen[1], number


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_what_is_revealed_is_found(worlds: Worlds) -> None:
    """The walk finds what there is to find, once it may be found: of that question alone."""
    for world in worlds:
        assert await world.show("number") == 2
    worlds[0].clock.advance(timedelta(seconds=1))
    for world in worlds:
        await world.answered(2, KINDS["number"].answers)
        await world.do("close")
        await world.do("reveal", {"questionId": "id-number"})
    told = [(await world.callers["dan"].get(f"{world.path}/events")).raw for world in worlds]
    assert (b"40961" in told[0], b"51437" in told[1]) == (True, True)
    for world in worlds:
        heard = await world.callers["bob"].get(f"{world.path}/state")
        refuse_secrets(heard, (b"zebra", b"okapi", b"60917", b"71353"), "other questions")


class TestOwnPace:
    @pytest.fixture
    def settings(self, clock: HeldClock) -> dict[str, Any]:
        closes_at = clock.now() + timedelta(days=2)
        return {"pace": "self", "closesAt": closes_at.isoformat()}

    @pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
    async def test_nobody_reads_a_key_while_all_questions_are_open(self, worlds: Worlds) -> None:
        for world in worlds:
            await world.do("start")
            for number, kind in enumerate(KINDS.values(), start=1):
                await world.answered(number, kind.answers)
        await walk(worlds, 6, hidden=(*SECRETS, *ANSWERS))


# --------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_no_refusal_says_what_is_right(worlds: Worlds) -> None:
    for number, kind in enumerate(KINDS.values(), start=1):
        for world in worlds:
            await world.do("start" if number == 1 else "next")
        worlds[0].clock.advance(timedelta(seconds=1))
        for world in worlds:
            await world.answered(number, kind.answers)
        for who in ("dan", "bob", "viewer", "foreign", "anonymous"):
            first, second = [await refusals(world, who, number, kind) for world in worlds]
            assert first == second, (who, number)
        for world in worlds:
            await world.do("close")


async def refusals(world: World, who: str, number: int, kind: Kind) -> list[tuple[int, str]]:
    """Try all that somebody may not do, and return what they are told."""
    ask = world.callers[who].post
    unfit: tuple[Any, ...] = ({}, [], "", {"n": 1}, ["none"], 10**16, None, "x" * 300)
    # Bob has answered already: what he says now counts for nothing.
    answers = (*unfit, *(kind.answers if who == "bob" else ()))
    heard = [await world.send(who, number, answer) for answer in answers]
    payload = {"questionId": "id-number", "answer": "none"}
    paths = [f"actions/{action}" for action in (*ACTIONS, "nothing")]
    paths += [f"windows/q-{number}/{control}" for control in CONTROLS]
    heard += [await ask(f"{world.path}/{path}", payload) for path in paths]
    assert all(each.status >= HTTPStatus.BAD_REQUEST for each in heard)
    for each in heard:
        refuse_secrets(each, (*SECRETS, *ANSWERS), f"{who} {number}")
    return [said(each, world) for each in heard]


@pytest.mark.parametrize("mode", ["first", "plain"])
async def test_a_right_answer_is_acknowledged_like_a_wrong_one(
    host: ApiHost, clock: HeldClock, mode: str
) -> None:
    for name, kind in KINDS.items():
        asked = [question(name, kind.keys[0])]
        room = await host.start(
            appId="quiz", appSettings={"rounds": in_one_round(asked), "mode": mode}
        )
        guests = [(await host.guest(room, each))[0] for each in ("Ada", "Bob")]
        path = f"/rooms/{room['id']}"
        assert (await host.organizer.post(f"{path}/actions/start", {})).status == HTTPStatus.OK
        clock.advance(timedelta(seconds=1))
        right = await order_in_ids(guests[0], path) if name == "order" else kind.answers[1]
        wrong = [*reversed(right)] if name == "order" else kind.answers[2]
        heard = [
            await guest.post(f"{path}/windows/q-1/submissions", {"payload": {"answer": answer}})
            for guest, answer in zip(guests, (wrong, right), strict=True)
        ]
        assert {each.status for each in heard} == {HTTPStatus.OK}, name
        assert len({len(each.raw) for each in heard}) == 1, name
        assert len({frozenset(header for header, _ in each.headers) for each in heard}) == 1
        assert [*heard[0].data] == ["accepted", "submissionId", "elapsedMs"]


async def order_in_ids(guest: Caller, path: str) -> list[str]:
    """Return the right order as the ids under which it is shown."""
    prompt = (await guest.get(f"{path}/windows/q-1")).data["prompt"]
    ids = {option["text"]: option["id"] for option in prompt["options"]}
    return [ids[option["text"]] for option in KINDS["order"].keys[0]["options"]]


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_prompts_for_different_answers_have_the_same_size(worlds: Worlds, name: str) -> None:
    sizes = set()
    for world in worlds:
        number = await world.show(name)
        heard = await world.callers["dan"].get(f"{world.path}/windows/q-{number}")
        sizes.add((len(heard.raw), heard.headers.get("Content-Length")))
    assert len(sizes) == 1
