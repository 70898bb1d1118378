# ruff: noqa: RUF001  letters that look alike
"""Imports of people over HTTP: as JSON or as a table, all or none, with problems by their place."""

from typing import Any

import pytest

from mymozhem.api.openapi import openapi_document
from tests.support.api_host import ApiHost, Heard


async def upload(
    host: ApiHost, room: Any, raw: bytes, kind: str = "text/csv", **more: str
) -> Heard:
    path = f"/rooms/{room['id']}/participants/import"
    return await host.organizer.post(path, raw=raw, headers={"Content-Type": kind} | more)


async def people(host: ApiHost, room: Any) -> dict[str, Any]:
    found = (await host.organizer.get(f"/rooms/{room['id']}/participants")).data
    return {each["displayName"]: each["metadata"] for each in found if each["metadata"]}


@pytest.mark.parametrize(
    ("text", "encoding", "kind"),
    [
        ("\ufeffname;tickets\r\nÁda;1\r\nBob;1 000\r\n", "utf-8", "text/csv"),
        ("sep=;\r\nname;tickets\r\nÁda;1\r\nBob;1e3\r\n", "utf-8", "text/csv; charset=utf-8"),
        ("name\ttickets\r\nÁda\t1\r\nBob\t1000,0\r\n", "utf-16", "text/plain"),
        ('name,Tickets\nÁda,1\n"Bob","1000"\n', "cp1252", "text/csv"),
        ("name;Билеты\nÁda;1\nBob;1000\n", "utf-8", "text/csv"),
    ],
)
async def test_a_table_is_imported_as_a_spreadsheet_stored_it(
    host: ApiHost, text: str, encoding: str, kind: str
):
    room = await host.room()
    heard = await upload(host, room, text.encode(encoding), kind)
    assert heard.status == 201, heard.raw
    assert heard.data["columns"] == ["name", "tickets"]
    assert len(heard.data["participantIds"]) == 2
    assert await people(host, room) == {"Áda": {"tickets": 1}, "Bob": {"tickets": 1000}}


async def test_russian_excel(host: ApiHost):
    room = await host.room(locale="ru")
    heard = await upload(host, room, "Имя;Билеты\r\nЁлка Петрова;5\r\n".encode("cp1251"))
    assert (heard.status, heard.data["encoding"]) == (201, "windows-1251")
    assert await people(host, room) == {"Ёлка Петрова": {"tickets": 5}}


@pytest.mark.parametrize(
    ("raw", "fields"),
    [
        (b"name,tickets\nAda,1\nBob,many\nCyd,1.5\n", ["/lines/3/tickets", "/lines/4/tickets"]),
        (b'name;tickets\nAda;"1,000"\n', ["/lines/2/tickets"]),
        (b"name,tickets\nAda,-1\n", ["/lines/2/tickets"]),
        (b"name,tickets\n,1\nBob,1\n", ["/lines/2/name"]),
        ("name\nAda\n\u202e\u202e\n".encode(), ["/lines/3/name"]),
        (b"people\nAda\n", ["/lines/1"]),
        (b"", ["/lines/1"]),
        (b"name\nAda\n\x81\x98\n", ["/lines/3/name"]),
    ],
)
async def test_a_table_with_a_problem_adds_nobody_and_names_the_line(
    host: ApiHost, raw: bytes, fields: list[str]
):
    room = await host.room()
    heard = await upload(host, room, raw)
    assert (heard.status, heard.code) == (422, "VALIDATION"), heard.raw
    assert list(heard.body["error"]["details"]["fields"]) == fields
    assert await people(host, room) == {}


async def test_tickets_in_json_count_in_any_notation(host: ApiHost):
    room = await host.room()
    values = {"Text": "5", "Float": 5.0, "Exponent": 1e3, "Whole": 5}
    listed = [{"name": name, "metadata": {"tickets": each}} for name, each in values.items()]
    listed += [{"name": "Capital", "metadata": {"Tickets": "5", "seat": "7"}}]
    path = f"/rooms/{room['id']}/participants/import"
    heard = await host.organizer.post(path, {"people": listed})
    assert (heard.status, "columns" in heard.data) == (201, False)
    assert await people(host, room) == {
        "Text": {"tickets": 5},
        "Float": {"tickets": 5},
        "Exponent": {"tickets": 1000},
        "Whole": {"tickets": 5},
        "Capital": {"Tickets": 5, "seat": "7"},
    }


@pytest.mark.parametrize("tickets", ["many", 1.5, True, -1, "", [5], "1,000", 10_000_001])
async def test_other_tickets_are_a_problem_wherever_they_come_from(host: ApiHost, tickets: Any):
    room = await host.room()
    path = f"/rooms/{room['id']}/participants"
    metadata = {"tickets": tickets}
    body = {"people": [{"name": "Ada"}, {"name": "Bob", "metadata": metadata}]}
    heard = await host.organizer.post(f"{path}/import", body)
    assert heard.status == 422
    assert list(heard.body["error"]["details"]["fields"]) == ["/people/1/metadata/tickets"]
    ada = (await host.organizer.post(f"{path}/import", {"people": [{"name": "Ada"}]})).data
    person = f"{path}/{ada['participantIds'][0]}"
    heard = await host.organizer.patch(person, {"metadata": metadata})
    assert (heard.status, list(heard.body["error"]["details"]["fields"])) == (
        422,
        ["/metadata/tickets"],
    )


async def test_a_table_that_is_sent_again_is_imported_once(host: ApiHost):
    room = await host.room()
    key = {"Idempotency-Key": "friday"}
    first, again = [await upload(host, room, b"name,tickets\nAda,1\n", **key) for _ in "ab"]
    assert (first.status, first.raw) == (201, again.raw)
    assert len(await people(host, room)) == 1


async def test_only_staff_imports_a_table_and_other_types_are_refused(host: ApiHost):
    room = await host.start()
    guest, _ = await host.guest(room)
    path, headers = f"/rooms/{room['id']}/participants/import", {"Content-Type": "text/csv"}
    assert (await guest.post(path, raw=b"name\nAda\n", headers=headers)).status == 403
    assert (await host.nobody.post(path, raw=b"name\nAda\n", headers=headers)).status == 401
    assert (await upload(host, room, b"<p>", "text/html")).status == 415
    document: Any = openapi_document(host.app)
    asked = document["paths"]["/api/v1/rooms/{id}/participants/import"]["post"]
    assert set(asked["requestBody"]["content"]) == {"application/json", "text/plain", "text/csv"}
