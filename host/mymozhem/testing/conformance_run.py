"""All that is found out about one app: it is played, asked and broken once, for every check."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import TypeVar

from structlog.testing import capture_logs

from mymozhem.clock import HeldClock
from mymozhem.contract import VersionRange
from mymozhem.contract.versions import CONTRACT_VERSIONS
from mymozhem.observability.call_observer import Observed

from .app_lookup import App, find_app
from .coverage import Coverage, coverage_of
from .exploration import explore
from .fault_tolerance import FaultToleranceRun, run_with_faults
from .harness_setup import open_host
from .invoke import Invocation, invoke_all
from .protocol_probes import Exchanges, exchange
from .recording_app import CallRecords, Fault, RecordedCall, record_calls
from .sample_calls import SampleCall, sample_calls_for
from .sample_inputs import SampleInputs
from .simulation import Simulation, simulate
from .web_server import Endpoint, WireFault, by_contract

T = TypeVar("T")


class NothingToTry(Exception):
    """This cannot be checked, since something before it is wrong; the message says what."""


@dataclass(frozen=True)
class TransportRun:
    """A game over one transport, then the same questions asked over it."""

    game: Simulation
    noted: Sequence[RecordedCall]
    asked: Sequence[Invocation]
    observed: Sequence[Observed]
    again: Sequence[Invocation] = ()


class ConformanceRun:
    """An app on trial; everything is found out once, when it is first looked at.

    Each property raises `NothingToTry` where the manifest is not valid. It may be used from any
    thread, inside an event loop or without one.
    """

    def __init__(
        self,
        app: object,
        *,
        wishes: SampleInputs | None = None,
        endpoint: Endpoint = by_contract,
        strict: bool = False,
    ) -> None:
        self.given = app
        self.wishes = wishes or SampleInputs()
        self.endpoint = endpoint
        self.strict = strict
        self._survived = cache(self._all_survived)

    @cached_property
    def app(self) -> App:
        """The app, also if its manifest is not valid; raises `NotAnApp`."""
        return find_app(self.given)

    @cached_property
    def valid(self) -> App:
        """The app with a valid manifest."""
        if self.app.report.manifest is None:
            raise NothingToTry("the manifest is not valid")
        missing = [
            capability
            for capability, hooks in self.app.needed_hooks().items()
            if hooks and hooks[0] not in self.app.functions
        ]
        if missing:
            raise NothingToTry("a capability is not implemented")
        return self.app

    @cached_property
    def inside(self) -> TransportRun:
        """The run of the app in the host's process."""
        return run_apart(self._inside())

    @cached_property
    def served(self) -> TransportRun:
        """The run of the app as a web service."""
        return run_apart(self._served())

    @cached_property
    def exchanges(self) -> Exchanges:
        """The responses of the web service to invalid and repeated messages."""
        if not self.questions:
            raise NothingToTry("there is no question that the app could be asked")
        return run_apart(exchange(self.valid, self.endpoint, self.calm_question()))

    @cached_property
    def questions(self) -> list[SampleCall]:
        """The calls that are made over both transports."""
        return [asked.question for asked in self.inside.asked]

    @property
    def older_version(self) -> str | None:
        """An older version of the contract that the manifest declares; None if it does not."""
        manifest = self.valid.manifest
        declared = VersionRange.parse(manifest.contract)
        older = (each for each in CONTRACT_VERSIONS if each != manifest.speaks)
        return next((each for each in older if each in declared), None)

    @cached_property
    def older(self) -> Sequence[Invocation]:
        """The questions, asked as a room asks that is locked to the older version."""
        return run_apart(self._older())

    @cached_property
    def coverage(self) -> Coverage:
        """What was reached of the app, and what was not."""
        return coverage_of(self.valid, self.inside.noted, self.inside.game.tried)

    def survival(self, fault: Fault | WireFault) -> FaultToleranceRun:
        """Return the run of a room whose app broke in this way."""
        return self._survived(type(fault))[fault]

    def _all_survived(
        self, faults: type[Fault] | type[WireFault]
    ) -> Mapping[Fault | WireFault, FaultToleranceRun]:
        return run_apart(self._survive(tuple(faults)))

    def calm_question(self) -> SampleCall:
        """Return a call that returns a result, and neither a refusal nor a failure."""
        good = (asked.question for asked in self.inside.asked if asked.failure is None)
        return next(good, self.questions[0])

    async def _inside(self) -> TransportRun:
        app, notes = self.valid, CallRecords()
        async with open_host({app.app_id: record_calls(app, notes)}, clock=moment()) as host:
            game = await simulate(host, app, self.wishes)
            if game.settings is not None:
                await explore(host, app, self.wishes, game, notes)
            played = tuple(notes.calls)
            questions = sample_calls_for(app, self.wishes, game.settings, played)
            asked = await invoke_all(host, app, questions)
            again = await invoke_all(host, app, questions)
            return TransportRun(game, tuple(notes.calls), asked, tuple(host.observed), again)

    async def _older(self) -> Sequence[Invocation]:
        app, version = self.valid, self.older_version
        questions = [
            replace(each, context=each.context.model_copy(update={"contract": version}))
            for each in self.questions
        ]
        async with open_host({app.app_id: app.plugin}, clock=moment()) as host:
            return await invoke_all(host, app, questions)

    async def _served(self) -> TransportRun:
        app, notes, questions = self.valid, CallRecords(), self.questions
        plugin = record_calls(app, notes)
        async with open_host(
            {app.app_id: plugin}, served=True, endpoint=self.endpoint, clock=moment()
        ) as host:
            game = await simulate(host, app, self.wishes)
            asked = await invoke_all(host, app, questions)
            return TransportRun(game, tuple(notes.calls), asked, tuple(host.observed))

    async def _survive(
        self, faults: tuple[Fault | WireFault, ...]
    ) -> Mapping[Fault | WireFault, FaultToleranceRun]:
        app, notes = self.valid, CallRecords()
        settings = self.inside.game.settings
        if settings is None:
            raise NothingToTry("no room could be started")
        if any(call.result == "failure" for call in self.inside.observed):
            raise NothingToTry("the app fails without a fault; see the checks of its answers")
        async with open_host(
            {app.app_id: record_calls(app, notes)},
            served=isinstance(faults[0], WireFault),
            endpoint=self.endpoint,
            clock=moment(),
        ) as host:
            return {
                fault: await run_with_faults(host, app, self.wishes, settings, fault, notes)
                for fault in faults
            }


def moment() -> HeldClock:
    """Return a held clock at the current time."""
    return HeldClock(datetime.now(UTC))


def run_apart(work: Coroutine[object, object, T]) -> T:
    """Run in a separate event loop, in any context, without log output."""
    with ThreadPoolExecutor(1, thread_name_prefix="trial") as pool:
        return pool.submit(_quietly, work).result()


def _quietly(work: Coroutine[object, object, T]) -> T:
    # Apps are broken here on purpose: what the host logs of that would bury what the check says.
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with capture_logs():
            return asyncio.run(work)
    finally:
        logging.disable(before)
