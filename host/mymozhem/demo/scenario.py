"""Plays the scripted event of every enabled app on a fresh host, and verifies its draws."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import aiohttp
from rich.console import Console
from rich.markup import escape

from mymozhem.clock import SystemClock
from mymozhem.config import Settings
from mymozhem.contract.demo import DemoFailed
from mymozhem.db.unit_of_work import Database
from mymozhem.migrations import upgrade

from .accounts import Login, ensure_account, logins
from .discovery import Demo, Play, find_demos
from .host_process import running_host
from .http_evening import CROWD, PREFIX, HttpEvening

#: deadlines of one scripted event and of one call; they only end what hangs
BOUND_SECONDS = 900
_CALL_SECONDS = 120
#: shorter than the host's, so that no request uses a connection that it closed
_KEEP_SECONDS = 3


async def play_script(console: Console, app_ids: Sequence[str], *, crowd: int = CROWD) -> None:
    """Play the scripted event of every named app; raises DemoFailed unless all is verified.

    `crowd` participants join the events that any number can join.

    The data folder is removed afterwards; if the script fails, it stays, and the message names the
    log.
    """
    folder = Path(tempfile.mkdtemp(prefix="mymozhem-demo-"))
    log = folder / "host.log"
    try:
        await _play_in(folder, log, console, app_ids, crowd=crowd)
    except TimeoutError as error:
        raise DemoFailed(
            f"Not done after {BOUND_SECONDS} seconds. The host's log: {log}"
        ) from error
    except asyncio.CancelledError:
        shutil.rmtree(folder)
        raise
    except Exception as error:  # the script of an app can raise anything
        raise DemoFailed(f"{_sentence(error)} The host's log: {log}") from error
    shutil.rmtree(folder)


async def _play_in(
    folder: Path, log: Path, console: Console, app_ids: Sequence[str], *, crowd: int
) -> None:
    demos = [demo for demo in find_demos(app_ids) if demo.play is not None]
    if not demos:
        raise DemoFailed("No enabled app has an evening to play: install one that brings a demo.")
    settings = Settings(
        data_dir=folder / "data", enable_apps=tuple(app_ids), environment="demo", database_url=None
    )
    began = time.monotonic()
    organizer = await _prepare(settings)
    async with running_host(settings, log=log) as address:
        spent = time.monotonic() - began
        console.print(f"A host on a fresh data folder, at {address} ({spent:.2f} s)")
        async with phones(address) as client:
            token = await sign_in(client, organizer)
            evenings = [
                HttpEvening(client, console, app_id=demo.app_id, organizer=token, crowd=crowd)
                for demo in demos
            ]
            for demo, evening in zip(demos, evenings, strict=True):
                await _play_one(demo, evening, console)
    total = [evening.verified for evening in evenings]
    spent = time.monotonic() - began
    console.print(f"[bold green]verified[/]: {sum(total)} records, {spent:.2f} s in all")


async def _play_one(demo: Demo, evening: HttpEvening, console: Console) -> None:
    console.rule(escape(demo.app_id), align="left")
    play: Play | None = demo.play
    if play is not None:
        async with asyncio.timeout(BOUND_SECONDS):
            await play(evening)
    if not evening.verified:
        raise DemoFailed(f"The evening of {demo.app_id} verified nothing.")


def phones(address: str) -> aiohttp.ClientSession:
    """Return a client with a connection for each concurrent caller."""
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_SECONDS)
    limits = aiohttp.ClientTimeout(total=_CALL_SECONDS)
    return aiohttp.ClientSession(address, connector=connector, timeout=limits)


async def _prepare(settings: Settings) -> Login:
    """Create database and organizer, before the host runs."""
    settings.data_dir.mkdir(mode=0o700, parents=True)
    await upgrade(settings.effective_database_url)
    organizer, _ = logins(settings.data_dir)
    database = Database(settings.effective_database_url, clock=SystemClock())
    await database.open()
    try:
        await ensure_account(database, organizer)
    finally:
        await database.close()
    return organizer


async def sign_in(client: aiohttp.ClientSession, login: Login) -> str:
    """Return the token of a user who signs in with a password."""
    body = {"email": login.email, "password": login.password}
    async with client.post(f"{PREFIX}/auth/login", json=body) as answer:
        match await answer.json():
            case {"data": {"accessToken": str(token)}}:
                return token
    raise DemoFailed(f"{login.email} could not sign in ({answer.status}).")


def _sentence(error: BaseException) -> str:
    """Return what went wrong, also if several callers got errors together."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return str(error) if isinstance(error, DemoFailed) else f"{type(error).__name__}: {error}"
