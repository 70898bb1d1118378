"""A running host for tests: the real application, an app written inside the test, and callers."""

import functools
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson
from argon2 import PasswordHasher
from quart import Quart
from quart.typing import TestClientProtocol
from werkzeug.datastructures import Headers

from mymozhem.api.dependencies import ApiDependencies
from mymozhem.app import create_app, host_of
from mymozhem.auth.accounts import create_user
from mymozhem.clock import Clock
from mymozhem.config import Settings
from mymozhem.contract import (
    ActionRequest,
    JsonObject,
    Refuse,
    RegistrationRequest,
    RegistrationResult,
    SettingsImportRequest,
    SettingsImportResult,
    hookimpl,
)
from mymozhem.db.unit_of_work import Database
from mymozhem.registry import manifest_history
from mymozhem.registry.catalog import Catalog
from mymozhem.registry.remote_apps import Owner, Registered, register
from mymozhem.registry.tables import SecretKind
from mymozhem.rooms.jobs.runner import Jobs
from tests.support.host import loaded
from tests.support.remote_manifest import manifest_of

PASSWORD = "correct horse battery"


class EchoApp:
    """An app that does what the payload of its action says, and lets the host draw."""

    @hookimpl
    def app_manifest(self) -> JsonObject:
        return {
            "id": "stall",
            "meta": {"name": "Stall", "version": "1.0.0", "description": "Does as it is told."},
            "capabilities": ["settingsImport", "participantRegistration", "actions"],
            "permissions": [],
            "imports": {"live": ["number"]},
            "settings": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "shown": {"type": "string", "default": "to all", "x-visibility": "public"},
                    "inside": {"type": "string", "default": "to organizers"},
                    "hidden": {"type": "string", "default": "to nobody", "x-visibility": "private"},
                    "live": {"type": "integer", "default": 1, "x-live": True},
                },
            },
            "registration": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"shy": {"type": "boolean"}},
            },
            "actions": {"do": {"roles": ["ORGANIZER", "MODERATOR", "PARTICIPANT"]}},
            "events": {"stall:said": {"visibility": "public"}},
        }

    @hookimpl
    def import_settings(self, request: SettingsImportRequest) -> SettingsImportResult:
        return SettingsImportResult(value=len(request.text))

    @hookimpl
    def register_participant(self, request: RegistrationRequest) -> RegistrationResult:
        return RegistrationResult(decision="pending" if request.answers.get("shy") else "accept")

    @hookimpl
    def handle_action(self, request: ActionRequest) -> JsonObject:
        if "refuse" in request.payload:
            raise Refuse("NOT_TODAY", "Come back tomorrow.", {"day": 2})
        return {"effects": request.payload.get("effects", [])}


@functools.cache
def echo_code():
    return loaded(EchoApp(), "stall")


@functools.cache
def password_hash() -> str:
    return PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)


async def stocked(database: Database, apps: Mapping[str, object]) -> Catalog:
    """Publish the app, and those of the test's own; return the catalog that has them."""
    codes = [echo_code(), *(loaded(plugin, app_id) for app_id, plugin in apps.items())]
    async with database.write() as unit:
        for code in codes:
            await manifest_history.publish(unit, code.app_id, code.manifest)
    async with database.read() as session:
        return Catalog(codes, await manifest_history.versions(session))


@dataclass(frozen=True)
class Heard:
    """An answer: its status, its headers, its body."""

    status: int
    headers: Headers
    raw: bytes

    @property
    def body(self) -> Any:
        return orjson.loads(self.raw)

    @property
    def data(self) -> Any:
        return self.body["data"]

    @property
    def code(self) -> str:
        return self.body["error"]["code"]


@dataclass
class Caller:
    """Somebody with a token, or nobody without one."""

    client: TestClientProtocol
    token: str | None = None
    id: str = ""

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        raw: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Heard:
        """Make a request; paths without a scheme of their own are under /api/v1."""
        sent = dict(headers or {})
        if self.token is not None:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        data = raw if raw is not None else (b"" if body is None else orjson.dumps(body))
        if data:
            sent.setdefault("Content-Type", "application/json")
        whole = path if path.startswith(("//", "/api/")) else f"/api/v1{path}"
        whole = whole.removeprefix("/") if whole.startswith("//") else whole
        answer = await self.client.open(whole, method=method, data=data, headers=sent)
        return Heard(answer.status_code, answer.headers, await answer.get_data(as_text=False))

    async def get(self, path: str, **more: Any) -> Heard:
        return await self.ask("GET", path, **more)

    async def post(self, path: str, body: object = None, **more: Any) -> Heard:
        return await self.ask("POST", path, body, **more)

    async def patch(self, path: str, body: object = None, **more: Any) -> Heard:
        return await self.ask("PATCH", path, body, **more)

    async def delete(self, path: str, body: object = None, **more: Any) -> Heard:
        return await self.ask("DELETE", path, body, **more)


@dataclass
class ApiHost:
    """A host that serves, and ways to make those who call it."""

    app: Quart
    host: ApiDependencies
    nobody: Caller
    organizer: Caller = field(init=False)

    @property
    def database(self) -> Database:
        return self.host.services.database

    async def person(self, email: str, *, is_admin: bool = False) -> Caller:
        """Make an account and return it signed in."""
        async with self.database.write() as unit:
            user = await create_user(
                unit,
                email=email,
                name=email.partition("@")[0],
                password_hash=password_hash(),
                is_admin=is_admin,
            )
        token = self.host.tokens.issue(user).access_token
        return Caller(self.app.test_client(), token, user.id)

    async def room(self, by: Caller | None = None, **wishes: object) -> Any:
        """Make a room in DRAFT and return it as its organizer sees it."""
        heard = await (by or self.organizer).post(
            "/rooms", {"name": "Evening", "appId": "stall", **wishes}
        )
        assert heard.status == 201, heard.raw
        return heard.data

    async def start(self, by: Caller | None = None, **wishes: object) -> Any:
        """Make a room and start it."""
        room = await self.room(by, **wishes)
        heard = await (by or self.organizer).patch(f"/rooms/{room['id']}", {"status": "ACTIVE"})
        assert heard.status == 200, heard.raw
        return heard.data

    async def guest(self, room: Any, name: str = "Ada", **more: object) -> tuple[Caller, Any]:
        """Let a guest in; return them and what they were told."""
        heard = await self.nobody.post("/auth/guest", {"code": room["code"], "name": name, **more})
        assert heard.status == 201, heard.raw
        found = heard.data
        return Caller(self.app.test_client(), found["accessToken"], found["user"]["id"]), found

    async def remote_app(
        self, app_id: str = "raffle", *, owner_id: str | None = None, here: bool = True, **more: Any
    ) -> Registered:
        """Register a remote app; `here` in this process; its manifest may say more."""
        async with self.database.write() as unit:
            made = await register(
                unit,
                self.host.services.keys,
                app_id,
                manifest_of(app_id=app_id, **more),
                owner=Owner(owner_id, None),
            )
        if here:
            await self.host.services.catalog.refresh()
        return made

    def signed_in(self, made: Registered) -> Caller:
        """Return a remote app as a caller with its token."""
        keys = self.host.services.catalog.get(made.app_id).facts.keys
        secret = next(key.kid for key in keys if key.kind is SecretKind.SHARED)
        token = self.host.tokens.issue_app(made.app_id, made.manifest.permissions, key_id=secret)
        return Caller(self.app.test_client(), token.access_token, made.app_id)

    async def work(self) -> int:
        """Do what is due: draws, timers, changes."""
        return await Jobs(self.host.services).run_due()


@asynccontextmanager
async def make_api_host(
    database_url: str,
    clock: Clock,
    folder: Path,
    *,
    apps: Mapping[str, object] = MappingProxyType({}),
    **settings: Any,
) -> AsyncIterator[ApiHost]:
    """Start a host on a database with every table."""
    database = Database(database_url, clock=clock)
    await database.open()
    catalog = await stocked(database, apps)
    await database.close()
    chosen = {"environment": "test", "rate_limits_enabled": False} | settings
    given = Settings(data_dir=folder, database_url=database_url, **chosen)
    app = create_app(given, clock=clock, catalog=catalog, run_jobs=False)
    async with app.test_app():
        dependencies = host_of(app)
        assert dependencies is not None
        host = ApiHost(app, dependencies, Caller(app.test_client()))
        host.organizer = await host.person("organizer@example.com")
        yield host


__all__ = ["PASSWORD", "ApiHost", "Caller", "Heard", "make_api_host"]
