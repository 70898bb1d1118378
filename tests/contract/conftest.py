"""Apps over each transport, and on each database inside the process."""

import pytest

from tests.support.dialects import dialects_of
from tests.support.quiz_room import FIRST

#: what is tried besides the apps inside the process
PAIR = ("webhook", "sqlite")
#: the same questions as by webhook, in processes that take a second to start: not for whole tables
SLOW_PAIR = ("isolated", "sqlite")
PACKAGED = {"test_lottery", "test_quiz", "test_tasting"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    dialects = dialects_of(metafunc)
    if dialects is not None and "transport" in metafunc.fixturenames:
        pairs = [*(("inprocess", dialect) for dialect in dialects), PAIR]
        if _is_in_a_package(metafunc):
            pairs.append(SLOW_PAIR)
        metafunc.parametrize(("transport", "dialect"), pairs, indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what a package of today is not: an app that says it were of an older version."""
    left_out = [each for each in items if _is_older_in_a_worker(each)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [each for each in items if each not in left_out]


def _is_older_in_a_worker(item: pytest.Item) -> bool:
    spec = getattr(item, "callspec", None)
    params = spec.params if spec is not None else {}
    return params.get("transport") == "isolated" and params.get("version") == FIRST


def _is_in_a_package(metafunc: pytest.Metafunc) -> bool:
    """Tell whether a worker can be tried, once and not for a table: with an app of a package.

    An app that is written inside the tests is in none, nor is one that a class puts in its place.
    """
    is_table = any(metafunc.definition.iter_markers("parametrize"))
    packaged = metafunc.module.__name__.rpartition(".")[2] in PACKAGED
    return packaged and not is_table and not hasattr(metafunc.cls, "app")


@pytest.fixture
def transport(request: pytest.FixtureRequest) -> str:
    """How the app is reached; everything holds over each."""
    return str(request.param)
