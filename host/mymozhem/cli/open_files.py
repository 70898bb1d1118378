"""The maximum number of open files of this process: every connection is one."""

import resource

#: files besides connections: the database, libraries, calls to apps, workers
RESERVED = 512


def raise_open_files(wanted: int) -> int:
    """Raise the soft limit of open files to `wanted`, as far as the hard limit allows; return it.

    Idempotent; a limit that is higher already stays.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted if soft == resource.RLIM_INFINITY else soft
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most


def possible_connections(wanted: int) -> int:
    """Return how many connections of `wanted` this process may hold, after raising its limit."""
    return max(1, min(wanted, raise_open_files(wanted + RESERVED) - RESERVED))
