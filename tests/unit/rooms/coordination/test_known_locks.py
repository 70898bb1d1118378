"""The locks that are kept in memory: those that were used last."""

from mymozhem.rooms.coordination import known_locks
from mymozhem.rooms.coordination.known_locks import KnownLock, KnownLocks


def test_the_lock_that_was_not_used_for_longest_is_dropped(monkeypatch):
    monkeypatch.setattr(known_locks, "AT_MOST", 2)
    locks = KnownLocks()
    first, second, third = (KnownLock(digest, "1.1") for digest in "abc")
    locks.keep("lock_1", first)
    locks.keep("lock_2", second)
    assert locks.get("lock_1") == first
    locks.keep("lock_3", third)
    assert [locks.get(f"lock_{n}") for n in (1, 2, 3)] == [first, None, third]
