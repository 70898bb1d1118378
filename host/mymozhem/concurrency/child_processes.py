"""Programs with foreign code as children of this process: none of their descendants outlives them.

A program's descendants that lose their parents become children of this process (on Linux), which
then ends them. So it does not help a program to kill whatever supervises it, or to start a process
in a session of its own. Little is imported here, since workers import this module, too.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

#: how long orphans may take to die
DEATH_SECONDS = 2.0

_PR_SET_CHILD_SUBREAPER = 36

#: the positions, after the name, of the fields of /proc/PID/stat
_PARENT, _SESSION, _START = 1, 3, 19

_lock = threading.Lock()
#: the programs that were started here and are waited for where they were started
_started: set[int] = set()


def adopt_orphans() -> None:
    """Become the parent of all descendants of this process that outlive their own parents."""
    prctl(_PR_SET_CHILD_SUBREAPER, 1)


def start(command: Sequence[str | Path], **options: Any) -> subprocess.Popen[bytes]:  # noqa: ANN401  those of Popen
    """Start a program in a session of its own; call `end_orphans` once it has ended."""
    adopt_orphans()
    with _lock:
        process = subprocess.Popen(command, start_new_session=True, **options)  # noqa: S603  the caller's
        _started.add(process.pid)
    return process


def moment_of(pid: int) -> int:
    """Return when a process was started, as a number that grows; 0 if that is unknown."""
    return _stat(pid)[_START] or 0


def end_orphans(process: subprocess.Popen[bytes], since: int, *, uid: int | None) -> None:
    """End what a program has left behind, after its own end; blocks for two seconds at most.

    `since` is the moment of its start, `uid` the id of its user; None if it is that of this
    process. Ends children of this process in other sessions that it did not start with `start`.
    """
    ends = time.monotonic() + DEATH_SECONDS
    while True:
        with _lock:
            _started.discard(process.pid)
            found = [pid for pid in children() if _is_orphan(pid, since, uid)]
            for pid in found:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
                with suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
        if not found or time.monotonic() > ends:
            return
        time.sleep(0.005)


def children() -> list[int]:
    """Return the children of this process, with adopted ones; empty if the system has no list."""
    found: list[int] = []
    for task in Path("/proc/self/task").glob("*"):
        with suppress(OSError):
            found += map(int, (task / "children").read_text().split())
    return found


def prctl(option: int, value: int) -> None:
    """Set a property of this process; does nothing except on Linux."""
    if sys.platform != "linux":
        return
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(option, value, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _is_orphan(pid: int, since: int, uid: int | None) -> bool:
    if pid in _started:
        return False
    try:
        if uid is not None and Path(f"/proc/{pid}").stat().st_uid not in {uid, 0}:
            return False
    except OSError:
        return False
    fields = _stat(pid)
    own = (os.getpid(), os.getsid(0))
    session, start = fields[_SESSION], fields[_START]
    return fields[_PARENT] == own[0] and session not in {None, own[1]} and (start or 0) >= since


def _stat(pid: int) -> list[int | None]:
    """Return the fields after the name of a process, as far as they are numbers."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return [None] * (_START + 1)
    fields = text.rpartition(")")[2].split()
    return [int(each) if each.lstrip("-").isdigit() else None for each in fields]
