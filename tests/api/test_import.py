# ruff: noqa: RUF001  letters that look alike
"""Settings from text over HTTP: pasted or uploaded, shown, refused, and kept from others."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mymozhem.api.openapi import openapi_document
from mymozhem.clock import Clock
from mymozhem.contract import (
    ImportProblem,
    JsonObject,
    Problem,
    SettingsImportRequest,
    SettingsImportResult,
    SettingsValidationRequest,
    SettingsValidationResult,
    hookimpl,
)
from tests.support.api_host import ApiHost, Caller, Heard, make_api_host

LINES: JsonObject = {"type": "array", "default": [], "items": {"type": "string", "minLength": 2}}
SONGS = {"Content-Type": "text/plain"}


class Choir:
    """An app that reads a song from each line; one that it cannot read holds a question mark."""

    @hookimpl
    def app_manifest(self) -> JsonObject:
        return {
            "id": "choir",
            "meta": {"name": "Choir", "version": "1.0.0", "description": "Reads songs."},
            "capabilities": ["settingsImport", "settingsValidation"],
            "permissions": [],
            "policies": {"settingsImport": {"timeout": 1_500}},
            "imports": {"songs": ["lines", "csv"], "encores": ["lines"]},
            "settings": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"songs": LINES, "encores": LINES | {"x-live": True}},
            },
        }

    @hookimpl
    async def import_settings(self, request: SettingsImportRequest) -> SettingsImportResult:
        if request.text == "!raise":
            raise ValueError(request.text)
        if request.text == "!block":
            await asyncio.Event().wait()
        good, problems = [], []
        for number, line in enumerate(request.text.splitlines(), start=1):
            if "?" in line or "\ufffd" in line:
                problems.append(ImportProblem(line=number, code="UNCLEAR", message="Which one?"))
            else:
                good.append(line)
        return SettingsImportResult(value=good, problems=tuple(problems))

    @hookimpl
    def validate_settings(self, request: SettingsValidationRequest) -> SettingsValidationResult:
        songs = request.settings["songs"]
        assert isinstance(songs, list)
        long = [n for n, song in enumerate(songs) if song == "Aria"]
        problems = tuple(Problem(pointer=f"/songs/{n}", message="Too long.") for n in long)
        return SettingsValidationResult(problems=problems)


@pytest.fixture
async def host(database_url: str, clock: Clock, tmp_path: Path) -> AsyncIterator[ApiHost]:
    async with make_api_host(database_url, clock, tmp_path, apps={"choir": Choir()}) as built:
        yield built


async def paste(caller: Caller, room: Any, text: str, setting: str = "songs", **more: Any) -> Heard:
    body = {"text": text, "format": "lines", **more}
    return await caller.post(f"/rooms/{room['id']}/import/{setting}", body)


async def upload(caller: Caller, room: Any, raw: bytes, query: str, kind: str = "plain") -> Heard:
    path = f"/rooms/{room['id']}/import/songs?{query}"
    return await caller.post(path, raw=raw, headers={"Content-Type": f"text/{kind}"})


async def songs(host: ApiHost, room: Any, setting: str = "songs") -> Any:
    return (await host.organizer.get(f"/rooms/{room['id']}")).data["appSettings"][setting]


async def test_pasted_text_becomes_a_setting_and_bad_lines_are_named(host: ApiHost):
    room = await host.room(appId="choir")
    heard = await paste(host.organizer, room, "Alleluia\nWhat?\nSanctus")
    assert heard.status == 200
    assert heard.data == {
        "setting": "songs",
        "saved": True,
        "imported": 2,
        "problems": [{"line": 2, "code": "UNCLEAR", "message": "Which one?"}],
    }
    assert await songs(host, room) == ["Alleluia", "Sanctus"]


async def test_a_preview_shows_the_value_and_stores_nothing(host: ApiHost):
    room = await host.room(appId="choir")
    before = await host.organizer.get(f"/rooms/{room['id']}")
    heard = await paste(host.organizer, room, "Alleluia\nWhat?", preview=True)
    assert (heard.data["value"], heard.data["saved"]) == (["Alleluia"], False)
    assert len(heard.data["problems"]) == 1
    after = await host.organizer.get(f"/rooms/{room['id']}")
    assert (after.raw, after.headers["ETag"]) == (before.raw, before.headers["ETag"])


async def test_text_is_uploaded_as_it_is(host: ApiHost):
    room = await host.room(appId="choir")
    first = await upload(host.organizer, room, "\ufeffÀ la claire".encode(), "format=lines")
    assert (first.status, first.data["imported"]) == (200, 1)
    raw = b"Bella\r\n" + b"\x81\x98\xff"
    more = await upload(host.organizer, room, raw, "format=csv&mode=append", "csv; charset=x")
    assert [each["line"] for each in more.data["problems"]] == [2]
    assert await songs(host, room) == ["À la claire", "Bella"]
    seen = await upload(host.organizer, room, b"Bella", "format=csv&preview=true")
    assert (seen.data["value"], seen.data["saved"]) == (["Bella"], False)
    kept = await upload(host.organizer, room, b"Bella\n?", "format=csv&strict=true")
    assert (kept.data["saved"], len(await songs(host, room))) == (False, 2)
    gone = await upload(host.organizer, room, b"", "format=lines")
    assert (gone.status, gone.data["imported"]) == (200, 0)
    assert await songs(host, room) == []


@pytest.mark.parametrize(
    ("encoding", "locale", "charset"),
    [
        ("utf-16", "en", ""),
        ("utf-16-le", "ru", ""),
        ("cp1251", "ru", ""),
        ("cp1251", "en", ""),
        ("koi8-r", "en", "; charset=KOI8-R"),
        ("utf-8-sig", "ru", "; charset=utf-8"),
    ],
)
async def test_a_file_is_read_in_the_encoding_that_it_has(
    host: ApiHost, encoding: str, locale: str, charset: str
):
    room = await host.room(appId="choir", locale=locale)
    raw = "Калинка\r\nПодмосковные вечера".encode(encoding)
    heard = await upload(host.organizer, room, raw, "format=csv", f"csv{charset}")
    assert (heard.status, heard.data["problems"]) == (200, [])
    assert await songs(host, room) == ["Калинка", "Подмосковные вечера"]


async def test_an_upload_that_is_sent_again_is_done_once(host: ApiHost):
    room = await host.room(appId="choir")
    path = f"/rooms/{room['id']}/import/songs?format=lines&mode=append"
    headers = SONGS | {"Idempotency-Key": "songs-of-friday"}
    first = await host.organizer.post(path, raw=b"Bella", headers=headers)
    again = await host.organizer.post(path, raw=b"Bella", headers=headers)
    assert (first.status, first.raw) == (200, again.raw)
    assert await songs(host, room) == ["Bella"]
    other = await host.organizer.post(f"{path}&strict=true", raw=b"Bella", headers=headers)
    assert other.code == "IDEMPOTENCY_MISMATCH"


async def test_a_running_room_takes_live_settings_alone(host: ApiHost):
    room = await host.start(appId="choir")
    heard = await paste(host.organizer, room, "Bella")
    assert (heard.status, heard.code) == (409, "SETTINGS_FROZEN")
    assert heard.body["error"]["details"]["settings"] == ["/songs"]
    heard = await paste(host.organizer, room, "Bella", "encores")
    assert (heard.status, await songs(host, room, "encores")) == (200, ["Bella"])


async def test_what_schema_and_app_refuse_is_named_by_pointer(host: ApiHost):
    room = await host.room(appId="choir")
    heard = await paste(host.organizer, room, "Bella\nx")
    assert (heard.status, heard.code) == (422, "SETTINGS_INVALID")
    assert heard.body["error"]["details"]["fields"].keys() == {"/appSettings/songs/1"}
    heard = await paste(host.organizer, room, "Bella\nAria")
    fields = {"/appSettings/songs/1": ["Too long."]}
    assert (heard.status, heard.body["error"]["details"]["fields"]) == (422, fields)
    assert await songs(host, room) == []


@pytest.mark.parametrize(("text", "code"), [("!raise", "APP_FAILED"), ("!block", "APP_TIMEOUT")])
async def test_an_app_that_does_not_read_is_503_and_nothing_is_stored(
    host: ApiHost, text: str, code: str
):
    room = await host.room(appId="choir", appSettings={"songs": ["Bella"]})
    heard = await paste(host.organizer, room, text)
    assert (heard.status, heard.code) == (503, code)
    assert heard.headers["Retry-After"]
    assert await songs(host, room) == ["Bella"]


async def test_nobody_but_organizers_imports_or_sees_what_was_read(host: ApiHost):
    room = await host.start(appId="choir")
    guest, _ = await host.guest(room)
    stranger = await host.person("stranger@example.com")
    for caller, status in ((guest, 403), (stranger, 404), (host.nobody, 401)):
        for setting in ("encores", "nothing"):
            heard = await paste(caller, room, "Bella", setting, preview=True)
            assert heard.status == status
            assert b"Bella" not in heard.raw
    assert await songs(host, room, "encores") == []
    await paste(host.organizer, room, "Bella", "encores")
    for path in ("", "/state", "/events"):
        assert b"Bella" not in (await guest.get(f"/rooms/{room['id']}{path}")).raw


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("songs", {"text": "Bella", "format": "pdf"}, 404, "IMPORT_UNKNOWN"),
        ("nothing", {"text": "Bella", "format": "lines"}, 404, "IMPORT_UNKNOWN"),
        ("songs", {"text": "Bella"}, 422, "VALIDATION"),
        ("songs", {"text": "Bella", "format": "lines", "mode": "twist"}, 422, "VALIDATION"),
        ("songs", {"text": "Bella", "format": "lines", "line": 1}, 422, "VALIDATION"),
        ("songs?format=lines", {"text": "Bella", "format": "lines"}, 422, "VALIDATION"),
        ("songs", {"text": "a\x00b", "format": "lines"}, 422, "CONTROL_CHARACTER"),
    ],
)
async def test_a_wrong_request_is_refused(
    host: ApiHost, path: str, body: JsonObject, status: int, code: str
):
    room = await host.room(appId="choir")
    heard = await host.organizer.post(f"/rooms/{room['id']}/import/{path}", body)
    assert (heard.status, heard.code) == (status, code)


async def test_an_upload_says_what_it_is(host: ApiHost):
    room = await host.room(appId="choir")
    nameless = await upload(host.organizer, room, b"Bella", "mode=replace")
    assert (nameless.status, nameless.body["error"]["details"]["fields"].keys()) == (
        422,
        {"/format"},
    )
    heard = await upload(host.organizer, room, b"<p>Bella", "format=lines", "html")
    assert (heard.status, heard.code) == (415, "UNSUPPORTED_MEDIA_TYPE")


async def test_more_than_a_mebibyte_is_too_large_and_other_routes_keep_their_limit(host: ApiHost):
    room = await host.room(appId="choir")
    fits, over = b"?" * 2**20, b"?" * (2**20 + 1)
    assert (await upload(host.organizer, room, fits, "format=lines")).status == 200
    for raw in (over, over * 2):
        heard = await upload(host.organizer, room, raw, "format=lines")
        assert (heard.status, heard.code) == (413, "TOO_LARGE")
    assert (await paste(host.organizer, room, over.decode())).status == 413
    large = await paste(host.organizer, room, "x" * 300_000)
    assert (large.status, large.code) == (413, "SETTINGS_TOO_LARGE")
    elsewhere = await host.organizer.patch(f"/rooms/{room['id']}", {"name": "x" * 300_000})
    assert (elsewhere.status, elsewhere.code) == (413, "TOO_LARGE")


async def test_the_description_names_each_way_to_send_text(host: ApiHost):
    document: Any = openapi_document(host.app)
    asked = document["paths"]["/api/v1/rooms/{id}/import/{setting}"]["post"]
    assert set(asked["requestBody"]["content"]) == {"application/json", "text/plain", "text/csv"}
    assert {"413", "415", "422", "503"} <= set(asked["responses"])
