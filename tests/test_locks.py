"""The lock files name everything that pip installs, so that no release of a package breaks that.

`requirements.lock` is what a checkout takes to run; `requirements-dev.lock` is that and the tools.
"""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from itertools import combinations
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PROJECTS = [ROOT, *(path.parent for path in sorted(ROOT.glob("plugins/*/pyproject.toml")))]
RUNNING, DEVELOPMENT = "requirements.lock", "requirements-dev.lock"
LOCKS = {RUNNING: "editable", DEVELOPMENT: "dev"}
"""Each lock file, with the dependency group that it holds beside the host's dependencies."""

_LINUX = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}
_MACOS = {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"}
ENVIRONMENTS = {
    f"{system['platform_system']} {python}": default_environment()
    | system
    | {"python_version": python, "python_full_version": f"{python}.0"}
    for system in (_LINUX, _MACOS)
    for python in ("3.11", "3.12", "3.13")
}


@dataclass(frozen=True)
class Key:
    """What pip 23.2 tells requirements apart by: it does not serve `foo` with `foo[x]`."""

    name: str
    extras: frozenset[str] = frozenset()

    @classmethod
    def of(cls, requirement: Requirement) -> "Key":
        return cls(canonicalize_name(requirement.name), frozenset(requirement.extras))

    def __str__(self) -> str:
        return f"{self.name}[{','.join(sorted(self.extras))}]" if self.extras else self.name


def entries(lock: str) -> dict[str, list[str]]:
    """Map each line that pins a package to the hashes below it."""
    _, *texts = re.split(r"^(?=\w)", (ROOT / lock).read_text(), flags=re.MULTILINE)
    return {
        text.split("\\\n")[0].strip(): re.findall(r"--hash=(sha256:[0-9a-f]{64})\b", text)
        for text in texts
    }


def pinned(lock: str, environment: dict[str, str]) -> dict[Key, str]:
    """Map what a lock file pins in an environment to the versions."""
    found = [r for r in map(Requirement, entries(lock)) if holds(r, environment)]
    versions = {Key.of(r): str(r.specifier).removeprefix("==") for r in found}
    assert len(versions) == len(found), "a package has one version in an environment"
    return versions


def holds(requirement: Requirement, environment: dict[str, str], extra: str = "") -> bool:
    marker = requirement.marker
    return marker is None or marker.evaluate(environment | {"extra": extra})


def pyproject(folder: Path = ROOT) -> dict:
    return tomllib.loads((folder / "pyproject.toml").read_text())


def group(name: str) -> list[str]:
    """Return the requirements of a dependency group, and of the groups that it includes."""
    found: list[str] = []
    for each in pyproject()["dependency-groups"][name]:
        found += [each] if isinstance(each, str) else group(each["include-group"])
    return found


def asked_for(lock: str) -> list[Requirement]:
    """Return what the project itself wants to find in a lock file."""
    builds = [each for folder in PROJECTS for each in pyproject(folder)["build-system"]["requires"]]
    own = pyproject()["project"]["dependencies"]
    return list(map(Requirement, own + builds + group(LOCKS[lock])))


def required(versions: dict[Key, str], environment: dict[str, str]) -> Iterator[Requirement]:
    """Yield what the pinned packages require. Leaves out a version that is not installed here."""
    for key, version in versions.items():
        for distribution in metadata.distributions(name=key.name):
            if distribution.version == version:
                wanted = map(Requirement, distribution.requires or ())
                extras = key.extras or {""}
                yield from (r for r in wanted if any(holds(r, environment, e) for e in extras))


def unmatched(wanted: Iterator[Requirement], versions: dict[Key, str]) -> list[str]:
    return [
        str(requirement)
        for requirement in wanted
        if not requirement.specifier.contains(versions.get(Key.of(requirement), "0"))
    ]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_index_and_no_address(lock):
    lines = (ROOT / lock).read_text().splitlines()
    assert [line for line in lines if re.search(r"^-|://|@ ", line)] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_one_version_of_each_package_by_hashes(lock):
    loose = re.compile(r"[\w.-]+(\[[\w.,-]+\])?==[\w.]+( ; .+)?")
    assert [line for line, hashes in entries(lock).items() if not hashes] == []
    assert [line for line in entries(lock) if not loose.fullmatch(line)] == []


@pytest.mark.parametrize("environment", ENVIRONMENTS.values(), ids=ENVIRONMENTS)
@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_what_the_project_asks_for(lock, environment):
    wanted = (r for r in asked_for(lock) if holds(r, environment))
    assert unmatched(wanted, pinned(lock, environment)) == []


@pytest.mark.parametrize("environment", ENVIRONMENTS.values(), ids=ENVIRONMENTS)
@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_what_its_packages_require_with_the_very_extras(lock, environment):
    versions = pinned(lock, environment)
    assert unmatched(required(versions, environment), versions) == []


@pytest.mark.parametrize("lock", LOCKS)
def test_the_locked_versions_are_installed_here(lock):
    """The test above reads the requirements of no other version."""
    versions = {key.name: version for key, version in pinned(lock, default_environment()).items()}
    assert {name: metadata.version(name) for name in versions} == versions


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_a_line_for_every_set_of_extras(lock):
    lines = {(Key.of(r), r.specifier, str(r.marker)) for r in map(Requirement, entries(lock))}
    missing = [
        f"{fewer}{version}"
        for key, version, marker in lines
        for count in range(len(key.extras))
        for some in combinations(key.extras, count)
        if ((fewer := Key(key.name, frozenset(some))), version, marker) not in lines
    ]
    assert missing == []


def test_a_renewed_lock_is_given_a_line_for_every_set_of_extras(tmp_path):
    lock = tmp_path / "requirements.lock"
    pin = "==2 ; os_name == 'nt' \\\n    --hash=sha256:f\n    # via bar\n"
    lock.write_text(
        f"bar==1 \\\n    --hash=sha256:b\nfoo[x,y]{pin}zoo==3 \\\n    --hash=sha256:z\n"
    )
    for _ in ("once", "again"):
        subprocess.run([sys.executable, ROOT / ".ci" / "spell_out_extras.py", lock], check=True)
        assert lock.read_text() == (
            "bar==1 \\\n    --hash=sha256:b\n"
            f"foo{pin}foo[x]{pin}foo[y]{pin}foo[x,y]{pin}"
            "zoo==3 \\\n    --hash=sha256:z\n"
        )


def test_what_runs_is_what_was_developed_with():
    assert entries(RUNNING).items() <= entries(DEVELOPMENT).items()


def test_running_takes_no_tools_for_development():
    tools = {Key.of(Requirement(each)).name for each in group("dev")}
    allowed = {Key.of(requirement).name for requirement in asked_for(RUNNING)}
    locked = {Key.of(Requirement(line)).name for line in entries(RUNNING)}
    assert locked & (tools - allowed) == set()
