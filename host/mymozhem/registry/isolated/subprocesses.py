"""Run the programs of an installation: with a timeout, and without secrets of the host."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from mymozhem.concurrency import child_processes
from mymozhem.errors import MymozhemError

from .os_user import OsUser

#: the variables for pip: indexes and how to reach them; in particular no MYMOZHEM_*
_FOR_PIP = (
    "ALL_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NETRC",
    "NO_PROXY",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_DIRS",
    "XDG_CONFIG_HOME",
)
_FOR_ANYBODY = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "PATH", "TZ")

#: settings of pip that would install a package outside of its environment
_ASTRAY = ("PIP_PREFIX", "PIP_PYTHON", "PIP_ROOT", "PIP_TARGET", "PIP_USER")

_LINES = 4
_END_OF_QUOTE = "[end of output]"


class InstallFailed(MymozhemError):
    """The code could not be installed in an isolated environment."""

    default_code = "INSTALL_FAILED"


class StepFailed(Exception):
    """A program failed or timed out; `output` is all its output."""

    def __init__(self, what: str, output: str = "") -> None:
        self.output = output
        super().__init__(what)

    def __str__(self) -> str:
        return "\n".join([str(self.args[0]), *_telling(self.output)])


def run(
    command: Iterable[str | Path],
    *,
    seconds: float,
    variables: Mapping[str, str],
    within: Path,
    user: OsUser | None = None,
) -> str:
    """Run a program and return its standard output.

    It runs as the host's own user, or as `user`, if given. Raises `StepFailed` if its status is not
    0, or after `seconds`. In any case, the processes that it has started end with it.
    """
    uid, gid = (user.uid, user.gid) if user is not None else (None, None)
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complained:
        process = child_processes.start(
            [str(word) for word in command],
            cwd=within,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=complained,
            user=uid,
            group=gid,
            extra_groups=[] if uid is not None else None,
            umask=0o022,
        )
        since = child_processes.moment_of(process.pid)
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise StepFailed(f"it was not done within {seconds:g} seconds") from None
        finally:
            _end(process)
            child_processes.end_orphans(process, since, uid=uid)
        output = _text(said.fileno())
        if status != 0:
            raise StepFailed(f"it ended with status {status}", output + _text(complained.fileno()))
        return output


def for_pip(given: Mapping[str, str], *, scratch: Path) -> dict[str, str]:
    """Return the environment variables for pip, out of those given; `scratch` is for its files."""
    kept = {name: value for name, value in given.items() if _is_for_pip(name)}
    settled = {
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "PIP_PROGRESS_BAR": "off",
        "PIP_ROOT_USER_ACTION": "ignore",
        "TMPDIR": str(scratch),
    }
    return kept | settled


def for_apps(given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables for foreign code, out of those given."""
    kept = {name: given[name] for name in _FOR_ANYBODY if name in given and name != "HOME"}
    return kept | {"MALLOC_ARENA_MAX": "2"}  # or threads take address space, which counts as memory


def _is_for_pip(name: str) -> bool:
    if name.startswith("PIP_"):
        return name not in _ASTRAY
    return name.upper() in _FOR_PIP or name in _FOR_ANYBODY


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _text(descriptor: int) -> str:
    size = os.fstat(descriptor).st_size
    return os.pread(descriptor, size, 0).decode(errors="replace")


def _telling(output: str) -> list[str]:
    """Return the lines of an output that say what went wrong.

    These are the last ones of a build tool that pip has quoted, those that pip marks or that say
    what conflicts, or else the last ones.
    """
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    if _END_OF_QUOTE in lines:
        return lines[: lines.index(_END_OF_QUOTE)][-_LINES:]
    marked = [line for line in lines if line.startswith("ERROR:") or " depends on " in line]
    return (marked or lines)[-_LINES:]
