"""Apps in any language are checked at their address; the projects of `app new --remote` pass."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mymozhem.contract.signing import new_secret
from mymozhem.devtools.check_remote import check_remote
from mymozhem.devtools.project_names import Names
from mymozhem.devtools.remote_plugin import RemoteApp
from mymozhem.devtools.report import Fitness
from mymozhem.devtools.scaffold import Language, write_project
from mymozhem.errors import Invalid
from tests.support.node_app import free_port
from tests.support.timing import HANG_TIMEOUT


def _node() -> str | None:
    """Return a Node that runs TypeScript by itself; None if there is none."""
    node = shutil.which("node")
    if node is None:
        return None
    asked = [node, "-p", "Boolean(process.features.typescript)"]
    said = subprocess.run(asked, capture_output=True, text=True, check=False)
    return node if said.stdout.strip() == "true" else None


NODE = _node()
PROGRAMS = {Language.PYTHON: (sys.executable, "app.py"), Language.TYPESCRIPT: (NODE, "app.ts")}


@asynccontextmanager
async def running(folder: Path, language: Language, secret: str) -> AsyncIterator[str]:
    """Run a remote project and yield its address."""
    program, file = PROGRAMS[language]
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        str(program), file,
        cwd=folder,
        env={**os.environ, "MYMOZHEM_APP_SECRET": secret, "PORT": str(port)},
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        await asyncio.wait_for(process.stdout.readline(), HANG_TIMEOUT)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.parametrize(
    "language",
    [
        Language.PYTHON,
        pytest.param(
            Language.TYPESCRIPT,
            marks=pytest.mark.skipif(NODE is None, reason="no Node that runs TypeScript"),
        ),
    ],
)
async def test_a_new_remote_project_is_complete(tmp_path, language):
    folder, secret = tmp_path / "project", new_secret()
    write_project(Names.of("show-of-hands"), folder, remote=language)
    async with running(folder, language, secret) as url:
        remote = RemoteApp(url, secret, folder / "manifest.json")
        verdict = await asyncio.to_thread(check_remote, remote, strict=True)
        stranger = RemoteApp(url, new_secret(), folder / "manifest.json")
        refused = await asyncio.to_thread(check_remote, stranger)
    assert verdict.fitness is Fitness.COMPLETE, verdict.as_text()
    assert verdict.fit
    assert not refused.fit
    assert "with the status 401: it does not accept the signature" in refused.as_text()


async def test_a_service_that_breaks_a_rule_is_not_fit(tmp_path):
    folder, secret = tmp_path / "project", new_secret()
    write_project(Names.of("show-of-hands"), folder, remote=Language.PYTHON)
    program = folder / "app.py"
    text = program.read_text(encoding="utf-8")
    broken = text.replace("abs(time.time() - int(sent)) > TOLERANCE_SECONDS", "False")
    assert broken != text
    program.write_text(broken, encoding="utf-8")
    async with running(folder, Language.PYTHON, secret) as url:
        remote = RemoteApp(url, secret, folder / "manifest.json")
        verdict = await asyncio.to_thread(check_remote, remote)
    assert verdict.fitness is Fitness.BROKEN
    (wrong,) = (each for each in verdict.findings if each.level == "problem")
    assert "old" in wrong.problems[0]


def test_a_manifest_that_is_not_valid_is_a_sentence(tmp_path):
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps({"meta": {}}))
    with pytest.raises(Invalid, match="is not valid"):
        RemoteApp("http://127.0.0.1:1", new_secret(), file).manifest()
