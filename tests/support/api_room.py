"""An evening with windows, over HTTP: a room of the app `WindowApp`, its guests, its helpers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from mymozhem.clock import Clock, HeldClock
from mymozhem.contract import JsonObject
from tests.support.api_host import ApiHost, Caller, Heard, make_api_host
from tests.support.apps.window_app import WindowApp, opening


@dataclass
class ApiRoom:
    """A running room; `guests` and `ids` of their seats are in the order of their coming."""

    host: ApiHost
    desk: WindowApp
    room: Any
    guests: list[Caller] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)

    @property
    def path(self) -> str:
        return f"/rooms/{self.room['id']}"

    @property
    def organizer(self) -> Caller:
        return self.host.organizer

    async def come(self, *names: str) -> None:
        """Let guests in."""
        for name in names:
            guest, found = await self.host.guest(self.room, name)
            self.guests.append(guest)
            self.ids.append(found["participant"]["id"])

    async def do(self, *effects: JsonObject) -> None:
        """Have the app ask for effects."""
        heard = await self.organizer.post(f"{self.path}/actions/do", {"effects": list(effects)})
        assert heard.status == 200, heard.raw

    async def open(self, name: str = "w", **wishes: object) -> str:
        """Have the app open a window, and return its path."""
        await self.do(opening(name, **wishes))
        return f"{self.path}/windows/{name}"

    async def submit(self, guest: Caller, payload: object, name: str = "w", **more: Any) -> Heard:
        """Submit to a window."""
        path = f"{self.path}/windows/{name}/submissions"
        return await guest.post(path, {"payload": payload}, **more)

    async def submitted(self, *payloads: object, name: str = "w") -> None:
        """Have the guests submit, in the order of their coming."""
        for guest, payload in zip(self.guests, payloads, strict=False):
            heard = await self.submit(guest, payload, name)
            assert heard.status == 200, heard.raw

    async def close(self, name: str = "w") -> None:
        """Close a window as the organizer, and settle it."""
        heard = await self.organizer.post(f"{self.path}/windows/{name}/close")
        assert heard.status == 200, heard.raw
        await self.host.work()

    async def control(self, act: str, body: object = None, name: str = "w") -> Heard:
        """Do to a window what organizers can do."""
        return await self.organizer.post(f"{self.path}/windows/{name}/{act}", body)

    async def helper(self, role: str = "MODERATOR") -> Caller:
        """Let somebody with an account in, and give them a role."""
        person = await self.host.person(f"{role.lower()}@people.example.com")
        heard = await person.post(f"{self.path}/participants", {"code": self.room["code"]})
        assert heard.status == 201, heard.raw
        seat = f"{self.path}/participants/{heard.data['id']}"
        heard = await self.organizer.patch(seat, {"role": role})
        assert heard.status == 200, heard.raw
        return person

    def pass_time(self, milliseconds: int) -> None:
        """Let time go by."""
        clock = self.host.host.services.clock
        assert isinstance(clock, HeldClock)
        clock.advance(timedelta(milliseconds=milliseconds))


@asynccontextmanager
async def make_api_room(
    database_url: str, clock: Clock, folder: Path, *names: str
) -> AsyncIterator[ApiRoom]:
    """Start a host with the app, a room, and guests of these names."""
    desk = WindowApp()
    async with make_api_host(database_url, clock, folder, apps={"desk": desk}) as host:
        api_room = ApiRoom(host, desk, await host.start(appId="desk"))
        await api_room.come(*names)
        yield api_room


__all__ = ["ApiRoom", "make_api_room"]
