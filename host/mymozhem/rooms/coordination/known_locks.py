"""Facts of rooms' locks, kept in memory: a lock never changes once it is written."""

from collections import OrderedDict
from typing import NamedTuple

#: some 200 bytes each
AT_MOST = 10_000


class KnownLock(NamedTuple):
    """The digest of a lock, and the version of the contract in it, None if it has none."""

    digest: str
    contract: str | None


class KnownLocks:
    """The locks that were used last, by id; used from one event loop."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, KnownLock] = OrderedDict()

    def get(self, lock_id: str) -> KnownLock | None:
        """Return a lock; None if it is not known."""
        found = self._known.get(lock_id)
        if found is not None:
            self._known.move_to_end(lock_id)
        return found

    def keep(self, lock_id: str, lock: KnownLock) -> None:
        """Keep a lock, in place of the one that was not used for longest."""
        self._known[lock_id] = lock
        if len(self._known) > AT_MOST:
            self._known.popitem(last=False)
