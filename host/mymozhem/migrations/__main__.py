"""Write the next migration: `python -m mymozhem.migrations "what changes"`."""

import asyncio
import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from mymozhem.config import sqlite_url
from mymozhem.db.engine import create_engine
from mymozhem.migrations import make_config, upgrade


async def write_revision(message: str) -> None:
    """Compare the models with a scratch database at the latest revision, and write what differs."""
    with tempfile.TemporaryDirectory() as folder:
        url = sqlite_url(Path(folder) / "scratch.sqlite3")
        await upgrade(url)
        engine = create_engine(url)
        try:
            async with engine.begin() as connection:
                await connection.run_sync(_autogenerate, message)
        finally:
            await engine.dispose()


def _autogenerate(connection: Connection, message: str) -> None:
    config = make_config(connection)
    count = len(list(ScriptDirectory.from_config(config).walk_revisions()))
    command.revision(config, message, autogenerate=True, rev_id=f"{count + 1:04d}")


if __name__ == "__main__":
    asyncio.run(write_revision(" ".join(sys.argv[1:]) or "changes"))
