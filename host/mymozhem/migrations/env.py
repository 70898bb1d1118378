"""How Alembic meets the models: on a connection that the caller opened, inside its transaction."""

from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection

from mymozhem.db.all_tables import import_tables
from mymozhem.db.base import JsonDocument, UtcDateTime


def _render(kind: str, value: object, autogen: AutogenContext) -> str | Literal[False]:
    """Write our own column types by name, so that each engine keeps its own form of them."""
    if kind != "type" or not isinstance(value, (UtcDateTime, JsonDocument)):
        return False
    autogen.imports.add("from mymozhem.db import base")
    return f"base.{type(value).__name__}()"


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=import_tables(),
        render_as_batch=True,  # SQLite changes a table by building it anew
        compare_type=True,
        compare_server_default=True,
        render_item=_render,
    )
    with context.begin_transaction():
        context.run_migrations()


_run(context.config.attributes["connection"])
