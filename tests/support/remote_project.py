"""Runs the projects of `app new --remote`, in Python and in TypeScript.

TypeScript is compiled by the compiler in the folder that MYMOZHEM_TEST_GENERATORS names, as
`.ci/run` installs it. Without it, a Node that runs TypeScript by itself does. Without that either,
the test is skipped, and with MYMOZHEM_TEST_STRICT=1 it fails.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mymozhem.devtools.scaffold import Language
from tests.support.node_app import NODE, free_port
from tests.support.timing import HANG_TIMEOUT

MODULES = (
    Path(os.environ.get("MYMOZHEM_TEST_GENERATORS", "generators are not installed"))
    / "node_modules"
)


@asynccontextmanager
async def running(folder: Path, language: Language, secret: str) -> AsyncIterator[str]:
    """Run a remote project and yield its address."""
    command = await _command(folder, language)
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={**os.environ, "MYMOZHEM_APP_SECRET": secret, "PORT": str(port)},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        await asyncio.wait_for(process.stdout.readline(), HANG_TIMEOUT)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def _command(folder: Path, language: Language) -> tuple[str, ...]:
    """Return the command that runs a project; TypeScript is compiled, if a compiler is there."""
    if language is Language.PYTHON:
        return sys.executable, "app.py"
    if NODE is not None and MODULES.exists():
        (folder / "node_modules").symlink_to(MODULES.resolve())
        await _output("node_modules/.bin/tsc", *_OPTIONS, cwd=folder)
        return NODE, "app.js"
    if NODE is not None and await _output(NODE, "-p", _RUNS_TYPESCRIPT) == "true":
        return NODE, "app.ts"
    missing = "neither a TypeScript compiler nor a Node that runs TypeScript"
    if os.environ.get("MYMOZHEM_TEST_STRICT") == "1":
        pytest.fail(missing)
    pytest.skip(missing)


_RUNS_TYPESCRIPT = "Boolean(process.features.typescript)"
_OPTIONS = ("app.ts", "--strict", "--module", "nodenext", "--target", "es2022")


async def _output(*command: str, cwd: Path | None = None) -> str:
    """Run a command to its end and return what it wrote; it has to succeed."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(HANG_TIMEOUT):
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode().strip()
