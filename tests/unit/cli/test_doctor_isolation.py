"""What `mymozhem doctor` says about the user that runs isolated apps."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from mymozhem.cli.doctor_isolation import isolation_findings
from mymozhem.config import Settings
from mymozhem.registry.isolated.os_user import shared_user
from mymozhem.registry.loaded_code import IsolatedCode
from tests.support.own_user import OWN_USER


def code_in(folder: Path, *, as_root: bool = False) -> IsolatedCode:
    manifest = SimpleNamespace(version="1.2.0")
    return IsolatedCode("lottery", manifest, "mymozhem-lottery", "1.2.0", "", folder, as_root)


def findings(tmp_path: Path, *, shared: str | None = None, as_root: bool = False, **given: object):
    settings = Settings(_env_file=None, data_dir=tmp_path, **given)
    return list(isolation_findings(settings, [code_in(tmp_path, as_root=as_root)], shared=shared))


def test_without_isolated_apps_there_is_nothing_to_say(tmp_path):
    settings = Settings(_env_file=None, data_dir=tmp_path)
    assert list(isolation_findings(settings, [], shared="ann")) == []


def test_a_host_that_cannot_switch_users_says_what_its_isolated_apps_could_read(tmp_path):
    [finding] = findings(tmp_path, shared="ann")
    assert (finding.level, finding.what) == ("warning", "isolation")
    assert finding.says.startswith("lottery 1.2.0 runs as ann, the user of the host")
    assert "MYMOZHEM_ISOLATED_USER" in (finding.do or "")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root switches users")
def test_a_missing_user_is_a_problem(tmp_path):
    [finding] = findings(tmp_path, isolated_user="nobody-of-this-name")
    assert finding.level == "problem"
    assert "there is no user nobody-of-this-name" in finding.says


@pytest.mark.skipif(os.geteuid() != 0, reason="only root switches users")
def test_an_app_that_may_run_as_root_is_a_warning(tmp_path):
    [finding] = findings(tmp_path, as_root=True)
    assert (finding.level, finding.says.partition(":")[0]) == (
        "warning",
        f"lottery 1.2.0 runs as {OWN_USER}",
    )


def test_only_root_can_separate_users():
    assert shared_user(0) is None
    assert shared_user(4_000_000) == "4000000"
