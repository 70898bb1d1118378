"""Engines in tests: cheaper, and with longer lock timeouts. What they do stays the same.

- SQLAlchemy caches compiled statements per dialect object, and each engine makes its own dialect.
  Each test makes two engines, so it compiled every statement again: a third of its time.
- SQLite waits for the disk at each commit. Only a power cut could tell the difference; a killed
  process loses nothing.
- PostgreSQL measures its lock timeouts in real time, which passes while the machine is busy.
"""

from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import Dialect
from sqlalchemy.util import LRUCache

from tests.support.timing import HANG_TIMEOUT

STATEMENTS = 2_000


#: timeouts that PostgreSQL measures itself
TIMEOUTS = ("lock_timeout", "idle_in_transaction_session_timeout")


class EngineTuning:
    """Changes to every engine; SQLite waits for the disk if `waits_for_disk` is set."""

    def __init__(self) -> None:
        self.waits_for_disk = False
        self._dialects: dict[object, Dialect] = {}
        self._statements: LRUCache = LRUCache(STATEMENTS)

    def install(self) -> None:
        """Apply to every engine of this process."""
        # Not when an engine is created: a dialect reads the server's features from a connection.
        event.listen(Engine, "engine_connect", self._connected)
        event.listen(Engine, "do_connect", _lengthen_timeouts)

    def _connected(self, connection: Connection) -> None:
        engine = connection.engine
        shared = self._dialects.setdefault(_kind(engine.dialect), engine.dialect)
        connection.dialect = engine.dialect = shared
        engine._compiled_cache = self._statements  # noqa: SLF001 - no option takes a cache
        if shared.name == "sqlite" and not self.waits_for_disk:
            _do_not_wait_for_disk(connection)


def _kind(dialect: Dialect) -> object:
    """Return what two dialects must have in common to be exchangeable."""
    options = ("_on_connect_isolation_level", "_json_serializer", "_json_deserializer")
    return (type(dialect), *(getattr(dialect, option, None) for option in options))


def _lengthen_timeouts(
    _dialect: Dialect, _record: object, _arguments: object, options: dict[str, Any]
) -> None:
    settings = options.get("server_settings", {})
    settings.update({name: f"{HANG_TIMEOUT:.0f}s" for name in TIMEOUTS if name in settings})


def _do_not_wait_for_disk(connection: Connection) -> None:
    if connection.info.setdefault("synchronous", "FULL") == "FULL":
        cursor = connection.connection.cursor()
        cursor.execute("PRAGMA synchronous = OFF")
        cursor.close()
        connection.info["synchronous"] = "OFF"


ENGINE_TUNING = EngineTuning()
