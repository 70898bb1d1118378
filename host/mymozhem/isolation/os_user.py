"""The operating system's user of workers: a separate one if the host may switch and it works."""

import os
import pwd
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

#: the user that owns nothing, on every system
NOBODY = "nobody"

PROBE_SECONDS = 10.0

#: the host's variables that a worker inherits; no settings of the host are among them
_PASSED = ("PATH", "LANG", "LANGUAGE", "TZ", "SYSTEMROOT")


class NotTried(RuntimeError):
    """The test whether a user can run an interpreter could not run; the next start tries again."""


@dataclass(frozen=True)
class OsUser:
    """A user; `uid` and `gid` are None if it is the host's own.

    `note` is a sentence for the operator: why it is the host's own, or what this one could read.
    """

    name: str
    uid: int | None = None
    gid: int | None = None
    note: str | None = None

    @property
    def apart(self) -> bool:
        """Return whether it is a different user than the host's."""
        return self.uid is not None


def os_user_for(wanted: str | None, interpreter: Path, data_dir: Path) -> OsUser:
    """Return the user for workers of an interpreter; blocks for some 50 ms.

    Only a host that runs as root may choose: `wanted`, or nobody. A test checks that the user can
    run the interpreter; if not, workers run as the host's own user. No permission is changed.
    Raises `NotTried` if the test was killed or took too long: that is not a reason to run as root.
    """
    own = _name_of(os.geteuid())
    if os.geteuid() != 0:
        note = f"the host does not run as root, so its apps run as {own}, too" if wanted else None
        return OsUser(own, note=note)
    name = wanted or NOBODY
    if name == own:
        return OsUser(own)
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        return OsUser(own, note=f"there is no user {name}, so isolated code runs as {own}")
    problem = _probed(interpreter, found)
    if problem is not None:
        note = (
            f"{name} cannot run {interpreter} ({problem}), so isolated code runs as {own}; the "
            f"page on isolated apps says how to lay out the data folder"
        )
        return OsUser(own, note=note)
    open_to_all = files_open_to_all(data_dir)
    note = f"others can read {', '.join(map(str, open_to_all))}" if open_to_all else None
    return OsUser(name, found.pw_uid, found.pw_gid, note)


def files_open_to_all(folder: Path) -> list[Path]:
    """Return the files of a folder that every user of the machine can read, by their modes."""
    try:
        if not all(_mode(each) & stat.S_IXOTH for each in (folder, *folder.parents)):
            return []
        files = [each for each in sorted(folder.iterdir()) if each.is_file()]
        return [each for each in files if _mode(each) & stat.S_IROTH]
    except OSError:
        return []


def variables(folder: str, source: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables of a worker with this folder; `source` are the host's."""
    passed = {
        name: value for name, value in source.items() if name in _PASSED or name.startswith("LC_")
    }
    # Each thread of glibc takes 64 MB of address space, which counts as memory here.
    own = {"HOME": folder, "TMPDIR": folder, "MALLOC_ARENA_MAX": "2"}
    return {"PATH": os.defpath, **passed, **own}


def _probed(interpreter: Path, user: pwd.struct_passwd) -> str | None:
    """Return why a user cannot run the program of workers; None if they can."""
    try:
        done = subprocess.run(  # noqa: S603  the interpreter of an environment of ours
            [interpreter, "-I", "-c", "import mymozhem.isolation.worker_main"],
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=[],
            env=variables("/", os.environ),
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PROBE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        message = f"{user.pw_name} took more than {PROBE_SECONDS:g} seconds to run {interpreter}"
        raise NotTried(message) from error
    except (OSError, subprocess.SubprocessError) as error:
        return type(error).__name__
    if done.returncode == 0:
        return None
    if done.returncode < 0:
        message = f"a trial of {interpreter} by {user.pw_name} was ended by a signal"
        raise NotTried(message)
    return next(iter(done.stderr.splitlines()[-1:]), f"status {done.returncode}")[:200]


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _mode(path: Path) -> int:
    return path.stat().st_mode
