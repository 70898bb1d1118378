"""Apps in any language are checked at their address; the projects of `app new --remote` pass."""

import asyncio
import json

import pytest

from mymozhem.contract.signing import new_secret
from mymozhem.devtools.check_remote import check_remote
from mymozhem.devtools.project_names import Names
from mymozhem.devtools.remote_plugin import RemoteApp
from mymozhem.devtools.report import Fitness
from mymozhem.devtools.scaffold import Language, write_project
from mymozhem.errors import Invalid
from tests.support.remote_project import running


@pytest.mark.parametrize("language", Language)
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
