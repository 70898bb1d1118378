"""Limit the resources of a worker and tie it to its supervisor; called in the worker itself."""

import os
import resource
import signal

from mymozhem.concurrency.child_processes import prctl

#: the longest file that a worker may write
MAX_FILE_BYTES = 64 * 1024 * 1024

#: the host comes first: a busy worker gets the remaining CPU time
NICENESS = 5

_PR_SET_PDEATHSIG = 1


def limit(*, memory_bytes: int, open_files: int, processes: int | None) -> None:
    """Limit this process, and all processes that it starts, irrevocably."""
    _bound(resource.RLIMIT_AS, memory_bytes)
    _bound(resource.RLIMIT_NOFILE, open_files)
    _bound(resource.RLIMIT_CORE, 0)
    _bound(resource.RLIMIT_FSIZE, MAX_FILE_BYTES)
    if processes is not None:
        _bound(resource.RLIMIT_NPROC, processes)
    os.nice(NICENESS)


def die_with_parent(parent: int) -> None:
    """Make the system kill this process when its parent dies; does nothing except on Linux.

    It works even while code of the app blocks the interpreter.
    """
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # the parent died before this was requested
        os._exit(1)


def _bound(kind: int, most: int) -> None:
    _, hard = resource.getrlimit(kind)
    least = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (least, least))
