"""Environments that are made once, and shared by all tests: nobody writes into them but logs."""

import pytest
from structlog.testing import capture_logs

from tests.support import isolated


@pytest.fixture(scope="session")
def environments(tmp_path_factory):
    return tmp_path_factory.mktemp("isolated")


@pytest.fixture(scope="session")
def code(environments):
    """The prober 1.0.0."""
    return isolated.prober(environments)


@pytest.fixture(scope="session")
def newer(environments):
    """The prober 2.0.0."""
    return isolated.prober(environments, "2.0.0")


@pytest.fixture(autouse=True)
def lines():
    """What was logged; drawing tracebacks would take longer than the calls."""
    with capture_logs() as lines:
        yield lines
