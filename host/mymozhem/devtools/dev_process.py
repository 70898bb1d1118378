"""The process that holds the author's code: a host on an embedded database, with one app.

It is forked again after every change of the code, and ends with its parent process.
"""

import asyncio
import json
import logging
import os
import signal
import socket
import sys
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete
from uvicorn import Config, Server

from mymozhem.app import create_app
from mymozhem.clock import SystemClock
from mymozhem.config import Settings, sqlite_url
from mymozhem.contract.serving.app_functions import Plugin
from mymozhem.db.schema_revision import HEAD, current
from mymozhem.db.unit_of_work import Database
from mymozhem.demo.accounts import ensure_account, logins
from mymozhem.dispatch.outcome import FailureKind
from mymozhem.dispatch.tables import BreakerOpeningRow
from mymozhem.errors import MymozhemError
from mymozhem.observability.logging import configure_logging
from mymozhem.registry import manifest_history
from mymozhem.registry.catalog import Catalog
from mymozhem.registry.loaded_code import AppCode, Refused
from mymozhem.registry.loader import load
from mymozhem.registry.manifest_history import VersionImmutable
from mymozhem.registry.publishing_rules import BumpTooSmall, VersionNotGreater
from mymozhem.testing.app_lookup import App
from mymozhem.testing.harness_setup import NotLoadable, loaded

from .app_profile import AppProfile
from .app_source import AppSource
from .call_format import block
from .call_recorder import RecordedCall, recorded
from .dev_protocol import AGAIN, STOP_SECONDS
from .fork_server import wait_for_fork
from .remote_plugin import RemoteApp, remote_plugin

NOT_LOADED = 3
_DATABASE = "dev.sqlite3"
_HERE = "127.0.0.1"
_STDIN = 0
_GRACE_SECONDS = 1


def main(named: str, folder: str, port: str, descriptor: str, reports: str) -> int:
    """Fork whenever the parent says so; a fork serves until a signal, or its input is closed.

    `named` is an `AppSource` or a `RemoteApp` as JSON, `descriptor` that of the listening socket,
    and `reports` that on which forks and their ends are reported. Returns the exit status.
    """
    if not wait_for_fork(int(reports), patience=STOP_SECONDS):
        return 0
    said = json.loads(named)
    settings = settings_of(Path(folder), int(port))
    _configure_log(settings)
    code, home = _loaded(said)
    if isinstance(code, Refused):
        for reason in code.reasons:
            _say(f"   It cannot be loaded: {reason}\n")
        return NOT_LOADED
    asyncio.run(_prepare(code, settings))
    (plugin,) = code.plugin_manager.get_plugins()
    AppProfile.of(App(code.app_id, plugin, Plugin(plugin).functions, code.manifest.document)).write(
        settings.data_dir
    )
    shown = _Shown(home, full=said.get("full", False))
    catalog = Catalog([recorded(code, shown.tell)], ())
    return _serve(settings, catalog, socket.socket(fileno=int(descriptor)), shown)


def _loaded(said: dict[str, Any]) -> tuple[AppCode | Refused, Path]:
    """Return the app's code, and the folder whose frames a traceback shows."""
    if "url" in said:
        remote = RemoteApp(said["url"], said["secret"], Path(said["file"]))
        try:
            return loaded(remote_plugin(remote), str(remote.manifest().id)), remote.file.parent
        except (MymozhemError, NotLoadable) as error:
            return Refused(said["url"], (str(error),)), remote.file.parent
    path = {name: Path(said[name]) for name in ("code", "search", "project") if name in said}
    source = AppSource(
        said["app_id"],
        said["value"],
        said["version"],
        path["code"],
        path.get("search"),
        path.get("project"),
    )
    if source.search is not None:
        sys.path.insert(0, str(source.search))
    return load(source.discovered), source.code


def settings_of(folder: Path, port: int) -> Settings:
    """Return the settings of a host with demo logins, which only this machine can reach."""
    return Settings(
        host=_HERE,
        port=port,
        data_dir=folder,
        database_url=sqlite_url(folder / _DATABASE),
        environment="demo",
        access_token_minutes=60,
        guest_token_hours=72,
        rate_limits_enabled=False,
        log_level="warning",
    )


async def _prepare(code: AppCode, settings: Settings) -> None:
    """Create database and organizer; reset the database if the manifest cannot be published."""
    try:
        await _publish(code, settings)
    except (VersionImmutable, VersionNotGreater, BumpTooSmall) as error:
        _say(f"   {error.message}\n   A new room is created.\n")
        for file in settings.data_dir.glob(f"{_DATABASE}*"):
            file.unlink()
        await _publish(code, settings)


async def _publish(code: AppCode, settings: Settings) -> None:
    await _migrate(settings.effective_database_url)
    database = Database(settings.effective_database_url, clock=SystemClock())
    await database.open()
    try:
        async with database.write() as unit:
            await manifest_history.publish(unit, code.app_id, code.manifest)
            # The code has changed, so what its breakers counted does not hold any more.
            await unit.session.execute(delete(BreakerOpeningRow))
        await ensure_account(database, logins(settings.data_dir)[0])
    finally:
        await database.close()


async def _migrate(url: str) -> None:
    if await current(url) != HEAD:
        from mymozhem.migrations import upgrade  # noqa: PLC0415  slow to import, for the first time

        await upgrade(url)


def _serve(settings: Settings, catalog: Catalog, listening: socket.socket, shown: "_Shown") -> int:
    config = Config(
        create_app(settings, catalog=catalog),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = Server(config)
    for number in (signal.SIGINT, signal.SIGTERM):
        # After a graceful stop, uvicorn sends itself the signal again; it is ignored here.
        signal.signal(number, lambda *_: None)
    threading.Thread(target=_end_with_starter, args=(server, shown), daemon=True).start()
    server.run(sockets=[listening])
    return 0 if server.started else 1


def _end_with_starter(server: Server, shown: "_Shown") -> None:
    while typed := os.read(_STDIN, 1024):
        if AGAIN in typed:
            shown.again()
    server.should_exit = True


class _Shown:
    """Prints calls; `again` prints the last one whole."""

    def __init__(self, code: Path, *, full: bool) -> None:
        self._code = code
        self._full = full
        self._last: tuple[RecordedCall, datetime] | None = None

    def tell(self, seen: RecordedCall) -> None:
        """Print a call."""
        self._last = seen, datetime.now().astimezone()
        self._print(*self._last, full=self._full)

    def again(self) -> None:
        """Print the last call again, with whole lists and texts."""
        if self._last is None:
            _say("   No hook was called yet.\n")
        else:
            self._print(*self._last, full=True)

    def _print(self, seen: RecordedCall, at: datetime, *, full: bool) -> None:
        try:
            _say(block(seen, code=self._code, at=at, full=full))
        except Exception:  # what an app returns may be anything
            logging.getLogger(__name__).exception("a call of %s cannot be shown", seen.hook)


def _say(text: str) -> None:
    sys.stdout.write(text)  # one write, because several processes share this output
    sys.stdout.flush()


def _configure_log(settings: Settings) -> None:
    """Print warnings to the terminal, except the app's own errors, which its block shows."""
    configure_logging(settings)
    for handler in logging.getLogger().handlers:
        handler.addFilter(lambda record: not _is_told(record))


def _is_told(record: logging.LogRecord) -> bool:
    return isinstance(record.msg, dict) and record.msg.get("code") == FailureKind.RAISED


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
