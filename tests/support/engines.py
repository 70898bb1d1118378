"""What makes engines cheaper in tests, and changes nothing that a test can see.

- SQLAlchemy caches compiled statements per dialect object, and each engine makes one of its own. A
  test makes two engines, so it compiled every statement again, which took a third of its time.
- SQLite waits for the disk at each commit. Only a machine that loses power could tell the
  difference; a killed process loses nothing.
"""

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import Dialect
from sqlalchemy.util import LRUCache

STATEMENTS = 2_000


class Thrift:
    """The savings; `waits_for_disk` gives up the one about SQLite."""

    def __init__(self) -> None:
        self.waits_for_disk = False
        self._dialects: dict[object, Dialect] = {}
        self._statements: LRUCache = LRUCache(STATEMENTS)

    def install(self) -> None:
        """Apply to every engine of this process."""
        # Not when an engine is made: a dialect learns from a connection what its server can do.
        event.listen(Engine, "engine_connect", self._connected)

    def _connected(self, connection: Connection) -> None:
        engine = connection.engine
        shared = self._dialects.setdefault(_kind(engine.dialect), engine.dialect)
        connection.dialect = engine.dialect = shared
        engine._compiled_cache = self._statements  # noqa: SLF001 - no option takes a cache
        if shared.name == "sqlite" and not self.waits_for_disk:
            _stop_waiting(connection)


def _kind(dialect: Dialect) -> object:
    """Return what two dialects must have in common to be exchangeable."""
    options = ("_on_connect_isolation_level", "_json_serializer", "_json_deserializer")
    return (type(dialect), *(getattr(dialect, option, None) for option in options))


def _stop_waiting(connection: Connection) -> None:
    if connection.info.setdefault("synchronous", "FULL") == "FULL":
        cursor = connection.connection.cursor()
        cursor.execute("PRAGMA synchronous = OFF")
        cursor.close()
        connection.info["synchronous"] = "OFF"


THRIFT = Thrift()
