"""The wheel of the documentation, run by Node on this machine."""

import asyncio
import shutil
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path

import aiohttp
import orjson
import pytest

from mymozhem.contract.signing import SharedKey, parse_key, sign
from tests.support.timing import HANG_TIMEOUT

FOLDER = Path(__file__).parents[2] / "docs/examples/wheel"
NODE = shutil.which("node")

needs_node = pytest.mark.skipif(NODE is None, reason="Node is not installed")


@asynccontextmanager
async def wheel(secret: str, port: int = 0) -> AsyncIterator[str]:
    """Run the wheel and return its address; without a port, on any."""
    assert NODE is not None
    process = await asyncio.create_subprocess_exec(
        NODE,
        str(FOLDER / "server.mjs"),
        str(port),
        env={"APP_SECRET": secret},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), HANG_TIMEOUT)
        yield line.decode().rsplit(" ", 1)[1].strip()
    finally:
        process.terminate()
        await process.wait()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def signed(secret: str, call_id: str, body: bytes, *, at: float | None = None) -> dict[str, str]:
    """Return the headers of a call."""
    key = parse_key(secret)
    assert isinstance(key, SharedKey)
    timestamp = int(time.time() if at is None else at)
    return {
        "content-type": "application/json",
        "webhook-id": call_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign([key], message_id=call_id, timestamp=timestamp, body=body),
    }


async def post(url: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/hooks", data=BytesIO(body), headers=headers) as response,
    ):
        return response.status, await response.read()


def question(call_id: str, hook: str, request: object, **context: object) -> bytes:
    told = {"contract": "1.0", "lock": "a" * 64, "room": {"settings": {}}, **context}
    return orjson.dumps(
        {"id": call_id, "hook": hook, "contract": "1.0", "context": told, "request": request}
    )
