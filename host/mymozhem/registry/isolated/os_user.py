"""The operating system's user of isolated code: unprivileged, and never root by accident."""

import os
import pwd
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mymozhem.errors import MymozhemError

#: the user that owns nothing, on every system
NOBODY = "nobody"

PROBE_SECONDS = 10.0

#: the host's variables that isolated code inherits; no settings of the host are among them
_PASSED = ("PATH", "LANG", "LANGUAGE", "TZ", "SYSTEMROOT")


class NotTried(RuntimeError):
    """The test whether a user can run an interpreter could not run; the next start tries again."""


class NoSeparateUser(MymozhemError):
    """No unprivileged user can run isolated code; the message says why, and what to do."""

    default_code = "NO_SEPARATE_USER"


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


def os_user_for(
    wanted: str | None, interpreter: Path, data_dir: Path, *, as_root: bool = False
) -> OsUser:
    """Return the user that runs isolated code with an interpreter; blocks for some 50 ms.

    Only a host that runs as root may choose: `wanted`, or nobody. A test checks that the user can
    run the interpreter. No permission is changed. Raises `NoSeparateUser` if there is none, unless
    the operator allows root by `as_root` or as the wanted user; `NotTried` if the test was killed
    or took too long.
    """
    own = _name_of(os.geteuid())
    if os.geteuid() != 0:
        other = wanted is not None and wanted != own
        note = f"the host does not run as root, so its apps run as {own}, too" if other else None
        return OsUser(own, note=note)
    if as_root or wanted == own:
        return OsUser(own, note=f"isolated code runs as {own}, which the operator has allowed")
    name = wanted or NOBODY
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        raise _refusal(f"there is no user {name}") from None
    if found.pw_uid == 0:
        raise _refusal(f"{name} is another name of root")
    problem = _probed(interpreter, found)
    if problem is not None:
        raise _refusal(f"{name} cannot run {interpreter} ({problem})")
    open_to_all = files_open_to_all(data_dir)
    note = f"others can read {', '.join(map(str, open_to_all))}" if open_to_all else None
    return OsUser(name, found.pw_uid, found.pw_gid, note)


def shared_user(uid: int | None = None) -> str | None:
    """Return the user of a host that cannot separate isolated code from itself; None for root.

    `uid` is the host's effective user id, by default that of this process.
    """
    own = os.geteuid() if uid is None else uid
    return None if own == 0 else _name_of(own)


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
    """Return the environment variables of isolated code; `source` are the host's.

    `folder` is the code's home, and the place of its temporary files.
    """
    passed = {
        name: value for name, value in source.items() if name in _PASSED or name.startswith("LC_")
    }
    # Each thread of glibc takes 64 MB of address space, which counts as memory here.
    own = {"HOME": folder, "TMPDIR": folder, "MALLOC_ARENA_MAX": "2"}
    return {"PATH": os.defpath, **passed, **own}


def _refusal(reason: str) -> NoSeparateUser:
    return NoSeparateUser(
        f"Isolated code does not run as root, and {reason}. Name a user in MYMOZHEM_ISOLATED_USER; "
        "use a Python that this user can run, and a MYMOZHEM_ENVIRONMENTS_DIR that it can enter. "
        "Or run the host as a user of its own. To run the code as root, install it with --as-root."
    )


def _probed(interpreter: Path, user: pwd.struct_passwd) -> str | None:
    """Return why a user cannot run the program of workers; None if they can."""
    try:
        done = subprocess.run(  # noqa: S603  the host's interpreter, or that of an environment
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
