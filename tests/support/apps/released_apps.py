"""The first releases of the first apps, loaded beside what is installed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from mymozhem.registry.loaded_code import AppCode
from tests.support.host import loaded

RELEASES = Path(__file__).parents[2] / "releases"


def first_release(app_id: str) -> AppCode:
    """Return the code of an app's 1.0.0, as a host that has it installed would load it."""
    package = f"mymozhem_{app_id}"
    with _instead(package, RELEASES / f"{package}-1.0.0-py3-none-any.whl"):
        return loaded(import_module(package), app_id)


@contextmanager
def _instead(package: str, wheel: Path) -> Iterator[None]:
    """Let a package be imported from a wheel, and put the installed one back."""
    installed = {name: module for name, module in sys.modules.items() if _is_of(name, package)}
    for name in installed:
        del sys.modules[name]
    sys.path.insert(0, str(wheel))
    try:
        yield
    finally:
        sys.path.remove(str(wheel))
        for name in [each for each in sys.modules if _is_of(each, package)]:
            del sys.modules[name]
        sys.modules |= installed


def _is_of(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")
