"""Importing is pure: no hook is asked here, so there is no transport to ask over."""

import pytest


@pytest.fixture
def transport() -> str:
    """Nothing in between."""
    return "inprocess"


@pytest.fixture
def transport() -> str:
    """Importing is pure: no hook is asked here, so there is no transport to ask over."""
    return "inprocess"
