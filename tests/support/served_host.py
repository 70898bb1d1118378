"""A host of a test, served on a port of this machine, for clients that are programs."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import uvicorn

from tests.support.api_host import ApiHost
from tests.support.timing import HANG_TIMEOUT


@asynccontextmanager
async def served(host: ApiHost) -> AsyncIterator[str]:
    """Serve a host, do what is due in it, and yield its address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        config = uvicorn.Config(host.app, lifespan="off", log_config=None, ws="none")
        server = uvicorn.Server(config)
        server.install_signal_handlers = lambda: None  # type: ignore[method-assign]  # the test's own
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        working = asyncio.create_task(_work(host))
        async with asyncio.timeout(HANG_TIMEOUT):
            while not server.started:  # noqa: ASYNC110 - uvicorn tells it no other way
                await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            working.cancel()
            with suppress(asyncio.CancelledError):
                await working
            server.should_exit = True
            await serving


async def _work(host: ApiHost) -> None:
    while True:
        await host.work()
        await asyncio.sleep(0.02)
