"""Apps over each transport and on each database, but not every pair: one is enough of the rare."""

import pytest

#: transports and databases that are tried together
PAIRS = (("inprocess", "sqlite"), ("inprocess", "postgresql"), ("webhook", "sqlite"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if {"transport", "dialect"} <= set(metafunc.fixturenames):
        metafunc.parametrize(("transport", "dialect"), PAIRS, indirect=True)
