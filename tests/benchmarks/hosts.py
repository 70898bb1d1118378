"""Hosts and servers for benchmarks: fresh databases, and real sockets."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import uvicorn
from quart import Quart

from mymozhem.db.all_tables import import_tables
from tests.support.databases import PostgresTemplate, SqliteTemplate, postgres_server

ENGINES = ("sqlite", "postgresql")


@contextmanager
def fresh_database(engine: str) -> Iterator[tuple[str, Path]]:
    """Hand out the address of a database with every table, and a folder beside it."""
    with TemporaryDirectory(prefix="mymozhem-bench-") as temporary:
        folder = Path(temporary)
        data = folder / "data"
        data.mkdir()
        if engine == "sqlite":
            with SqliteTemplate(folder, import_tables()).copy(data) as url:
                yield url, data
            return
        with postgres_server(folder / "pg") as server:
            template = PostgresTemplate(server, import_tables())
            try:
                with template.copy() as url:
                    yield url, data
            finally:
                template.close()


@asynccontextmanager
async def served(app: Quart) -> AsyncIterator[str]:
    """Serve an application that has started, as the host does, and hand out its address."""
    config = uvicorn.Config(
        app, port=0, lifespan="off", log_config=None, ws="none", http="httptools", access_log=False
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  uvicorn tells it no other way
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
