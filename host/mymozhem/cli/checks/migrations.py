"""Checks of the migrations: one line without branches, up to the models and down to nothing."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect

from mymozhem.config import sqlite_url
from mymozhem.migrations import check_drift, current, downgrade, head, make_config, upgrade

from . import Check, holds, same


def check_migrations() -> Iterator[Check]:
    """Upgrade a temporary SQLite file, downgrade it, and upgrade it again."""
    scripts = ScriptDirectory.from_config(make_config())
    yield same("migrations: one line without branches", len(scripts.get_heads()), 1)
    for script in scripts.walk_revisions():
        both = hasattr(script.module, "upgrade") and hasattr(script.module, "downgrade")
        yield holds(f"migration {script.revision}: leads up and down", both, "a way is missing")
    with tempfile.TemporaryDirectory(prefix="mymozhem-check-") as folder:
        yield from _moves(Path(folder) / "check.sqlite3")


def _moves(file: Path) -> Iterator[Check]:
    url = sqlite_url(file)
    asyncio.run(upgrade(url))
    yield same("migrations: up leads to the newest", asyncio.run(current(url)), head())
    yield same("migrations: the newest is what the models say", asyncio.run(check_drift(url)), [])
    asyncio.run(downgrade(url))
    yield same("migrations: down leads to nothing", _tables(file), {"alembic_version"})
    asyncio.run(upgrade(url))
    yield same("migrations: up again leads to the models", asyncio.run(check_drift(url)), [])


def _tables(file: Path) -> set[str]:
    engine = create_engine(sqlite_url(file))
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()
