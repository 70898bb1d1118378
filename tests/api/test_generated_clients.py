"""Clients in TypeScript and Python are generated from the description, and play an evening.

The generators are in the folder that MYMOZHEM_TEST_GENERATORS names, as `.ci/run` installs them:
npm's packages of `tests/clients/package.json`, and in `venv` pip's of `requirements.txt`. Without
them the tests are skipped, and with MYMOZHEM_TEST_STRICT=1 they fail.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from mymozhem.api.openapi import openapi_document
from tests.support.api_host import PASSWORD, ApiHost
from tests.support.node_app import NODE
from tests.support.served_host import served
from tests.support.timing import HANG_TIMEOUT

CLIENTS = Path(__file__).parents[1] / "clients"
FOLDER = Path(os.environ.get("MYMOZHEM_TEST_GENERATORS", "generators are not installed"))
MODULES = FOLDER / "node_modules"
PYTHON = FOLDER / "venv/bin/python"

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


def require_generator(*files: Path) -> None:
    missing = [str(each) for each in files if not each.exists()]
    if missing or NODE is None:
        strict = os.environ.get("MYMOZHEM_TEST_STRICT") == "1"
        (pytest.fail if strict else pytest.skip)(f"no generator of clients: {missing or 'no Node'}")


@pytest.fixture
async def address(host: ApiHost) -> AsyncIterator[str]:
    """The address of a host with two accounts, which draws as soon as a draw is due."""
    await host.person("ada@example.com")
    async with served(host) as url:
        yield url


def described(host: ApiHost, folder: Path) -> Path:
    path = folder / "openapi.json"
    path.write_bytes(orjson.dumps(openapi_document(host.app)))
    return path


async def run(*command: str | Path, cwd: Path, address: str = "", python_path: str = "") -> str:
    """Run a command to its end, and return what it wrote; it has to succeed."""
    tools = f"{PYTHON.parent}:{os.environ['PATH']}"
    env = {"PATH": tools, "HOST_URL": address, "PASSWORD": PASSWORD, "PYTHONPATH": python_path}
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(HANG_TIMEOUT):
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


async def test_a_typescript_client_compiles_and_plays(host: ApiHost, address: str, tmp_path: Path):
    require_generator(MODULES)
    for name in ("evening.ts", "tsconfig.json", "package.json"):
        shutil.copy(CLIENTS / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(MODULES.resolve())
    tools = MODULES.resolve() / ".bin"
    document = described(host, tmp_path)
    await run(tools / "openapi-typescript", document, "-o", "api.d.ts", cwd=tmp_path)
    await run(tools / "tsc", cwd=tmp_path)
    said = await run(str(NODE), "built/evening.js", cwd=tmp_path, address=address)
    assert "was played and deleted" in said


async def test_a_python_client_compiles_and_plays(host: ApiHost, address: str, tmp_path: Path):
    require_generator(PYTHON)
    document, client = described(host, tmp_path), tmp_path / "evening_client"
    generator = PYTHON.with_name("openapi-python-client")
    options = ("--path", document, "--output-path", client, "--meta", "none")
    said = await run(generator, "generate", *options, cwd=tmp_path)
    skipped = {line.split("parsing ")[1] for line in said.splitlines() if "parsing " in line}
    assert skipped <= NO_JSON, said
    await run(PYTHON, "-m", "compileall", "-q", client, cwd=tmp_path)
    said = await run(
        PYTHON, CLIENTS / "evening.py", cwd=tmp_path, address=address, python_path=str(tmp_path)
    )
    assert "was played and deleted" in said


#: what this generator leaves out: it knows no images, no lines of JSON, and no uploads beside JSON
NO_JSON = {
    "GET /api/v1/rooms/{id}/qr.svg within rooms.",
    "GET /api/v1/rooms/{id}/export within rooms.",
    "POST /api/v1/rooms/{id}/import/{setting} within rooms.",
    "POST /api/v1/rooms/{id}/participants/import within participants.",
}
