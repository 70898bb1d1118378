"""The process that holds the author's code: a host on an embedded database, with one app.

It is restarted after every change of the code, and ends with its parent process.
"""

import asyncio
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from uvicorn import Config, Server

from mymozhem.app import create_app
from mymozhem.clock import SystemClock
from mymozhem.config import Settings, sqlite_url
from mymozhem.contract.serving.app_functions import Plugin
from mymozhem.db.schema_revision import HEAD, current
from mymozhem.db.unit_of_work import Database
from mymozhem.demo.accounts import ensure_account, logins
from mymozhem.dispatch.outcome import FailureKind
from mymozhem.observability.logging import configure_logging
from mymozhem.registry import manifest_history
from mymozhem.registry.catalog import Catalog
from mymozhem.registry.loaded_code import AppCode, Refused
from mymozhem.registry.loader import load
from mymozhem.registry.manifest_history import VersionImmutable
from mymozhem.registry.publishing_rules import BumpTooSmall, VersionNotGreater
from mymozhem.testing.app_lookup import App

from .app_profile import AppProfile
from .app_source import AppSource
from .call_format import block
from .call_recorder import RecordedCall, recorded

NOT_LOADED = 3
_DATABASE = "dev.sqlite3"
_HERE = "127.0.0.1"
_STDIN = 0
_GRACE_SECONDS = 1


def main(named: str, folder: str, port: str) -> int:
    """Serve until a signal, or until the parent closes standard input.

    `named` is an `AppSource` as JSON. Returns the exit status.
    """
    said = json.loads(named)
    paths = {name: Path(said[name]) for name in ("code", "search", "project") if name in said}
    source = AppSource(**(said | paths))
    settings = settings_of(Path(folder), int(port))
    _configure_log(settings)
    if source.search is not None:
        sys.path.insert(0, str(source.search))
    code = load(source.discovered)
    if isinstance(code, Refused):
        for reason in code.reasons:
            _say(f"   It cannot be loaded: {reason}\n")
        return NOT_LOADED
    asyncio.run(_prepare(code, settings))
    (plugin,) = code.plugin_manager.get_plugins()
    AppProfile.of(App(code.app_id, plugin, Plugin(plugin).functions, code.manifest.document)).write(
        settings.data_dir
    )
    return _serve(settings, Catalog([recorded(code, _teller(source.code))], ()))


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
        await ensure_account(database, logins(settings.data_dir)[0])
    finally:
        await database.close()


async def _migrate(url: str) -> None:
    if await current(url) != HEAD:
        from mymozhem.migrations import upgrade  # noqa: PLC0415  slow to import, for the first time

        await upgrade(url)


def _serve(settings: Settings, catalog: Catalog) -> int:
    config = Config(
        create_app(settings, catalog=catalog),
        host=settings.host,
        port=settings.port,
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
    threading.Thread(target=_end_with_starter, args=(server,), daemon=True).start()
    server.run()
    return 0 if server.started else 1


def _end_with_starter(server: Server) -> None:
    while os.read(_STDIN, 1024):
        pass
    server.should_exit = True


def _teller(code: Path) -> Callable[[RecordedCall], None]:
    def tell(seen: RecordedCall) -> None:
        try:
            _say(block(seen, code=code, at=datetime.now().astimezone()))
        except Exception:  # what an app returns may be anything
            logging.getLogger(__name__).exception("a call of %s cannot be shown", seen.hook)

    return tell


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
