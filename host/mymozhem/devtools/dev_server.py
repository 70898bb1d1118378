"""The server of `mymozhem app dev`: restarts the process that holds the app after each change."""

import asyncio
import json
import os
import signal
import sys
import threading
from asyncio.subprocess import PIPE, Process
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
from mymozhem.manifests.model import Manifest

from .app_profile import AppProfile
from .app_source import AppSource
from .dev_room import DevRoom, gather
from .simulated_participants import SimulatedParticipants
from .startup_message import startup_message

STOP_SECONDS = 5
_LOOK_AGAIN = 0.05
_STDIN = 0
_WORKER = f"{__package__}.dev_process"


class DevServer:
    """Runs one app on a port, with simulated participants, until it is stopped.

    Its data are in `folder`. With `play`, participants act automatically, otherwise if `p` is
    typed.
    """

    def __init__(
        self, source: AppSource, folder: Path, *, port: int, people: int, play: bool
    ) -> None:
        self._source = source
        self._folder = folder
        self._port = port
        self._people = people
        self._play = play
        self._party: DevRoom | None = None
        self._over = asyncio.Event()
        self._changed = asyncio.Event()
        self._asked = asyncio.Event()

    async def run(self) -> None:
        """Serve, watch and play until Ctrl+C, SIGTERM or `q`; on the main thread."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._over.set)
        signal.signal(signal.SIGTTIN, signal.SIG_IGN)  # no input in the background
        threading.Thread(target=self._listen, args=(loop,), daemon=True).start()
        await _until_first(self._again_and_again(), self._watch(), self._over.wait())

    async def _again_and_again(self) -> None:
        while True:
            self._changed.clear()
            async with self._worker() as process:
                try:
                    await _until_first(self._evening(), process.wait(), self._changed.wait())
                except (DemoFailed, aiohttp.ClientError) as error:
                    say(f"   {error}")
                if not self._changed.is_set():
                    say("   The app is not running. Fix it and save the file; stop with Ctrl+C.")
                    await self._changed.wait()
            say(f"── {self._source.code} has changed: reloading it")

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
            async with asyncio.TaskGroup() as group:
                group.create_task(people.answer())
                group.create_task(people.play_on() if self._play else self._on_request(people))

    async def _on_request(self, people: SimulatedParticipants) -> None:
        while True:
            await self._asked.wait()
            self._asked.clear()
            await people.play()

    @asynccontextmanager
    async def _worker(self) -> AsyncIterator[Process]:
        """Start the process that holds the app; it has ended after the block."""
        kept = {name: value for name, value in os.environ.items() if name[:9] != "MYMOZHEM_"}
        process = await asyncio.create_subprocess_exec(
            *_command(self._source, self._folder, self._port),
            env=kept,
            stdin=PIPE,  # the child ends if this process ends, even by a kill
            start_new_session=True,  # only this process gets Ctrl+C
        )
        try:
            yield process
        finally:
            await _end(process)

    async def _watch(self) -> None:
        async for _ in awatch(self._source.code):
            self._changed.set()

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """Read typed characters until the input ends or the loop is closed."""
        events = {ord("p"): self._asked, ord("q"): self._over}
        with suppress(OSError, RuntimeError):
            while typed := os.read(_STDIN, 1024):
                for event in {events[each] for each in typed if each in events}:
                    loop.call_soon_threadsafe(event.set)


def _command(source: AppSource, folder: Path, port: int) -> list[str]:
    named = {name: str(value) for name, value in asdict(source).items() if value is not None}
    return [sys.executable, "-m", _WORKER, json.dumps(named), str(folder), str(port)]


def say(text: str) -> None:
    """Print a text and flush it."""
    click.echo(text)


async def _ready(client: aiohttp.ClientSession) -> None:
    while True:
        with suppress(aiohttp.ClientError):
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


async def _end(process: Process) -> None:
    """Terminate a process, kill it if it does not end, and wait for it."""
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
