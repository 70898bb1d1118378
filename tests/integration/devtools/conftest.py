"""A new app's project, made by the command, and the command itself."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mymozhem.devtools.project_names import Names
from mymozhem.devtools.scaffold import write_project
from tests.support.timing import HANG_TIMEOUT

COMMAND = [sys.executable, "-m", "mymozhem", "app"]

Call = Callable[..., subprocess.CompletedProcess[str]]


def clean_environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MYMOZHEM_")}
    return kept | more


@pytest.fixture(scope="session")
def call() -> Call:
    """Call `mymozhem app …`; return what came of it."""

    def call(*arguments: str, within: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments], cwd=within, env=clean_environment(), text=True,
            capture_output=True, timeout=HANG_TIMEOUT, check=False,
        )  # fmt: skip

    return call


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project as `mymozhem app new` makes it, nowhere installed."""
    folder = tmp_path / "bell-ringing"
    write_project(Names.of("bell-ringing"), folder)
    return folder
