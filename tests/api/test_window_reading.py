"""What was submitted and who stands where, read by pages and as files, by level."""

import asyncio
import csv
import io
from itertools import pairwise
from typing import Any

import orjson
import pytest
from sqlalchemy import insert, select

from mymozhem.api.file_downloads import cell
from mymozhem.auth.principal import Principal
from mymozhem.contract import PersonKind
from mymozhem.db.base import Base, new_id
from mymozhem.rooms.core.membership import find_membership
from mymozhem.rooms.tables.windows import SubmissionRow
from mymozhem.rooms.views.submissions import AT_ONCE, batches, listing
from mymozhem.rooms.windows.queries import find_window
from tests.support.api_host import Caller, Heard
from tests.support.api_room import ApiRoom
from tests.support.apps.window_app import RULES

pytestmark = pytest.mark.both_engines

JUDGED = {"rules": RULES, "judge": "rules", "points": 5}
ANYTHING: Any = {"accepts": {}}


def share(*fields: str, to: object = "public", name: str = "w") -> Any:
    return {"effect": "share", "windowId": name, "to": to, "fields": list(fields)}


def table(heard: Heard) -> list[dict[str, str]]:
    """Read a CSV file as a spreadsheet does."""
    assert heard.raw.startswith(b"\xef\xbb\xbf")
    assert heard.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(heard.raw.decode("utf-8-sig"), newline="")))


async def shared(caller: Caller, api_room: ApiRoom, query: str = "") -> Any:
    return (await caller.get(f"{api_room.path}/windows/w/submissions{query}")).data


# ------------------------------------------------------------------------------------ submissions


async def test_helpers_see_everything_once_the_window_is_closed(api_room: ApiRoom):
    path = f"{await api_room.open(submissions='latest', **JUDGED)}/submissions"
    await api_room.submitted({"n": 1}, {"n": 3})
    api_room.pass_time(700)
    await api_room.submitted({"n": 4})
    helpers = [api_room.organizer, await api_room.helper()]
    helpers.append(await api_room.host.person("root@example.com", is_admin=True))
    for status in ("open", "paused"):
        if status == "paused":
            await api_room.control("pause")
        for caller in (*helpers, api_room.guests[0]):
            early = await caller.get(path)
            assert (early.status, early.code) == (409, "WINDOW_NOT_CLOSED")
    await api_room.close()
    for caller in helpers:
        rows = (await caller.get(path)).data
        assert [each["payload"] for each in rows] == [{"n": 3}, {"n": 4}]
        assert [each["participantId"] for each in rows] == [api_room.ids[1], api_room.ids[0]]
        assert [each["displayName"] for each in rows] == ["Bob", "Ada"]
        assert [(each["verdict"], each["points"]) for each in rows] == [("wrong", 0), ("right", 5)]
        assert [each["elapsedMs"] for each in rows] == [0, 700]
        assert rows[0].keys() == {
            "id", "participantId", "displayName", "payload", "elapsedMs", "at", "verdict", "points",
        }  # fmt: skip
    second = await api_room.organizer.get(f"{path}?limit=1&page=2")
    assert second.body["meta"] == {"page": 2, "limit": 1, "total": 2, "totalPages": 2}
    assert [each["payload"] for each in second.data] == [{"n": 4}]
    assert (await api_room.organizer.get(f"{path}?format=xls")).status == 422


async def test_nobody_sees_verdicts_before_they_are_revealed(api_room: ApiRoom):
    path = f"{await api_room.open(results='onReveal', **JUDGED)}/submissions"
    await api_room.submitted({"n": 4})
    await api_room.control("close")
    for _ in ("tallying", "closed"):
        for end in ("", "?format=csv", "?format=json"):
            raw = (await api_room.organizer.get(path + end)).raw
            assert b"Ada" in raw
            assert not any(word in raw for word in (b"verdict", b"points", b"right"))
        await api_room.host.work()
    await api_room.control("reveal")
    assert (await api_room.organizer.get(path)).data[0]["verdict"] == "right"


async def test_what_is_void_gives_no_points(api_room: ApiRoom):
    path = f"{await api_room.open(**JUDGED)}/submissions"
    await api_room.submitted({"n": 4})
    await api_room.close()
    await api_room.control("rejudge", {"void": True})
    assert (await api_room.organizer.get(path)).data[0]["points"] == 0


async def test_others_see_what_was_shared_and_nothing_else(api_room: ApiRoom):
    await api_room.open(**JUDGED)
    await api_room.submitted({"n": 1, "text": "one"}, {"n": 4}, {"n": 3, "text": "three"})
    await api_room.close()
    ada, bob, _ = api_room.guests
    viewer = await api_room.helper("VIEWER")
    assert await shared(ada, api_room) == []
    await api_room.do(share("/text", "/nothing"))
    seen = await shared(ada, api_room)
    assert sorted(each["parts"]["/text"] for each in seen) == ["one", "three"]
    assert {tuple(each) for each in seen} == {("parts",)}
    assert await shared(viewer, api_room) == seen
    await api_room.do(share("participantId", "verdict", to=[api_room.ids[0]]))
    mine = await shared(ada, api_room)
    assert [each["participantId"] for each in mine] == api_room.ids
    assert [each["verdict"] for each in mine] == ["wrong", "right", "wrong"]
    assert [each["parts"] for each in mine] == [{"/text": "one"}, {}, {"/text": "three"}]
    assert await shared(bob, api_room) == seen
    await api_room.do(share("payload", "points", "elapsedMs"))
    assert {tuple(sorted(each)) for each in await shared(bob, api_room)} == {
        ("elapsedMs", "parts", "payload", "points")
    }
    everything = (await api_room.organizer.get(f"{api_room.path}/windows/w/submissions")).data
    assert "parts" not in everything[0]


async def test_shared_verdicts_wait_for_the_reveal(api_room: ApiRoom):
    await api_room.open(results="onReveal", **JUDGED)
    await api_room.submitted({"n": 4}, {"n": 3})
    await api_room.close()
    await api_room.do(share("verdict", "points"), share("/n"))
    seen = await shared(api_room.guests[2], api_room)
    assert sorted(each["parts"]["/n"] for each in seen) == [3, 4]
    assert {tuple(each) for each in seen} == {("parts",)}
    await api_room.control("reveal")
    seen = await shared(api_room.guests[2], api_room)
    assert sorted((each["verdict"], each["points"]) for each in seen) == [
        ("right", 5), ("wrong", 0),
    ]  # fmt: skip


async def test_what_is_shared_without_names_comes_in_an_order_that_says_nothing(api_room: ApiRoom):
    await api_room.open(submissions="many")
    for number in range(30):
        await api_room.submit(api_room.guests[number % 3], {"n": number})
    await api_room.close()
    await api_room.do(share("/n"))
    whole = [
        each["parts"]["/n"] for each in await shared(api_room.guests[0], api_room, "?limit=100")
    ]
    assert sorted(whole) == list(range(30))
    assert whole != sorted(whole)
    pages = [await shared(api_room.guests[1], api_room, f"?limit=7&page={n}") for n in range(1, 6)]
    assert [each["parts"]["/n"] for page in pages for each in page] == whole
    file = table(await api_room.guests[2].get(f"{api_room.path}/windows/w/submissions?format=csv"))
    assert [line["/n"] for line in file] == [str(number) for number in whole]
    assert file[0].keys() == {"/n"}


# ------------------------------------------------------------------------------------------ files


async def test_a_file_of_submissions_has_a_column_for_each_member(api_room: ApiRoom):
    path = f"{await api_room.open(**JUDGED)}/submissions"
    await api_room.submitted({"n": 4, "text": "=1+1"}, {"n": -3, "text": 'say "so", Zoë\nand go'})
    await api_room.close()
    heard = await api_room.organizer.get(f"{path}?format=csv")
    name = f'attachment; filename="{api_room.room["id"]}-w.csv"'
    assert heard.headers["Content-Disposition"] == name
    first, second = table(heard)
    assert list(first) == [
        "id", "participantId", "displayName", "elapsedMs", "at", "verdict", "points",
        "payload.n", "payload.text",
    ]  # fmt: skip
    assert (first["payload.text"], first["payload.n"]) == ("'=1+1", "4")
    assert (second["payload.text"], second["payload.n"]) == ('say "so", Zoë\nand go', "-3")
    assert (first["verdict"], first["points"], first["displayName"]) == ("right", "5", "Ada")
    whole = await api_room.organizer.get(f"{path}?format=json")
    assert whole.headers["Content-Disposition"] == name.replace("csv", "json")
    assert whole.headers["Content-Type"] == "application/json"
    assert whole.data == (await api_room.organizer.get(path)).data
    assert whole.body["meta"] == {"total": 2}


async def test_payloads_of_any_shape_are_in_the_file(api_room: ApiRoom):
    path = f"{await api_room.open(submissions='many', **ANYTHING)}/submissions"
    wide = {f"m{number}": number for number in range(150)}
    deep = {"m1": {"a": [1, None, True]}}
    for payload in (wide, deep, [1, "a"], "=2", None, False, 1.5, {}):
        assert (await api_room.submit(api_room.guests[0], payload)).status == 200
    await api_room.close()
    lines = table(await api_room.organizer.get(f"{path}?format=csv"))
    assert orjson.loads(lines[0]["payload"]) == wide
    assert (lines[0]["payload.m99"], lines[0].get("payload.m100")) == ("99", None)
    assert orjson.loads(lines[1]["payload.m1"]) == {"a": [1, None, True]}
    rest = [line["payload"] for line in lines[1:]]
    assert rest == ["", '[1,"a"]', "'=2", "", "false", "1.5", ""]


async def test_an_empty_list_is_an_empty_file(api_room: ApiRoom):
    path = f"{await api_room.open()}/submissions"
    await api_room.submitted({"n": 1})
    await api_room.close()
    guest = api_room.guests[1]
    assert (await guest.get(f"{path}?format=csv")).raw == b"\xef\xbb\xbf\r\n"
    assert (await guest.get(f"{path}?format=json")).body == {"data": [], "meta": {"total": 0}}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("=SUM(A1)", "'=SUM(A1)"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@cmd", "'@cmd"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("\uff1d1", "'\uff1d1"),
        ("1=1", "1=1"),
        ("'=1", "'=1"),
        ("", ""),
        (None, ""),
        (-1, -1),
        (1.5, 1.5),
        (True, "true"),
        (["=1"], '["=1"]'),
        ({"=1": "+"}, '{"=1":"+"}'),
    ],
)
def test_no_cell_is_a_formula(value: Any, written: Any):
    assert cell(value) == written


async def test_five_thousand_submissions_are_sent_in_parts_while_others_are_served(
    api_room: ApiRoom,
):
    path = f"{await api_room.open(submissions='many')}/submissions"
    await api_room.close()
    await store(api_room, 5_000)
    lines = table(await api_room.organizer.get(f"{path}?format=csv"))
    assert [line["payload.n"] for line in lines] == [str(number) for number in range(5_000)]
    assert (await api_room.organizer.get(f"{path}?format=json")).body["meta"] == {"total": 5_000}
    last = await api_room.organizer.get(f"{path}?page=50&limit=100")
    assert (last.body["meta"]["total"], last.data[-1]["payload"]["n"]) == (5_000, 4_999)
    database, turns = api_room.host.database, 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    serving = asyncio.create_task(others())
    async with database.read() as session:
        organizer = Principal(api_room.organizer.id, PersonKind.REGISTERED, None, "token")
        seat = await find_membership(session, api_room.room["id"], organizer)
        listed = await listing(session, seat, "w", members=True)
    assert turns >= 5_000 / AT_ONCE
    between = []
    async for some in batches(database, listed):
        assert len(some) <= AT_ONCE
        between.append(turns)
    serving.cancel()
    assert len(between) == 5_000 / AT_ONCE
    assert all(later > earlier for earlier, later in pairwise(between))


async def store(api_room: ApiRoom, number: int) -> None:
    """Store submissions as their commits would have, all of one guest's."""
    async with api_room.host.database.write() as unit:
        window = await find_window(unit.session, api_room.room["id"], "w")
        same = {
            "room_id": window.room_id,
            "window_id": window.id,
            "participant_id": api_room.ids[0],
            "received_at": unit.now,
            "created_at": unit.now,
            "elapsed_ms": 1,
        }
        rows = [
            {"id": new_id("sub"), "ordinal": each + 1, "payload": {"n": each}, **same}
            for each in range(number)
        ]
        await unit.session.execute(insert(SubmissionRow), rows)


# -------------------------------------------------------------------------------------- standings


async def test_ties_are_ties_on_every_page(api_room: ApiRoom):
    await api_room.come("Dan", "Eve", "Fay", "Gus", "Hal")
    given = zip(api_room.ids, (40, 30, -5, 50, 40, 30, 40, 0), strict=True)
    style = {"effect": "adjust", "reason": "style"}
    await api_room.do(*({**style, "participantId": one, "points": points} for one, points in given))
    path = f"{api_room.path}/standings"
    found = []
    for page in range(1, 5):
        heard = await api_room.guests[0].get(f"{path}?limit=2&page={page}")
        assert heard.body["meta"]["total"] == 7
        found += [(each["rank"], each["points"]) for each in heard.data]
    assert found == [(1, 50), (2, 40), (2, 40), (2, 40), (5, 30), (5, 30), (7, -5)]
    lines = table(await api_room.guests[0].get(f"{path}?format=csv"))
    assert [(int(each["rank"]), int(each["points"])) for each in lines] == found
    assert lines[0].keys() == {"rank", "participantId", "displayName", "points"}
    whole = await api_room.organizer.get(f"{path}?format=json")
    assert [(each["rank"], each["points"]) for each in whole.data] == found
    assert whole.headers["Content-Disposition"].endswith('-standings.json"')


async def test_standings_that_are_hidden_are_for_helpers(api_room: ApiRoom):
    await api_room.open(announce={"standings": False}, **JUDGED)
    await api_room.submitted({"n": 4}, {"n": 3})
    await api_room.close()
    path, ada = f"{api_room.path}/standings", api_room.guests[0]
    empty = await ada.get(path)
    assert (empty.data, empty.body["meta"]["total"]) == ([], 0)
    assert (await ada.get(f"{path}?format=json")).data == []
    assert table(await ada.get(f"{path}?format=csv")) == []
    assert [each["points"] for each in (await api_room.organizer.get(path)).data] == [5]
    me = (await ada.get(f"{api_room.path}/state")).data["me"]
    assert not {"points", "rank"} & me.keys()
    assert "points" not in me["participant"]
    seat = f"{api_room.path}/participants/{api_room.ids[0]}"
    assert "points" not in (await ada.get(seat)).data
    assert (await api_room.organizer.get(seat)).data["points"] == 5
    assert "points" not in (await ada.get("/users/me/export")).data["rooms"][0]
    people = f"{api_room.path}/participants"
    for order in ("points", "-points", "displayName,-points"):
        heard = await ada.get(f"{people}?sort={order}")
        assert (heard.status, heard.code) == (422, "VALIDATION")
        assert (await api_room.organizer.get(f"{people}?sort={order}")).status == 200
    await api_room.open("next", **JUDGED)
    await api_room.submitted({"n": 4}, name="next")
    await api_room.close("next")
    assert [each["points"] for each in (await ada.get(path)).data] == [10]
    assert (await ada.get(f"{people}?sort=-points")).status == 200


async def test_standings_that_stayed_hidden_are_shown_once_the_room_is_over(api_room: ApiRoom):
    await api_room.open(announce={"standings": False}, **JUDGED)
    await api_room.submitted({"n": 4}, {"n": 3})
    await api_room.close()
    path, ada = f"{api_room.path}/standings", api_room.guests[0]
    assert (await ada.get(path)).data == []
    assert "points" not in (await ada.get("/users/me/export")).data["rooms"][0]
    heard = await api_room.organizer.patch(api_room.path, {"status": "COMPLETED"})
    assert heard.status == 200, heard.raw
    assert [each["points"] for each in (await ada.get(path)).data] == [5]
    me = (await ada.get(f"{api_room.path}/state")).data["me"]
    assert (me["points"], me["rank"]) == (5, 1)
    assert (await ada.get("/users/me/export")).data["rooms"][0]["points"] == 5


# ----------------------------------------------------------------------------- oneself, and nobody


async def test_what_somebody_submitted_is_in_their_export(api_room: ApiRoom):
    await api_room.open("a", submissions="latest", **JUDGED)
    await api_room.submitted({"n": 1}, {"n": 77123}, name="a")
    await api_room.submitted({"n": 4}, name="a")
    await api_room.close("a")
    await api_room.open("b", results="onReveal", **JUDGED)
    await api_room.submitted({"n": 4}, name="b")
    await api_room.close("b")
    await api_room.open("c", announce={"verdicts": False}, **JUDGED)
    await api_room.submitted({"n": 4}, name="c")
    await api_room.close("c")
    heard = await api_room.guests[0].get("/users/me/export")
    mine = heard.data["submissions"]
    known = ("windowId", "payload", "counts", "verdict", "points")
    assert [tuple(each.get(name) for name in known) for each in mine] == [
        ("a", {"n": 1}, False, "wrong", 0),
        ("a", {"n": 4}, True, "right", 5),
        ("b", {"n": 4}, True, None, None),
        ("c", {"n": 4}, True, None, None),
    ]
    assert {each["roomId"] for each in mine} == {api_room.room["id"]}
    assert b"77123" not in heard.raw


async def test_who_is_erased_leaves_no_answer_behind(api_room: ApiRoom):
    secret = "a very personal answer"
    await api_room.open(submissions="latest", judge="app", **ANYTHING)
    ada = api_room.guests[0]
    await api_room.submit(ada, {"text": f"{secret} at first"}, headers={"Idempotency-Key": "k"})
    await api_room.submitted({"text": secret}, {"text": "fine"})
    await api_room.close()
    await api_room.do(share("/text"))
    path = f"{api_room.path}/windows/w/submissions"
    assert len(await shared(api_room.guests[1], api_room)) == 2
    assert (await ada.delete(f"/users/{ada.id}")).status == 200
    assert [each["parts"] for each in await shared(api_room.guests[1], api_room)] == [
        {"/text": "fine"}
    ]
    rows = (await api_room.organizer.get(path)).data
    assert [each["payload"] for each in rows] == [None, {"text": "fine"}]
    await api_room.do(share("payload", "participantId"))
    everything = await shared(api_room.guests[1], api_room)
    assert [each["payload"] for each in everything] == [None, {"text": "fine"}]
    lines = table(await api_room.organizer.get(f"{path}?format=csv"))
    assert [line["payload.text"] for line in lines] == ["", "fine"]
    assert [line["verdict"] for line in lines] == ["right", "right"]
    assert (await api_room.organizer.get(f"{path}?format=json")).data == rows
    assert (await api_room.control("rejudge", {"rules": {}})).status == 200
    assert secret not in await whole_database(api_room)


async def whole_database(api_room: ApiRoom) -> str:
    """Return every row of every table."""
    async with api_room.host.database.read() as session:
        tables = [await session.execute(select(each)) for each in Base.metadata.sorted_tables]
        return repr([row for found in tables for row in found])
