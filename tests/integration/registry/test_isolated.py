"""Code in environments of its own, built for real: pip, venv, wheels, no index."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import distribution
from pathlib import Path

import pytest

from mymozhem.config import Settings
from mymozhem.errors import NotFound
from mymozhem.registry.isolated import environments
from mymozhem.registry.isolated.build import describe
from mymozhem.registry.isolated.environments import Environments
from mymozhem.registry.isolated.install import InstallFailed, Pinned, install, remove
from mymozhem.registry.isolated.os_user import OsUser
from mymozhem.registry.isolated.wheels import read_wheel
from mymozhem.registry.loaded_code import IsolatedCode, Refused
from tests.support.own_user import OWN_USER
from tests.support.wheels import app_source, write_app, write_project, write_wheel

RELEASES = Path(__file__).resolve().parents[2] / "releases"
PINNED = "acme-counter==1.0.0"


@pytest.fixture(autouse=True)
def _no_index(monkeypatch):
    for name in [name for name in os.environ if name.startswith(("PIP_", "PYTHONPATH"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_NO_DEPS", "1")  # else pip reads what all of the host's packages need


@pytest.fixture
def dependencies(monkeypatch):
    """Let pip resolve what an app requires."""
    monkeypatch.delenv("PIP_NO_DEPS")


@pytest.fixture
def settings(tmp_path):
    return Settings(_env_file=None, data_dir=tmp_path / "data", isolated_start_seconds=4)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder with one environment, to be copied."""
    folder = tmp_path_factory.mktemp("built")
    settings = Settings(_env_file=None, data_dir=folder / "data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_NO_DEPS", "1")
        install(str(write_app(folder)), settings)
    return settings.isolated_dir


@pytest.fixture
def counter(built, settings):
    """An environment of the app `counter` 1.0.0 in the test's own data folder."""
    shutil.copytree(built, settings.isolated_dir, symlinks=True)
    (code,) = everything(settings).codes
    return code


@pytest.fixture
def quick_build(built, monkeypatch):
    """Copy an environment and unpack the wheel into it, instead of what pip would do."""
    (environment,) = environments.folders(built)

    def build(wheel, folder, user):
        (folder / "tmp").mkdir()
        shutil.copytree(environment / "venv", folder / "venv", symlinks=True)
        packages = environments.site_packages(folder)
        for each in packages.glob("acme_counter*"):
            shutil.rmtree(each) if each.is_dir() else each.unlink()
        shutil.unpack_archive(wheel.path, packages, "zip")

    monkeypatch.setattr("mymozhem.registry.isolated.build.build", build)


@pytest.fixture
def installed_build_tool(monkeypatch):
    """Let pip build projects with the tests' own build tool at once."""
    monkeypatch.setenv("PIP_NO_BUILD_ISOLATION", "0")  # the word of pip for: without isolation


def everything(settings):
    return Environments(settings.isolated_dir).read()


def inside(code, program):
    """Run a program in the interpreter of an environment; return what it printed."""
    python = environments.interpreter(code.folder)
    command = [python, "-I", "-c", program]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, env={}
    ).stdout.strip()


def installed_files(name):
    return {each: each.locate().read_bytes() for each in distribution(name).files}


def leftovers(settings):
    """Return what is in the folder beside environments and the lock."""
    kept = {folder.name for folder in environments.folders(settings.isolated_dir)} | {".lock"}
    return {each.name for each in settings.isolated_dir.iterdir()} - kept


# ---------------------------------------------------------------------------------- side by side


def test_two_versions_stand_side_by_side_each_with_its_own_code(settings, tmp_path, counter):
    old = counter
    new = install(str(write_app(tmp_path, "2.0.0", serves=">=1.5,<3")), settings)
    assert [each.name for each in everything(settings).codes] == [old.name, new.name]
    assert [old.manifest.version, new.manifest.version] == ["1.0.0", "2.0.0"]
    assert (old.serves("1.0.0"), old.serves("1.5.0")) == (True, False)
    assert (new.serves("1.0.0"), new.serves("1.5.0")) == (False, True)
    program = "import acme_counter; print(acme_counter.app_manifest()['meta']['version'])"
    assert [inside(old, program), inside(new, program)] == ["1.0.0", "2.0.0"]
    assert "acme_counter" not in sys.modules


@pytest.mark.usefixtures("dependencies")
@pytest.mark.parametrize("app_id", ["lottery", "quiz"])
def test_a_release_of_old_is_itself_whatever_the_host_has(settings, app_id):
    name = f"mymozhem-{app_id}"
    before = installed_files(name)
    (wheel,) = RELEASES.glob(f"mymozhem_{app_id}-1.0.0-*.whl")
    code = install(str(wheel), settings)
    assert (code.app_id, code.distribution, code.manifest.version) == (app_id, name, "1.0.0")
    program = (
        "from mymozhem.registry import discovery; from importlib import import_module; "
        f"found = discovery.by_id(discovery.discover())[{app_id!r}]; "
        f"print(len(found), found[0].version, import_module('mymozhem_{app_id}').__file__)"
    )
    many, version, where = inside(code, program).split()
    assert (many, version) == ("1", "1.0.0")
    assert Path(where).is_relative_to(environments.site_packages(code.folder))
    assert before == installed_files(name)


# ------------------------------------------------------------------------------- where it is from


@pytest.fixture(params=["folder", "index"])
def links(request, tmp_path, monkeypatch):
    """A place that pip is told to look in: a folder of wheels, or an index."""
    folder = tmp_path / "simple" / "acme-counter"
    folder.mkdir(parents=True)
    if request.param == "folder":
        monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
        yield folder
        return
    handler = partial(QuietHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, ThreadPoolExecutor() as pool:
        pool.submit(server.serve_forever, 0.05)
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple/")
        yield folder
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def test_a_version_comes_from_where_pip_is_told_to_look(settings, links):
    write_app(links, "1.0.0")
    write_app(links, "1.1.0")
    code = install("Acme_Counter==1.0.0", settings)
    assert (code.distribution_version, code.manifest.version) == ("1.0.0", "1.0.0")
    assert code.name == f"acme-counter-1.0.0-{code.wheel_digest[:12]}"
    with pytest.raises(InstallFailed, match="No matching distribution found for acme-counter"):
        install("acme-counter==3.0.0", settings)
    assert leftovers(settings) == set()


def test_what_the_system_refuses_is_an_error_in_a_sentence(tmp_path, settings):
    settings.data_dir.mkdir()
    settings.isolated_dir.write_text("a file, not a folder")
    with pytest.raises(InstallFailed, match=r"acme-counter==1\.0\.0 could not be installed"):
        install(PINNED, settings)


@pytest.mark.parametrize("what", ["a version", "a wheel"])
def test_a_host_without_pip_is_told_how_to_have_it(settings, tmp_path, monkeypatch, what):
    monkeypatch.setitem(sys.modules, "pip", None)
    requirement = PINNED if what == "a version" else str(write_app(tmp_path))
    with pytest.raises(InstallFailed, match=r"needs pip, which[^`]*`[^`]* -m ensurepip`"):
        install(requirement, settings)
    assert leftovers(settings) == set()


def test_a_project_is_built_even_where_no_index_has_its_build_tool(settings, tmp_path):
    project = write_project(tmp_path / "project", "1.3.0")
    code = install(str(project), settings)
    assert code.manifest.version == "1.3.0"


@pytest.mark.usefixtures("installed_build_tool")
def test_a_project_that_cannot_be_built_is_an_error_that_says_why(settings, tmp_path):
    project = write_project(tmp_path / "project")
    text = (project / "pyproject.toml").read_text()
    (project / "pyproject.toml").write_text(text.replace('version = "1.0.0"', 'version = "one"'))
    with pytest.raises(InstallFailed, match=r"could not be fetched[\s\S]*project\.version"):
        install(str(project), settings)
    assert everything(settings) == environments.Installed()


def test_twice_is_once(settings, tmp_path, counter):
    before = everything(settings).codes[0]
    again = install(str(write_app(tmp_path)), settings)
    assert (again.name, again.wheel_digest) == (before.name, counter.wheel_digest)
    assert install(PINNED, settings).name == before.name


def test_other_content_under_the_same_version_is_refused(settings, tmp_path, counter):
    with pytest.raises(InstallFailed, match="installed with other content"):
        install(str(write_app(tmp_path, head="print('changed')")), settings)
    assert [each.name for each in everything(settings).codes] == [counter.name]


# -------------------------------------------------------------------------------------- libraries


def library(folder, version):
    return write_wheel(folder, "acme-lib", version, {"acme_lib.py": f"VERSION = {version!r}\n"})


USING = {"head": "import acme_lib", "says": "acme_lib.VERSION + ' in ' + acme_lib.__file__"}


@pytest.mark.usefixtures("dependencies")
def test_what_only_the_app_needs_wins_over_what_the_host_has(settings, tmp_path, monkeypatch):
    links, beside = tmp_path / "links", tmp_path / "beside"
    shutil.unpack_archive(library(tmp_path, "2.0.0"), beside, "zip")
    library(links, "1.0.0")
    monkeypatch.setenv("PYTHONPATH", str(beside))
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    new = install(str(write_app(tmp_path, "2.0.0", requires=["acme-lib>=2"], **USING)), settings)
    old = install(str(write_app(tmp_path, "1.0.0", requires=["acme-lib<2"], **USING)), settings)
    own = environments.site_packages(old.folder) / "acme_lib.py"
    assert new.manifest.meta.description == f"2.0.0 in {beside / 'acme_lib.py'}"
    assert old.manifest.meta.description.startswith("1.0.0 in ")
    assert inside(old, "import acme_lib; print(acme_lib.__file__)") == str(own)
    assert not (environments.site_packages(new.folder) / "acme_lib.py").exists()
    assert inside(old, "from importlib.metadata import version as v; print(v('acme-lib'))") == (
        "1.0.0"
    )


@pytest.mark.usefixtures("dependencies")
@pytest.mark.parametrize("needed", ["acme-lib", "mymozhem>=99", "pydantic<1"])
def test_what_cannot_be_had_or_cannot_go_with_the_host_is_an_error(settings, tmp_path, needed):
    wheel = write_app(tmp_path, requires=[needed])
    with pytest.raises(InstallFailed, match="An environment for acme-counter") as caught:
        install(str(wheel), settings)
    assert needed.partition(">")[0].partition("<")[0] in caught.value.message
    assert everything(settings) == environments.Installed()
    assert leftovers(settings) == set()


# ------------------------------------------------------------------------------- apps that cannot


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ("raise ValueError('not today')", "ValueError: not today"),
        ("import os; os._exit(7)", "status 7"),
        ("import os; os.abort()", "status -6"),
        ("raise SystemExit('out')", "SystemExit: out"),
        ("import threading; threading.Event().wait()", "not imported within 4 seconds"),
        ("import no_such_module_anywhere", "no_such_module_anywhere"),
        ("def handle_draw(): ...\nhookimpl(handle_draw)", "handle_draw"),
        ("import os; os.write(3, b'mine'); os.close(3)", "cannot run"),
    ],
)
def test_an_app_that_cannot_run_says_why(settings, counter, head, reason):
    changed = app_source("1.0.0", head=head)
    (environments.site_packages(counter.folder) / "acme_counter.py").write_text(changed)
    wheel = read_wheel(environments.wheel_of(counter.folder))
    with pytest.raises(InstallFailed, match=r"acme-counter 1\.0\.0 cannot run") as caught:
        describe(wheel, counter.folder, settings, OsUser(OWN_USER))
    assert reason in caught.value.message


@pytest.mark.usefixtures("quick_build")
def test_an_app_that_cannot_run_is_not_installed(settings, tmp_path):
    with pytest.raises(InstallFailed, match="ValueError: not today"):
        install(str(write_app(tmp_path, head="raise ValueError('not today')")), settings)
    assert everything(settings) == environments.Installed()
    assert leftovers(settings) == set()


@pytest.mark.usefixtures("quick_build")
@pytest.mark.parametrize(
    "head",
    [
        "open(__file__, 'a').write('# changed')",
        "import os, sys; os.unlink(sys.prefix + '/bin/python')",
    ],
    ids=["its code", "its interpreter"],
)
def test_an_app_that_changes_its_environment_when_it_is_asked_is_not_installed(
    settings, tmp_path, head
):
    with pytest.raises(InstallFailed, match="It changes its own environment"):
        install(str(write_app(tmp_path, head=head)), settings)
    assert everything(settings) == environments.Installed()
    assert leftovers(settings) == set()


@pytest.mark.usefixtures("quick_build")
def test_an_app_that_talks_and_leaves_threads_behind_is_installed(settings, tmp_path):
    head = (
        "import threading; print('{\"manifest\": {}}', flush=True); "
        "threading.Thread(target=threading.Event().wait).start()"
    )
    assert install(str(write_app(tmp_path, head=head)), settings).manifest.version == "1.0.0"


@pytest.mark.usefixtures("quick_build", "installed_build_tool")
def test_neither_pip_nor_the_app_is_told_a_secret(settings, tmp_path, monkeypatch):
    project = write_project(
        tmp_path / "project", head="import os", says="' '.join(sorted(os.environ))"
    )
    told = tmp_path / "told.json"
    (project / "backend.py").write_text(
        "import json, os, pathlib\n"
        f"pathlib.Path({str(told)!r}).write_text(json.dumps(dict(os.environ)))\n"
        "from hatchling.build import *\n"
    )
    text = (project / "pyproject.toml").read_text()
    changed = text.replace('"hatchling.build"', '"backend"\nbackend-path = ["."]')
    (project / "pyproject.toml").write_text(changed)
    monkeypatch.setenv("MYMOZHEM_SECRET_KEY", "a secret of the host")
    monkeypatch.setenv("ACME_PASSWORD", "a secret of somebody else")
    code = install(str(project), settings)
    seen = json.loads(told.read_text())
    assert not any("secret of" in value for value in seen.values())
    assert not any(name.startswith("MYMOZHEM_") for name in seen)
    assert not {"MYMOZHEM_SECRET_KEY", "ACME_PASSWORD", "HOME"} & set(
        code.manifest.meta.description.split()
    )


# ---------------------------------------------------------------------------- what breaks is named


def spoil_wheel(code):
    with environments.wheel_of(code.folder).open("ab") as file:
        file.write(b"more")


def spoil_code(code):
    (environments.site_packages(code.folder) / "acme_counter.py").write_text("VERSION = 3\n")


def spoil_document(code):
    (code.folder / environments.DOCUMENT).write_text("{")


def spoil_manifest(code):
    path = code.folder / environments.DOCUMENT
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"manifest": {"meta": {}}}))


def change_host(code):
    path = code.folder / environments.DOCUMENT
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"host": "/opt/other"}))


def change_python(code):
    path = code.folder / environments.DOCUMENT
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"python": "cpython-39"}))


def lose_python(code):
    environments.interpreter(code.folder).unlink()


def lose_wheel(code):
    environments.wheel_of(code.folder).unlink()


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (spoil_wheel, "not the one that was installed"),
        (spoil_code, "its file acme_counter.py differs from the wheel"),
        (spoil_document, "environment.json cannot be used"),
        (spoil_manifest, "its manifest is not accepted"),
        (change_host, "uses the libraries of a host in /opt/other"),
        (change_python, "built for cpython-39, and the host runs on"),
        (lose_python, "its interpreter is gone"),
        (lose_wheel, "0 wheels"),
    ],
)
def test_a_broken_environment_is_a_reason_and_no_error(settings, counter, break_it, reason):
    break_it(counter)
    found = everything(settings)
    assert found.codes == ()
    (refused,) = found.refused
    assert reason in refused.reasons[0]
    assert counter.name in refused.reasons[0]


@pytest.mark.parametrize("break_it", [spoil_code, spoil_document, change_host])
def test_a_broken_environment_is_built_again_from_the_wheel_that_it_kept(
    settings, counter, break_it
):
    break_it(counter)
    assert install(PINNED, settings).name == counter.name
    assert everything(settings).refused == ()
    assert leftovers(settings) == set()


@pytest.mark.parametrize("break_it", [spoil_wheel, lose_wheel])
def test_a_wheel_that_is_not_the_one_installed_is_never_used(settings, counter, tmp_path, break_it):
    break_it(counter)
    with pytest.raises(InstallFailed, match="No matching distribution"):
        install(PINNED, settings)
    assert isinstance(environments.read(counter.folder), Refused)
    assert install(str(write_app(tmp_path)), settings).name == counter.name


def test_a_folder_that_is_no_environment_is_none(settings, counter):
    (settings.isolated_dir / "notes").mkdir()
    (settings.isolated_dir / "file").write_text("")
    half = settings.isolated_dir / ".building-half"
    shutil.copytree(counter.folder, half, symlinks=True)
    assert [each.name for each in everything(settings).codes] == [counter.name]
    missing = Environments(settings.data_dir / "absent")
    assert (missing.stamp(), missing.read()) == (frozenset(), environments.Installed())


# ------------------------------------------------------------------------ ends, and several at once


def test_what_the_system_does_not_let_go_is_an_error_in_a_sentence(settings, counter):
    (settings.isolated_dir / ".lock").unlink()
    (settings.isolated_dir / ".lock").mkdir()
    with pytest.raises(InstallFailed, match=r"acme-counter==1\.0\.0 could not be removed"):
        remove(Pinned.parse(PINNED), settings)


def test_removing_takes_every_environment_of_a_version_broken_ones_too(settings, counter):
    spoil_document(counter)
    assert remove(Pinned.parse(PINNED), settings) == (counter.name,)
    assert everything(settings) == environments.Installed()
    assert leftovers(settings) == set()
    with pytest.raises(NotFound):
        remove(Pinned.parse(PINNED), settings)


@contextmanager
def installing_elsewhere(settings, wheel):
    program = (
        "import sys; from pathlib import Path; from mymozhem.config import Settings; "
        "from mymozhem.registry.isolated.install import install; "
        "install(sys.argv[2], Settings(_env_file=None, data_dir=Path(sys.argv[1])))"
    )
    command = [sys.executable, "-c", program, str(settings.data_dir), str(wheel)]
    process = subprocess.Popen(command)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_an_installation_that_is_killed_is_never_seen_and_cleared_away(settings, tmp_path):
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    head = f"open({str(gate)!r}, 'w').write('reached')"
    wheel = write_app(tmp_path, head=head)
    with installing_elsewhere(settings, wheel) as process:
        assert gate.read_text() == "reached"  # the app is asked, all else is done
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert everything(settings) == environments.Installed()
    assert len(leftovers(settings)) == 1
    gate.unlink()
    gate.write_text("")
    code = install(str(wheel), settings)
    assert [each.name for each in everything(settings).codes] == [code.name]
    assert leftovers(settings) == set()


def test_of_two_installations_at_once_one_builds_and_both_have_it(settings, tmp_path):
    wheel = write_app(tmp_path)
    with ThreadPoolExecutor(2) as pool, installing_elsewhere(settings, wheel) as process:
        codes = list(pool.map(lambda _: install(str(wheel), settings), range(2)))
        assert process.wait() == 0
    assert {each.name for each in codes} == {each.name for each in everything(settings).codes}
    assert all(isinstance(each, IsolatedCode) for each in codes)
    assert leftovers(settings) == set()


def test_who_waits_too_long_for_another_installation_is_told(settings, counter):
    with (settings.isolated_dir / ".lock").open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(InstallFailed, match="Another"):
            install("acme-counter==2.0.0", settings, wait=0.0)
