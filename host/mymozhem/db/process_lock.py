"""Allow one host process per SQLite file, by a lock that ends with its process."""

import fcntl
import os
from pathlib import Path

from mymozhem.errors import MymozhemError


class AlreadyRunning(MymozhemError):
    """A host is already running on this database; stop it first, or choose another data folder."""

    status = 503
    default_code = "ALREADY_RUNNING"


class ProcessLock:
    """An exclusive lock next to a database file; the kernel releases it when the process ends.

    The lock file stays: if it were removed, two processes could hold two files of one name.
    """

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(f"{database.name}.lock")
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock, or raise `AlreadyRunning` with the other's process id. Idempotent."""
        if self._descriptor is not None:
            return
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(descriptor)
        except BlockingIOError:
            raise _already_running(self.path, descriptor) from None
        else:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            self._descriptor, descriptor = descriptor, -1
        finally:
            if descriptor != -1:
                os.close(descriptor)

    def release(self) -> None:
        """Release the lock. Idempotent."""
        if self._descriptor is None:
            return
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)
        self._descriptor = None


def running_host(database: Path) -> int | None:
    """Return the process id of the host that runs on a SQLite file, `None` if there is none.

    0 means that a host has taken the lock but not yet written its id. Nothing is changed.
    """
    path = ProcessLock(database).path
    if not path.exists():
        return None
    descriptor = os.open(path, os.O_RDWR)
    try:
        _lock(descriptor)
    except BlockingIOError:
        return _holder(descriptor)
    else:
        return None
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _holder(descriptor: int) -> int:
    written = os.pread(descriptor, 32, 0).strip()
    return int(written) if written.isdigit() else 0


def _already_running(path: Path, descriptor: int) -> AlreadyRunning:
    holder = _holder(descriptor)
    database = path.with_suffix("")
    return AlreadyRunning(
        f"A host (process {holder or 'unknown'}) is already running on {database}. SQLite serves "
        "one host process: stop that one, choose another MYMOZHEM_DATA_DIR, or use PostgreSQL.",
        details={"processId": holder, "database": str(database)},
    )
