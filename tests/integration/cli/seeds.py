"""What `mymozhem seed` makes of the lottery, made once and planted into many databases."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import Table, insert, select

from mymozhem.auth.keys import KEY_FILE
from mymozhem.cli import cli
from mymozhem.db.all_tables import import_tables
from mymozhem.db.engine import create_engine
from tests.support.databases import mark_as_migrated, run


@dataclass(frozen=True)
class Seeds:
    """The rows of every table, the keys that sealed them, and the rooms by their status."""

    rows: dict[Table, list[dict[str, Any]]]
    keys: bytes
    rooms: dict[str, str]

    def plant(self, url: str, data_dir: Path) -> None:
        """Write everything into a database with every table, and the keys beside it."""
        run(self._write(url))
        data_dir.mkdir(mode=0o700)
        (data_dir / KEY_FILE).touch(mode=0o600)
        (data_dir / KEY_FILE).write_bytes(self.keys)

    async def _write(self, url: str) -> None:
        await mark_as_migrated(url)
        engine = create_engine(url)
        try:
            async with engine.begin() as connection:
                for table, rows in self.rows.items():
                    await connection.execute(insert(table), rows)
        finally:
            await engine.dispose()


def grow(folder: Path) -> Seeds:
    """Have the command fill a database of its own."""
    url = f"sqlite:///{folder / 'seeds.sqlite3'}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MYMOZHEM_DATABASE_URL", url)
        patch.setenv("MYMOZHEM_DATA_DIR", str(folder / "data"))
        patch.setenv("MYMOZHEM_ENABLE_APPS", "lottery")
        seeded = CliRunner().invoke(cli, ["seed", "--format", "json"])
    assert seeded.exit_code == 0, seeded.output
    rooms = {room["status"]: room["id"] for room in json.loads(seeded.stdout)}
    return Seeds(run(_read(url)), (folder / "data" / KEY_FILE).read_bytes(), rooms)


async def _read(url: str) -> dict[Table, list[dict[str, Any]]]:
    engine = create_engine(url)
    try:
        async with engine.connect() as connection:
            found = {
                table: [dict(row) for row in (await connection.execute(select(table))).mappings()]
                for table in import_tables().sorted_tables
            }
    finally:
        await engine.dispose()
    return {table: rows for table, rows in found.items() if rows}
