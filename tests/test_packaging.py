"""What a stranger installs is what the checkout holds."""

import hashlib
import json
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from importlib.resources.abc import Traversable
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from mymozhem.resources import resource_root

ROOT = Path(__file__).resolve().parent.parent
PROJECTS = {
    "mymozhem": ROOT,
    "mymozhem-lottery": ROOT / "plugins" / "lottery",
    "mymozhem-quiz": ROOT / "plugins" / "quiz",
}
PACKAGES = {
    "mymozhem": ROOT / "host" / "mymozhem",
    "mymozhem-lottery": ROOT / "plugins" / "lottery" / "src" / "mymozhem_lottery",
    "mymozhem-quiz": ROOT / "plugins" / "quiz" / "src" / "mymozhem_quiz",
}
APPS = [name for name in PROJECTS if name != "mymozhem"]


def project(name: str) -> dict:
    return tomllib.loads((PROJECTS[name] / "pyproject.toml").read_text())["project"]


def output(command: list[str], *, within: Path) -> str:
    """Run a command and return what it printed; fail the test with all of that if it fails."""
    run = subprocess.run(command, cwd=within, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """Build each source distribution and the wheel from it; unpack the wheels as pip would."""
    built, site = tmp_path_factory.mktemp("built"), tmp_path_factory.mktemp("site")
    builder = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(built)]
    for folder in PROJECTS.values():
        output([*builder, str(folder)], within=ROOT)
    for wheel in built.glob("*.whl"):
        zipfile.ZipFile(wheel).extractall(site)
    return site


@pytest.fixture(scope="module")
def installed(site) -> dict[str, metadata.Distribution]:
    return {found.metadata["Name"]: found for found in metadata.distributions(path=[str(site)])}


def digests(folder: Traversable, prefix: str = "") -> dict[str, str]:
    """Map each file's path below a folder to the digest of its bytes."""
    found: dict[str, str] = {}
    for entry in folder.iterdir():
        path = f"{prefix}{entry.name}"
        if entry.is_dir():
            found |= digests(entry, f"{path}/")
        elif not path.endswith(".pyc"):
            found[path] = hashlib.sha256(entry.read_bytes()).hexdigest()
    return found


@pytest.mark.parametrize("name", PROJECTS)
def test_a_wheel_holds_every_file_of_its_package(site, name):
    package = PACKAGES[name]
    wanted = digests(package)
    assert "py.typed" in wanted
    assert wanted.items() <= digests(site / package.name).items()


def test_a_wheel_finds_the_manifests_that_a_checkout_finds(site):
    program = "from mymozhem.resources import resource_root; print(resource_root())"
    command = [sys.executable, "-c", program]
    packaged = Path(output(command, within=site).strip())
    assert packaged == site / "mymozhem" / "_manifests"
    assert digests(packaged) == digests(resource_root())


def test_a_wheel_holds_the_schema_of_manifests(site):
    assert (site / "mymozhem" / "_manifests" / "v1" / "manifest.schema.json").is_file()


def test_an_editable_install_reads_the_manifests_of_its_checkout():
    assert resource_root() == ROOT / "manifests"


@pytest.mark.parametrize("name", PROJECTS)
def test_wheel_and_environment_carry_the_version_of_the_project(installed, name):
    version = project(name)["version"]
    assert (installed[name].version, metadata.version(name)) == (version, version)


@pytest.mark.parametrize("name", APPS)
def test_an_app_declares_the_version_of_its_distribution(name):
    manifest = json.loads((PACKAGES[name] / "manifest.json").read_text())
    assert manifest["meta"]["version"] == project(name)["version"]


@pytest.mark.parametrize("name", APPS)
def test_an_app_accepts_the_host_beside_it(installed, name):
    (host,) = [r for r in map(Requirement, installed[name].requires) if r.name == "mymozhem"]
    assert host.specifier.contains(project("mymozhem")["version"])


@pytest.mark.parametrize("name", APPS)
def test_an_app_is_discovered_by_its_entry_point(installed, name):
    entries = installed[name].entry_points.select(group="mymozhem.apps")
    here = metadata.entry_points(group="mymozhem.apps")
    assert entries.names == {name.removeprefix("mymozhem-")}
    assert entries.names <= here.names


def test_the_host_brings_its_command(installed):
    commands = installed["mymozhem"].entry_points.select(group="console_scripts")
    assert {command.name: command.value for command in commands} == {
        "mymozhem": "mymozhem.cli:main"
    }
