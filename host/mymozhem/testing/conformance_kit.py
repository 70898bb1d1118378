"""The conformance kit: a class of tests for pytest, and a report for programs."""

import unittest
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mymozhem.contract import JsonObject
from mymozhem.contract.demo import SampleRoom

from .checks import CHECKS, Check, contract_versions, manifest, reach
from .conformance_run import ConformanceRun, NothingToTry
from .sample_inputs import SampleInputs
from .web_server import Endpoint, by_contract

#: checks whose problems are remarks unless the kit is strict
REMARKS = (*manifest.REMARKS, *contract_versions.REMARKS)


class ConformanceWarning(UserWarning):
    """A remark about an app: it works, but users will miss something."""


class NotConforming(AssertionError):
    """An app breaks a rule of the contract; the message says where, and what to do."""


@dataclass(frozen=True)
class Finding:
    """The result of a check: `problems` are sentences, empty if there are none.

    `skipped` says why the check could not run, None if it ran. With `is_remark`, the app works
    nevertheless; with `is_gap`, what the problems name was not tried, so nothing is known about it.
    """

    check: str
    sentence: str
    problems: tuple[str, ...] = ()
    skipped: str | None = None
    is_remark: bool = False
    is_gap: bool = False

    @property
    def passed(self) -> bool:
        """Return whether the app passes."""
        return not self.problems or self.is_remark

    @property
    def text(self) -> str:
        """The rule and what breaks it, a line each."""
        return "\n".join((self.sentence, *(f"- {each}" for each in self.problems)))


def conformance(
    app: object,
    *,
    settings: JsonObject | None = None,
    answers: JsonObject | None = None,
    payloads: Mapping[str, Sequence[JsonObject]] | None = None,
    scenarios: Sequence[SampleRoom] = (),
    endpoint: Endpoint = by_contract,
    strict: bool = False,
) -> type:
    """Return a class of tests for an app; give it a name that begins with `Test`.

    `app` is an installed app's id, `module`, `module:name`, or the object with the hooks. Where the
    kit generates no usable values, give some: `settings` of a room that can be started, `answers`
    of who joins, `payloads` of actions by name, `scenarios` for what is reached only by certain
    actions in their order. `endpoint` makes a web service of an app and keys where yours is not the
    one of `mymozhem app serve`. A test is skipped, and says why, if something was never reached.
    With `strict`, that and remarks are failures.
    """
    wishes = SampleInputs(settings, payloads or {}, answers, scenarios=scenarios)
    trial = ConformanceRun(app, wishes=wishes, endpoint=endpoint, strict=strict)
    tests = {f"test_{check.name}": _test(trial, check) for check in CHECKS}
    return type("Conformance", (), {"__doc__": f"What {app!r} is held to.", **tests})


def report(
    app: object,
    *,
    settings: JsonObject | None = None,
    answers: JsonObject | None = None,
    payloads: Mapping[str, Sequence[JsonObject]] | None = None,
    scenarios: Sequence[SampleRoom] = (),
    strict: bool = False,
) -> Iterator[Finding]:
    """Yield what each check finds of an app, as it looks; see `conformance`."""
    wishes = SampleInputs(settings, payloads or {}, answers, scenarios=scenarios)
    yield from findings(ConformanceRun(app, wishes=wishes, strict=strict))


def findings(
    trial: ConformanceRun, *, leave_out: Sequence[Callable[..., object]] = ()
) -> Iterator[Finding]:
    """Yield what each check finds of an app, as it looks."""
    for check in CHECKS:
        if check.problems not in leave_out:
            yield find(trial, check)


def find(trial: ConformanceRun, check: Check) -> Finding:
    """Return what a check finds of an app."""
    remark = check.problems in (*REMARKS, reach.everything_is_reached) and not trial.strict
    try:
        found = tuple(check.problems(trial))
    except NothingToTry as reason:
        return Finding(check.name, check.sentence, skipped=str(reason))
    is_gap = bool(found) and check.problems is reach.everything_is_reached and not trial.strict
    return Finding(check.name, check.sentence, found, is_remark=remark, is_gap=is_gap)


def _test(trial: ConformanceRun, check: Check) -> Callable[[object], None]:
    def test(_: object) -> None:
        __tracebackhide__ = True
        finding = find(trial, check)
        if finding.skipped is not None:
            raise unittest.SkipTest(finding.skipped)
        if not finding.problems:
            return
        if not finding.passed:
            raise NotConforming(finding.text)
        if finding.is_gap:
            raise unittest.SkipTest(finding.text)
        warnings.warn(finding.text, ConformanceWarning, stacklevel=1)

    test.__name__ = f"test_{check.name}"
    test.__doc__ = check.sentence
    return test
