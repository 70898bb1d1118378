"""Settings from text: read by the app, agreed to by it, stored by the host; or nothing at all."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from pydantic import JsonValue

from mymozhem.clock import HeldClock
from mymozhem.contract import (
    Context,
    ImportProblem,
    JsonObject,
    Problem,
    Refuse,
    RoomStatus,
    SettingsImportRequest,
    SettingsImportResult,
    SettingsValidationRequest,
    SettingsValidationResult,
    hookimpl,
)
from mymozhem.db.unit_of_work import Database
from mymozhem.errors import Forbidden, Invalid, NotFound, Refused, TooLarge, Unavailable
from mymozhem.rooms.app_settings.import_text import import_setting
from mymozhem.rooms.app_settings.import_values import (
    MAX_TEXT_BYTES,
    Imported,
    ImportMode,
    TextImport,
)
from mymozhem.rooms.app_settings.update import MAX_SETTINGS_BYTES, SettingsFrozen, patch_settings
from mymozhem.rooms.coordination.room_mutex import RoomBusy
from mymozhem.rooms.core.transaction import room_transaction
from mymozhem.rooms.tables.rooms import RoomRow
from tests.support.host import HostHarness, make_host, principal

LINES: JsonObject = {"type": "array", "items": {"type": "string", "minLength": 2}, "default": []}


async def nothing() -> None:
    """Happen not at all."""


class Clerk:
    """An app that reads a line as an item, and remembers what it was asked.

    `meanwhile` and `agreeing` happen once, while it reads and while it looks at the settings.
    """

    def __init__(self) -> None:
        self.read: list[tuple[Context, SettingsImportRequest]] = []
        self.checked: list[Context] = []
        self.meanwhile: Callable[[], Awaitable[None]] = nothing
        self.agreeing: Callable[[], Awaitable[None]] = nothing

    @hookimpl
    def app_manifest(self) -> JsonObject:
        return {
            "id": "clerk",
            "meta": {"name": "Clerk", "version": "1.0.0", "description": "Reads lists."},
            "capabilities": ["settingsImport", "settingsValidation"],
            "permissions": [],
            "policies": {"settingsImport": {"timeout": 2_000}},
            "needs": {"import_settings": ["prizes"]},
            "imports": {
                "menu": ["lines", "csv"],
                "songs": ["lines"],
                "seats": ["number"],
                "keys": ["lines"],
            },
            "settings": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "menu": LINES,
                    "songs": LINES | {"x-live": True, "x-visibility": "public"},
                    "keys": LINES | {"x-visibility": "private"},
                    "seats": {"type": "integer", "minimum": 1, "default": 1},
                    "note": {"type": "string", "default": "", "x-live": True},
                },
            },
        }

    @hookimpl
    async def import_settings(
        self, context: Context, request: SettingsImportRequest
    ) -> SettingsImportResult | JsonObject:
        self.read.append((context, request))
        happens, self.meanwhile = self.meanwhile, nothing
        await happens()
        if request.text == "!raise":
            raise ValueError(request.text)
        if request.text == "!refuse":
            raise Refuse("NOT_A_MENU", "This is a bill.")
        if request.text == "!block":
            await asyncio.Event().wait()
        if request.text == "!nonsense":
            return {"value": [], "problems": [{"line": 0, "message": "nowhere"}]}
        if request.format == "number":
            return SettingsImportResult(value=int(request.text))
        return read_lines(request.text)

    @hookimpl
    async def validate_settings(
        self, context: Context, request: SettingsValidationRequest
    ) -> SettingsValidationResult:
        self.checked.append(context)
        happens, self.agreeing = self.agreeing, nothing
        await happens()
        menu = request.settings["menu"]
        assert isinstance(menu, list)
        if "!confuse" in menu:
            raise ValueError(menu)
        twice = [n for n, item in enumerate(menu) if item in menu[:n]]
        return SettingsValidationResult(
            problems=tuple(Problem(pointer=f"/menu/{n}", message="It is there.") for n in twice)
        )


def read_lines(text: str) -> SettingsImportResult:
    """Return a line as an item, and those with a question mark as problems."""
    lines = text.split("\n")
    bad = [n for n, line in enumerate(lines, start=1) if "?" in line or "\ufffd" in line]
    problems = tuple(ImportProblem(line=n, code="UNCLEAR", message="What is it?") for n in bad)
    good: list[JsonValue] = [line for n, line in enumerate(lines, start=1) if line and n not in bad]
    return SettingsImportResult(value=good, problems=problems)


@pytest.fixture
def clerk() -> Clerk:
    return Clerk()


@pytest.fixture
async def host(
    database: Database, clock: HeldClock, tmp_path: Path, clerk: Clerk
) -> AsyncIterator[HostHarness]:
    built = await make_host(database, clock, tmp_path, {"clerk": clerk})
    yield built
    await built.services.dispatcher.close()


async def bring(
    host: HostHarness, room: RoomRow, text: str | bytes, setting: str = "menu", **wishes: object
) -> Imported:
    form = "number" if setting == "seats" else "lines"
    wish = TextImport(**{"setting": setting, "format": form, "text": text, **wishes})  # type: ignore[arg-type]  # a test's own
    return await import_setting(host.services, room.id, host.organizer, wish)


async def settings_of(host: HostHarness, room: RoomRow) -> JsonObject:
    async with host.services.database.read() as session:
        found = await session.get(RoomRow, room.id)
    assert found is not None
    return found.app_settings


async def changes(host: HostHarness, room: RoomRow) -> list[object]:
    return [event.payload for event in await host.events(room.id, "room:updated")]


async def test_what_the_app_read_becomes_the_setting(host: HostHarness, clerk: Clerk) -> None:
    room = await host.room("clerk", settings={"menu": ["Old"]})
    done = await bring(host, room, "Soup\nSalad\n")

    assert done == Imported("menu", None, 2, (), saved=True)
    assert (await settings_of(host, room))["menu"] == ["Soup", "Salad"]
    assert await changes(host, room) == [{"fields": ["appSettings/menu"]}]
    ((_, request),) = clerk.read
    assert (request.setting, request.format, request.text) == ("menu", "lines", "Soup\nSalad\n")


async def test_what_is_no_list_is_imported_too(host: HostHarness) -> None:
    room = await host.room("clerk")
    assert (await bring(host, room, "7", "seats")).imported is None
    assert (await settings_of(host, room))["seats"] == 7


async def test_bad_lines_are_reported_and_the_others_stored(host: HostHarness) -> None:
    room = await host.room("clerk")
    done = await bring(host, room, "Soup\nWhat?\nSalad\nHm?")
    assert [(each.line, each.code) for each in done.problems] == [(2, "UNCLEAR"), (4, "UNCLEAR")]
    assert (done.saved, done.imported) == (True, 2)
    assert (await settings_of(host, room))["menu"] == ["Soup", "Salad"]


async def test_strictly_a_bad_line_keeps_all_of_them_out(host: HostHarness, clerk: Clerk) -> None:
    room = await host.room("clerk", settings={"menu": ["Old"]})
    clerk.checked.clear()
    done = await bring(host, room, "Soup\nWhat?", strict=True)
    assert (done.saved, len(done.problems)) == (False, 1)
    assert (await settings_of(host, room))["menu"] == ["Old"]
    assert clerk.checked == []

    assert (await bring(host, room, "Soup", strict=True)).saved
    assert (await settings_of(host, room))["menu"] == ["Soup"]


async def test_a_text_of_which_nothing_can_be_read_leaves_the_setting_alone(
    host: HostHarness,
) -> None:
    room = await host.room("clerk", settings={"menu": ["Old"]})
    done = await bring(host, room, "What?\nHm?")
    assert (done.saved, done.imported, len(done.problems)) == (False, 0, 2)
    assert (await settings_of(host, room))["menu"] == ["Old"]


async def test_a_preview_shows_what_would_be_stored_and_stores_nothing(host: HostHarness) -> None:
    room = await host.room("clerk", settings={"menu": ["Old"]})
    done = await bring(host, room, "Soup\nWhat?", preview=True)
    assert (done.value, done.imported, done.saved) == (["Soup"], 1, False)
    assert [each.line for each in done.problems] == [2]
    with pytest.raises(Invalid):
        await bring(host, room, "Soup\nSoup", preview=True)
    await bring(host, room, "!confuse", preview=True)

    async with host.services.database.read() as session:
        found = await session.get(RoomRow, room.id)
    assert found is not None
    assert (found.version, found.app_settings) == (room.version, room.app_settings)
    assert await host.events(room.id, "room:updated", "app:fallback_used") == []


async def test_a_preview_never_shows_what_is_kept_from_organizers(host: HostHarness) -> None:
    room = await host.room("clerk")
    done = await bring(host, room, "s3cret", "keys", preview=True)
    assert (done.value, done.imported) == (None, 1)


async def test_items_are_added_to_those_that_are_there(host: HostHarness) -> None:
    room = await host.room("clerk", settings={"menu": ["Old"]})
    done = await bring(host, room, "Soup", mode=ImportMode.APPEND)
    assert done.imported == 1
    assert (await settings_of(host, room))["menu"] == ["Old", "Soup"]

    with pytest.raises(Invalid) as caught:
        await bring(host, room, "7", "seats", mode=ImportMode.APPEND)
    assert caught.value.code == "IMPORT_NOT_A_LIST"


async def test_the_schema_has_its_say(host: HostHarness) -> None:
    room = await host.room("clerk")
    with pytest.raises(Invalid) as caught:
        await bring(host, room, "Soup\nx")
    assert caught.value.details["fields"].keys() == {"/appSettings/menu/1"}  # type: ignore[attr-defined]  # a mapping
    assert (await settings_of(host, room))["menu"] == []


async def test_the_app_has_its_say_about_the_whole(host: HostHarness) -> None:
    room = await host.room("clerk", settings={"menu": ["Soup"]})
    with pytest.raises(Invalid) as caught:
        await bring(host, room, "Salad\nSoup", mode=ImportMode.APPEND)
    assert caught.value.details["fields"] == {"/appSettings/menu/2": ["It is there."]}
    assert (await settings_of(host, room))["menu"] == ["Soup"]


async def test_where_the_app_cannot_say_the_schema_decides_and_organizers_know(
    host: HostHarness,
) -> None:
    room = await host.room("clerk")
    assert (await bring(host, room, "!confuse")).saved
    (told,) = await host.events(room.id, "app:fallback_used")
    assert (told.payload["hook"], told.stream) == ("validate_settings", "organizer")


@pytest.mark.parametrize(
    ("text", "error", "code"),
    [
        ("!raise", Unavailable, "APP_FAILED"),
        ("!block", Unavailable, "APP_TIMEOUT"),
        ("!nonsense", Unavailable, "APP_BAD_RESULT"),
        ("!refuse", Refused, "NOT_A_MENU"),
    ],
)
async def test_nothing_is_stored_where_the_app_did_not_read(
    host: HostHarness, text: str, error: type[Unavailable | Refused], code: str
) -> None:
    room = await host.room("clerk", settings={"menu": ["Old"]})
    with pytest.raises(error) as caught:
        await bring(host, room, text)
    assert caught.value.code == code
    assert (await settings_of(host, room))["menu"] == ["Old"]
    assert await changes(host, room) == []


async def test_a_running_room_takes_imports_of_live_settings_alone(host: HostHarness) -> None:
    room = await host.start("clerk")
    with pytest.raises(SettingsFrozen) as caught:
        await bring(host, room, "Soup")
    assert caught.value.details["settings"] == ["/menu"]
    await bring(host, room, "Waltz", "songs", mode=ImportMode.APPEND)
    assert (await settings_of(host, room))["songs"] == ["Waltz"]

    await host.change(room.id, status=RoomStatus.COMPLETED)
    with pytest.raises(SettingsFrozen):
        await bring(host, room, "Tango", "songs")


async def test_a_room_that_moved_on_while_the_app_read_is_read_for_again(
    host: HostHarness, clerk: Clerk
) -> None:
    room = await host.room("clerk")

    async def somebody_else_adds() -> None:
        await host.change(room.id, settings={"menu": ["Theirs"]})

    clerk.meanwhile = somebody_else_adds
    await bring(host, room, "Ours", mode=ImportMode.APPEND)
    assert (await settings_of(host, room))["menu"] == ["Theirs", "Ours"]
    seen = [context.room.settings["menu"] for context, _ in clerk.read if context.room]
    assert seen == [[], ["Theirs"]]
    assert len({context.call_id for context, _ in clerk.read}) == 2


async def test_a_room_that_moved_on_while_the_app_agreed_is_read_for_again(
    host: HostHarness, clerk: Clerk
) -> None:
    room = await host.room("clerk")

    async def another_process_adds() -> None:
        async with room_transaction(host.services, room.id) as transaction:
            patch_settings(transaction, {"menu": ["Theirs"]})

    clerk.agreeing = another_process_adds
    await bring(host, room, "Ours", mode=ImportMode.APPEND)
    assert (await settings_of(host, room))["menu"] == ["Theirs", "Ours"]
    assert len(clerk.read) == 2


async def test_other_requests_do_not_wait_while_the_app_reads(
    host: HostHarness, clerk: Clerk
) -> None:
    room = await host.start("clerk")
    reading, go = asyncio.Event(), asyncio.Event()

    async def slowly() -> None:
        reading.set()
        await go.wait()

    clerk.meanwhile = slowly
    importing = asyncio.create_task(bring(host, room, "Waltz", "songs"))
    await reading.wait()
    changed = await host.change(room.id, settings={"note": "Soup is ready"})
    assert changed.app_settings["note"] == "Soup is ready"
    go.set()
    await importing
    settings = await settings_of(host, room)
    assert (settings["note"], settings["songs"]) == ("Soup is ready", ["Waltz"])


async def test_both_questions_share_one_budget(
    host: HostHarness, clerk: Clerk, clock: HeldClock
) -> None:
    room = await host.room("clerk")
    clerk.checked.clear()

    async def take(seconds: float) -> None:
        clock.advance(seconds)

    # 2 s to read, as the manifest asks, and the 5 s of any action besides
    clerk.meanwhile = lambda: take(6.2)
    await bring(host, room, "Soup")
    ((context, _),) = clerk.read
    assert (context.deadline_ms, [each.deadline_ms for each in clerk.checked]) == (2_000, [800])

    clerk.meanwhile = lambda: take(8)
    with pytest.raises(RoomBusy):
        await bring(host, room, "Salad")
    assert (await settings_of(host, room))["menu"] == ["Soup"]


async def test_the_app_is_told_what_its_manifest_needs(host: HostHarness, clerk: Clerk) -> None:
    room = await host.room("clerk")
    await host.prize(room)
    clerk.checked.clear()
    await bring(host, room, "Soup")
    ((context, _),) = clerk.read
    assert context.prizes is not None
    assert [prize.name for prize in context.prizes] == ["Bicycle"]
    assert context.actor is not None
    assert [each.prizes for each in clerk.checked] == [None]


async def test_only_what_the_manifest_names_is_imported(host: HostHarness, clerk: Clerk) -> None:
    room = await host.room("clerk")
    for setting, form, named in [
        ("menu", "pdf", "lines, csv"),
        ("note", "lines", "keys, menu, seats, songs"),
        ("nothing", "lines", "keys, menu, seats, songs"),
    ]:
        with pytest.raises(NotFound, match=named) as caught:
            await bring(host, room, "Soup", setting, format=form)
        assert caught.value.code == "IMPORT_UNKNOWN"
    assert clerk.read == []


async def test_only_organizers_import(host: HostHarness, clerk: Clerk) -> None:
    room = await host.start("clerk")
    wish = TextImport("songs", "lines", "Waltz", preview=True)
    guest = principal(await host.guest(room))
    with pytest.raises(Forbidden):
        await import_setting(host.services, room.id, guest, wish)
    stranger = await host.person("stranger@example.com")
    with pytest.raises(NotFound, match="no such room"):
        await import_setting(host.services, room.id, stranger, wish)
    assert clerk.read == []


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (b"\xef\xbb\xbfSoup", "Soup"),
        ("\ufeffSoup", "Soup"),
        ("Crème brûlée".encode(), "Crème brûlée"),
        ("Crème".encode("cp1252"), "Crème"),
        (b"Cr\x81\x98me", "Cr\ufffd\ufffdme"),
        (b"a\x00b\tc\r\nd\x85", "a\ufffdb\tc\r\nd\ufffd"),
        ("NUL\x00", "NUL\ufffd"),
        ("half \ud800", "half ?"),
        (b"", ""),
    ],
)
async def test_any_bytes_reach_the_app_as_text(
    host: HostHarness, clerk: Clerk, given: str | bytes, read: str
) -> None:
    room = await host.room("clerk")
    await bring(host, room, given, preview=True)
    ((_, request),) = clerk.read
    assert request.text == read


async def test_a_mebibyte_of_text_is_read_and_no_more(host: HostHarness, clerk: Clerk) -> None:
    room = await host.room("clerk")
    await bring(host, room, b"?" * MAX_TEXT_BYTES)
    assert len(clerk.read) == 1
    for text in (b"?" * (MAX_TEXT_BYTES + 1), "é" * (MAX_TEXT_BYTES // 2 + 1)):
        with pytest.raises(TooLarge):
            await bring(host, room, text)
    assert len(clerk.read) == 1


async def test_no_import_makes_settings_too_large(host: HostHarness) -> None:
    room = await host.room("clerk")
    with pytest.raises(TooLarge) as caught:
        await bring(host, room, "x" * MAX_SETTINGS_BYTES)
    assert caught.value.code == "SETTINGS_TOO_LARGE"
    assert (await settings_of(host, room))["menu"] == []
