"""Apps over each transport and on each database, but not every pair: webhooks know no database."""

import pytest

DIALECTS = ("sqlite", "postgresql")
#: transports and databases that are tried together
PAIRS = (*(("inprocess", dialect) for dialect in DIALECTS), ("webhook", "sqlite"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    asked = set(metafunc.fixturenames)
    if {"transport", "dialect"} <= asked:
        metafunc.parametrize(("transport", "dialect"), PAIRS, indirect=True)
    elif "dialect" in asked and not _chosen(metafunc):
        metafunc.parametrize("dialect", DIALECTS, indirect=True)


def _chosen(metafunc: pytest.Metafunc) -> bool:
    """Tell whether a test names its databases itself."""
    return any(
        mark.args[0] == "dialect" for mark in metafunc.definition.iter_markers("parametrize")
    )


@pytest.fixture
def dialect(request: pytest.FixtureRequest) -> str:
    """The database."""
    return str(request.param)


@pytest.fixture
def transport(request: pytest.FixtureRequest) -> str:
    """How the app is reached; everything holds over each."""
    return str(request.param)
