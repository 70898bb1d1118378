"""The server of `mymozhem app dev`: replaces the process that holds the app after each change."""

import asyncio
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import aiohttp
import click
from rich.console import Console
from watchfiles import awatch

from mymozhem.contract.demo import DemoFailed
from mymozhem.demo.accounts import logins
from mymozhem.demo.http_evening import HttpEvening
from mymozhem.demo.scenario import phones as client_for
from mymozhem.demo.scenario import sign_in
from mymozhem.errors import MymozhemError
from mymozhem.manifests.model import Manifest

from .app_profile import AppProfile
from .app_source import AppSource
from .dev_protocol import AGAIN
from .dev_room import DevRoom, gather
from .dev_script import read_script, steps_of
from .fork_server import ForkServer
from .remote_plugin import RemoteApp
from .simulated_participants import SimulatedParticipants
from .startup_message import startup_message

_LOOK_AGAIN = 0.05
_STDIN = 0
_HERE = "127.0.0.1"
_BACKLOG = 128
_WORKER = f"{__package__}.dev_process"


class DevServer:
    """Runs one app on a port, with simulated participants, until it is stopped.

    Its data are in `folder`. With `play`, participants act automatically, otherwise if `p` is
    typed. The steps of `script` are done after each start, and if `s` is typed. With `full`, calls
    are shown whole. The port stays open during a reload: connections wait.
    """

    def __init__(
        self,
        source: AppSource | RemoteApp,
        folder: Path,
        *,
        port: int,
        people: int,
        play: bool,
        script: Path | None = None,
        full: bool = False,
    ) -> None:
        self._source = source
        self._folder = folder
        self._port = port
        self._script = script
        self._full = full
        self._forks: ForkServer | None = None
        self._listening = socket.create_server((_HERE, port), backlog=_BACKLOG)
        self._people = people
        self._play = play
        self._party: DevRoom | None = None
        self._over = asyncio.Event()
        self._changed = asyncio.Event()
        self._asked = asyncio.Event()
        self._scripted = asyncio.Event()

    async def run(self) -> None:
        """Serve, watch and play until Ctrl+C, SIGTERM or `q`; on the main thread."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._over.set)
        signal.signal(signal.SIGTTIN, signal.SIG_IGN)  # no input in the background
        threading.Thread(target=self._listen, args=(loop,), daemon=True).start()
        try:
            await _until_first(self._again_and_again(), self._watch(), self._over.wait())
        finally:
            self._listening.close()
            if self._forks is not None:
                await self._forks.close()

    async def _again_and_again(self) -> None:
        while True:
            self._changed.clear()
            async with self._worker() as worker:
                try:
                    await _until_first(self._evening(), worker.wait(), self._changed.wait())
                except (DemoFailed, aiohttp.ClientError, TimeoutError) as error:
                    say(f"   {error}")
                if not self._changed.is_set():
                    say("   The app is not running. Fix it and save the file; stop with Ctrl+C.")
                    await self._changed.wait()
            say(f"── {watched(self._source)} has changed: reloading it")

    async def _evening(self) -> None:
        """Wait for the host, let the participants join, and let them answer and act."""
        address = f"http://127.0.0.1:{self._port}"
        async with client_for(address) as client:
            await _ready(client)
            card, (organizer, _) = AppProfile.read(self._folder), logins(self._folder)
            token = await sign_in(client, organizer)
            quiet = Console(quiet=True)
            evening = HttpEvening(client, quiet, app_id=card.app_id, organizer=token)
            party, kept = await gather(evening, card, before=self._party, people=self._people)
            self._party = party
            say(startup_message(address, card, party, organizer, token, kept=kept))
            manifest = Manifest.of(card.manifest, registered_as=card.app_id)
            people = SimulatedParticipants(evening, manifest, party, say)
            if self._script is not None:
                self._scripted.set()
            async with asyncio.TaskGroup() as group:
                group.create_task(people.answer())
                group.create_task(people.tell())
                group.create_task(people.play_on() if self._play else self._on_request(people))
                group.create_task(self._on_script(people, card))

    async def _on_request(self, people: SimulatedParticipants) -> None:
        while True:
            await self._asked.wait()
            self._asked.clear()
            await people.play()

    async def _on_script(self, people: SimulatedParticipants, card: AppProfile) -> None:
        while True:
            await self._scripted.wait()
            self._scripted.clear()
            try:
                steps = steps_of(card.script) if self._script is None else read_script(self._script)
            except MymozhemError as error:
                say(f"   {error.message}")
                continue
            if steps:
                await people.perform(steps)
            else:
                say("   There is no scenario: name a file with --script, or write a sample room.")

    def _again(self) -> None:
        """Let the process print the last call again."""
        if self._forks is not None:
            self._forks.tell(AGAIN)

    @asynccontextmanager
    async def _worker(self) -> AsyncIterator[ForkServer]:
        """Start a process that holds the app; it has ended after the block."""
        if self._forks is None or not self._forks.is_alive:
            self._forks = await self._spawn()
        self._forks.fork()
        try:
            yield self._forks
        finally:
            await self._forks.end()

    async def _spawn(self) -> ForkServer:
        descriptor = self._listening.fileno()
        return await ForkServer.spawn(
            _command(self._source, self._folder, self._port, descriptor, full=self._full),
            variables={name: text for name, text in os.environ.items() if name[:9] != "MYMOZHEM_"},
            pass_fds=(descriptor,),
        )

    async def _watch(self) -> None:
        async for _ in awatch(watched(self._source)):
            self._changed.set()

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """Read typed characters until the input ends or the loop is closed."""
        keys = {
            ord("p"): self._asked.set,
            ord("s"): self._scripted.set,
            ord("f"): self._again,
            ord("q"): self._over.set,
        }
        with suppress(OSError, RuntimeError):
            while typed := os.read(_STDIN, 1024):
                for act in dict.fromkeys(keys[each] for each in typed if each in keys):
                    loop.call_soon_threadsafe(act)


def watched(source: AppSource | RemoteApp) -> Path:
    """Return what is watched for changes: the code, or the manifest of a service."""
    return source.file if isinstance(source, RemoteApp) else source.code


def _command(
    source: AppSource | RemoteApp, folder: Path, port: int, descriptor: int, *, full: bool
) -> list[str]:
    named = {name: str(value) for name, value in asdict(source).items() if value is not None}
    said = json.dumps({**named, "full": full})
    return [sys.executable, "-m", _WORKER, said, str(folder), str(port), str(descriptor)]


def say(text: str) -> None:
    """Print a text and flush it."""
    click.echo(text)


async def _ready(client: aiohttp.ClientSession) -> None:
    while True:
        with suppress(aiohttp.ClientError, TimeoutError):  # connections wait until it serves
            async with client.get("/health/ready") as answer:
                if answer.ok:
                    return
        await asyncio.sleep(_LOOK_AGAIN)


async def _until_first(*work: Coroutine[Any, Any, object]) -> None:
    """Wait until the first is done, and raise its error, if any; the others are cancelled."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for each in done:
            each.result()
    finally:
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
