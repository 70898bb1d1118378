"""What isolated code can see of the host: asked from inside, as the app itself sees it."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from mymozhem.registry.isolated.os_user import NoSeparateUser, NotTried, os_user_for
from tests.support import isolated, prober
from tests.support.isolated import den, is_there
from tests.support.wheels import app_source, write_wheel

#: what every user may run; that of the tests may be in somebody's home
SYSTEM_PYTHON = f"/usr/bin/python3.{sys.version_info.minor}"

SECRETS = {
    "MYMOZHEM_SECRET_KEY": "very secret",
    "MYMOZHEM_DATABASE_URL": "postgresql://user:password@127.0.0.1/nowhere",
    "MYMOZHEM_APP_SECRET": "whsec_" + "A" * 44,
    "DATABASE_PASSWORD": "very secret",
    "PYTHONPATH": "/somewhere",
    "SSH_AUTH_SOCK": "/somewhere/agent",
}


@pytest.fixture
async def seen(code, monkeypatch):
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LC_TIME", "de_DE.UTF-8")
    with tempfile.TemporaryFile() as inherited:
        os.set_inheritable(inherited.fileno(), True)
        async with den(code) as host:
            yield await host.reply("look-around")


async def test_its_variables_are_a_few_and_none_is_a_setting_of_the_host(seen):
    told = seen["environ"]
    known = {"PATH", "LANG", "LANGUAGE", "TZ", "HOME", "TMPDIR", "MALLOC_ARENA_MAX"}
    assert {name for name in told if not name.startswith("LC_")} <= known
    assert told["LC_TIME"] == "de_DE.UTF-8"
    assert told["HOME"] == told["TMPDIR"] == seen["folder"]


async def test_no_argument_of_its_process_is_a_secret_or_a_path_beside_its_own(seen, code):
    program, *rest = seen["argv"]
    assert Path(program).is_relative_to(code.folder)
    assert rest == ["-I", "-u", "-X", "faulthandler", "-m", "mymozhem.isolation.worker_main"]


async def test_it_inherits_no_descriptor_of_the_host(seen):
    told = seen["descriptors"]
    assert told.pop("0") == "/dev/null"
    assert told.pop("1") == told.pop("2")
    own = ("anon_inode:", "pipe:", "socket:", "/dev/null", "/proc/")
    assert [each for each in told.values() if not each.startswith(own)] == []
    hosts = set(prober.descriptors().values())
    pipes = {each for each in told.values() if each.startswith(("pipe:", "socket:"))}
    assert pipes & hosts == set()


async def test_it_has_a_folder_to_itself_and_limits(seen):
    assert seen["folder_mode"] == 0o700
    limits = {name: soft for name, (soft, _) in seen["limits"].items()}
    assert limits == {
        "AS": 512 * 1024 * 1024,
        "CORE": 0,
        "NOFILE": 256,
        "FSIZE": 64 * 1024 * 1024,
    }
    assert [soft == hard for soft, hard in seen["limits"].values()] == [True] * 4
    assert seen["nice"] >= 5


# ----------------------------------------------------------------------------- a user of its own

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may choose whom others run as")


def _has_system_python():
    """Tell whether nobody can run a Python of this version with the host's libraries."""
    if os.geteuid() != 0 or not Path(SYSTEM_PYTHON).exists():
        return False
    with _open_folder() as folder:
        code = isolated.prober(folder, python=SYSTEM_PYTHON)
        try:
            os_user_for(None, isolated.environments.interpreter(code.folder), folder)
        except NoSeparateUser:
            return False
        return True


@contextmanager
def _open_folder():
    """Make a folder that others may pass through, with an open mode; pytest's are closed."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def open_folder():
    with _open_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def system_python():
    if not _has_system_python():
        pytest.skip("no Python that other users can run has the host's libraries")
    return SYSTEM_PYTHON


async def test_under_root_it_runs_as_nobody_and_cannot_read_the_database(
    open_folder, system_python
):
    database = open_folder / "mymozhem.sqlite3"
    database.write_text("secret")
    database.chmod(0o600)
    code = isolated.prober(open_folder / "isolated", python=system_python)
    async with den(code, data_dir=open_folder, isolated_user=None) as host:
        seen = await host.reply("look-around", files=[str(database), str(code.folder)])
        assert seen["user"] == pwd.getpwnam("nobody").pw_uid
        assert seen["groups"] == [pwd.getpwnam("nobody").pw_gid]
        assert seen["can_read"] == [str(code.folder)]
        assert (host.status.user, host.status.note) == ("nobody", None)
        assert seen["folder_mode"] == 0o700
        assert (await host.reply("eat", mb=1)) == {"bytes": 1024 * 1024}
    assert not is_there(seen)


async def test_what_others_could_read_is_told(open_folder, system_python):
    database = open_folder / "mymozhem.sqlite3"
    database.write_text("secret")
    database.chmod(0o644)
    code = isolated.prober(open_folder / "isolated", python=system_python)
    async with den(code, data_dir=open_folder, isolated_user=None) as host:
        await host.reply()
        assert host.status.note == f"others can read {database}"


async def test_children_of_another_user_end_too(open_folder, system_python):
    code = isolated.prober(open_folder / "isolated", python=system_python)
    async with den(code, data_dir=open_folder, isolated_user=None) as host:
        folder = (await host.reply("look-around"))["folder"]
        told = f"{folder}/pids"
        pids = (await host.reply("leave-children", where=told))["pids"]
    assert not any(map(isolated.is_alive, pids))


@as_root
async def test_it_never_runs_as_root_if_no_other_user_can_run_it(tmp_path_factory, tmp_path):
    code = isolated.prober(tmp_path_factory.mktemp("closed"))
    async with den(code, data_dir=tmp_path, isolated_user=None) as host:
        outcome = await host.ask("look-around")
        assert outcome.failure is not None
        assert host.status.pid is None
        assert "nobody cannot run" in host.status.last_end
        assert "MYMOZHEM_ENVIRONMENTS_DIR" in host.status.last_end
    allowed = replace(code, as_root=True)
    async with den(allowed, data_dir=tmp_path, isolated_user=None) as host:
        assert (await host.reply("look-around"))["user"] == 0
        assert "which the operator has allowed" in host.status.note


async def test_an_environment_that_is_opened_later_is_run_at_the_next_start(
    open_folder, system_python
):
    code = isolated.prober(open_folder / "isolated", python=system_python)
    open_folder.chmod(0o700)
    async with den(code, data_dir=open_folder, isolated_user=None) as host:
        assert (await host.ask()).failure is not None
        open_folder.chmod(0o711)
        await host.reply()
        assert (host.status.user, host.status.note) == ("nobody", None)


@as_root
def test_a_trial_that_somebody_kills_is_no_reason_to_run_as_root(open_folder):
    python = open_folder / "python"
    python.write_text("#!/bin/sh\nkill -9 $$\n")
    python.chmod(0o755)
    with pytest.raises(NotTried, match="ended by a signal"):
        os_user_for(None, python, open_folder)


@as_root
@pytest.mark.parametrize(
    ("wanted", "reason"), [("nosuchuser", "there is no user nosuchuser"), (None, "cannot run")]
)
def test_without_a_user_nothing_is_installed_and_the_message_says_what_to_do(
    open_folder, wanted, reason
):
    python = open_folder / "python"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    with pytest.raises(NoSeparateUser, match=reason) as refused:
        os_user_for(wanted, python, open_folder)
    assert "install it with --as-root" in refused.value.message
    assert not os_user_for(wanted, python, open_folder, as_root=True).apart


WITNESS = "import os; open(f'{folder}/{{os.getuid()}}-{what}', 'a').close()"
BACKEND = """
{witness}
def build_wheel(*_, **__):
    raise RuntimeError("seen")
"""
INSTALL = """
import sys
from pathlib import Path
from mymozhem.config import Settings
from mymozhem.errors import MymozhemError
from mymozhem.registry.isolated.install import install
settings = Settings(_env_file=None, data_dir=Path(sys.argv[1]), isolated_start_seconds=60)
for requirement in sys.argv[2:]:
    try:
        install(requirement, settings)
    except MymozhemError as error:
        print(error.message)
"""


def test_no_code_of_an_app_runs_as_root_when_it_is_built_installed_or_described(
    open_folder, system_python
):
    seen = open_folder / "seen"
    seen.mkdir()
    seen.chmod(0o777)

    def witness(what):
        return WITNESS.format(folder=seen, what=what)

    files = {"acme_counter.py": app_source("1.0.0", head=witness("import"))}
    files["acme_counter.pth"] = witness("start")
    apps = {"counter": "acme_counter"}
    wheel = write_wheel(open_folder / "wheel", "acme-counter", "1.0.0", files, apps=apps)
    project = open_folder / "project"
    project.mkdir()
    (project / "backend.py").write_text(BACKEND.format(witness=witness("build")))
    (project / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    variables = {k: v for k, v in os.environ.items() if not k.startswith(("MYMOZHEM_", "PIP_"))}
    host = isolated.prober(open_folder / "host", python=system_python)
    python = isolated.environments.interpreter(host.folder)
    done = subprocess.run(
        [python, "-c", INSTALL, open_folder / "data", wheel, project],
        env={**variables, "PIP_NO_INDEX": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "seen" in done.stdout) == (0, True), done.stdout + done.stderr
    nobody = pwd.getpwnam("nobody").pw_uid
    expected = {f"{nobody}-{what}" for what in ("build", "import", "start")}
    assert {each.name for each in seen.iterdir()} == expected
    (installed,) = (open_folder / "data-environments").glob("acme-counter-*")
    assert {each.lstat().st_uid for each in installed.rglob("*")} == {0}
