"""Which database engines a test runs on.

A test that needs a database runs on SQLite, and on PostgreSQL as well if its module is marked
`both_engines` or if MYMOZHEM_TEST_ENGINES is `all`. Mark a module if the engines may differ in what
it tests: locks, constraints, transactions, ordering, JSON, dates, sizes.
"""

import os
from collections.abc import Sequence

import pytest

EVERY = ("sqlite", "postgresql")


def dialects_of(metafunc: pytest.Metafunc) -> Sequence[str] | None:
    """Return the engines to run a test on; None if it names them itself or needs none."""
    if "dialect" not in metafunc.fixturenames or _names_its_own(metafunc):
        return None
    everything = os.environ.get("MYMOZHEM_TEST_ENGINES") == "all"
    if everything or metafunc.definition.get_closest_marker("both_engines") is not None:
        return EVERY
    return EVERY[:1]


def _names_its_own(metafunc: pytest.Metafunc) -> bool:
    for mark in metafunc.definition.iter_markers("parametrize"):
        names = mark.args[0]
        each = names.split(",") if isinstance(names, str) else names
        if "dialect" in (name.strip() for name in each):
            return True
    return False
