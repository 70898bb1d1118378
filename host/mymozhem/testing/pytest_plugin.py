"""The kit as a plugin of pytest, for apps without a file of tests.

    pytest -p mymozhem.testing.pytest_plugin --mymozhem-app bell

It adds a test for each check to those that pytest collects.
"""

import warnings

import pytest

from .checks import CHECKS, Check
from .conformance_kit import ConformanceWarning, NotConforming, find
from .conformance_run import ConformanceRun


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a command line name apps."""
    group = parser.getgroup("mymozhem", "apps of mymozhem")
    group.addoption(
        "--mymozhem-app",
        action="append",
        default=[],
        metavar="APP",
        help="an installed app's id, module, or module:name, to be held to the contract",
    )
    group.addoption(
        "--mymozhem-strict", action="store_true", help="missing titles are failures as well"
    )


def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add the checks of every app that was named."""
    for name in config.getoption("mymozhem_app"):
        trial = ConformanceRun(name, strict=config.getoption("mymozhem_strict"))
        items += [
            CheckItem.from_parent(session, name=f"{name}: {check.name}", trial=trial, check=check)
            for check in CHECKS
        ]


class CheckItem(pytest.Item):
    """One check of one app."""

    def __init__(self, *, trial: ConformanceRun, check: Check, **more: object) -> None:
        super().__init__(**more)  # type: ignore[arg-type]  # pytest's own
        self._trial = trial
        self._check = check

    def runtest(self) -> None:
        """Run the check, and fail, warn or skip by its finding."""
        finding = find(self._trial, self._check)
        if finding.skipped is not None:
            pytest.skip(finding.skipped)
        if not finding.passed:
            raise NotConforming(finding.text)
        if finding.is_gap:
            pytest.skip(finding.text)
        if finding.problems:
            warnings.warn(finding.text, ConformanceWarning, stacklevel=1)

    def repr_failure(
        self,
        excinfo: pytest.ExceptionInfo[BaseException],
        style: object = None,  # noqa: ARG002  pytest's signature
    ) -> str:
        """Show what to do, without the kit's own frames."""
        if isinstance(excinfo.value, NotConforming):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[str, None, str]:
        """Say which app and which check."""
        return (self.name.partition(":")[0], None, self.name)
