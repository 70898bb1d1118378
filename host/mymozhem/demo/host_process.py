"""A real host as a child process, with a separate data folder and port."""

import asyncio
import os
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp

from mymozhem.config import Settings
from mymozhem.contract.demo import DemoFailed

LOOPBACK = "127.0.0.1"
#: ends a demo whose host hangs; a busy machine needs much less
START_SECONDS = 120
STOP_SECONDS = 15
_LOOK_AGAIN = 0.05


@asynccontextmanager
async def running_host(settings: Settings, *, log: Path) -> AsyncIterator[str]:
    """Start a host, yield its address once it is ready, and stop it gracefully afterwards.

    Its output goes to the file `log`. Raises DemoFailed if it does not start.
    """
    port = free_port()
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "mymozhem", "serve"),
            env=environment(settings, port=port),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        address = f"http://{LOOPBACK}:{port}"
        await _until_ready(process, address)
        yield address
    finally:
        await _end(process)


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port


def environment(settings: Settings, *, port: int) -> dict[str, str]:
    """Return the environment of a child, without this process's settings of a host."""
    own: Mapping[str, str] = {
        "MYMOZHEM_HOST": LOOPBACK,
        "MYMOZHEM_PORT": str(port),
        "MYMOZHEM_DATA_DIR": str(settings.data_dir),
        "MYMOZHEM_ENABLE_APPS": ",".join(settings.enable_apps),
        "MYMOZHEM_ENVIRONMENT": settings.environment,
        "MYMOZHEM_LOG_LEVEL": settings.log_level,
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MYMOZHEM_")}
    return kept | dict(own)


async def _until_ready(process: Process, address: str) -> None:
    try:
        async with asyncio.timeout(START_SECONDS), aiohttp.ClientSession() as client:
            while not await _is_ready(client, address):
                if process.returncode is not None:
                    raise DemoFailed(f"The host ended while it started ({process.returncode}).")
                await asyncio.sleep(_LOOK_AGAIN)
    except TimeoutError as error:
        raise DemoFailed(f"The host was not ready within {START_SECONDS} seconds.") from error


async def _is_ready(client: aiohttp.ClientSession, address: str) -> bool:
    try:
        async with client.get(f"{address}/health/ready") as answer:
            return answer.ok
    except aiohttp.ClientError:
        return False


async def _end(process: Process) -> None:
    """Terminate the child, kill it if it does not end, and wait for it."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
