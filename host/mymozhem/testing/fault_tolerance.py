"""A room whose app breaks while it is running, and is repaired later."""

from dataclasses import dataclass, field

from mymozhem.contract import (
    Hook,
    JsonObject,
    ParticipantStatus,
    RoomStatus,
    Strategy,
    WindowStatus,
)
from mymozhem.contract.hooks import (
    CLOSE_WINDOW,
    HANDLE_ACTION,
    REGISTER_PARTICIPANT,
    VALIDATE_SETTINGS,
)
from mymozhem.errors import MymozhemError
from mymozhem.manifests.enums import Addressee
from mymozhem.rooms.coordination.join_batches import JoinResult
from mymozhem.rooms.replay import LogBroken
from mymozhem.rooms.tables.rooms import RoomRow
from mymozhem.rooms.windows.commands import close

from .app_lookup import App
from .draws import finish_draws
from .harness import HostHarness
from .recording_app import CallRecords, Fault
from .sample_inputs import SampleInputs, answers_of, payloads_of
from .schema_values import values_for
from .web_server import WireFault

#: how long a broken app is waited for
HURRY_MS = 150
UNAVAILABLE = 503
#: after which everything that was queued has been asked again
RECOVERY_SECONDS = 30
RECOVERIES = 5


@dataclass
class FaultToleranceRun:
    """The problems of a room whose app broke; empty if the room continued."""

    fault: str
    problems: list[str] = field(default_factory=list)


async def run_with_faults(
    host: HostHarness,
    app: App,
    wishes: SampleInputs,
    settings: JsonObject,
    fault: Fault | WireFault,
    notes: CallRecords,
) -> FaultToleranceRun:
    """Break the app of a running room, use the room, repair the app, complete the room."""
    test = _Test(host, app, wishes, settings)
    await test.begin()
    await _break(host, app, notes, fault)
    try:
        async with host.hurried(HURRY_MS) as hurried:
            await test.go_on(hurried)
    finally:
        await _break(host, app, notes, None)
    await test.end()
    return FaultToleranceRun(fault.value, test.problems)


async def _break(
    host: HostHarness, app: App, notes: CallRecords, fault: Fault | WireFault | None
) -> None:
    notes.break_by(fault if isinstance(fault, Fault) else None)
    if app.app_id in host.fronts:
        await host.fronts[app.app_id].break_by(fault if isinstance(fault, WireFault) else None)


class _Test:
    def __init__(
        self, host: HostHarness, app: App, wishes: SampleInputs, settings: JsonObject
    ) -> None:
        self.problems: list[str] = []
        self._host = host
        self._app = app
        self._wishes = wishes
        self._settings = settings
        self._windows: list[str] = []

    async def begin(self) -> None:
        """Start a room while the app works, and open a window if the app has any."""
        app_id = self._app.app_id
        self._room: RoomRow = await self._host.start(app_id, settings=self._settings)
        self._prize = await self._host.prize(self._room)
        self._answers = answers_of(self._app, self._wishes)
        self._ada = await self._joins(self._host, "Ada")
        for action in self._app.manifest.actions:
            await self._acts(self._host, action)
            await self._answer()
            if self._windows:
                return

    async def go_on(self, hurried: HostHarness) -> None:
        """Use the room while the app is broken; note what differs from the manifest."""
        for action in self._app.manifest.actions:
            error = await self._acts(hurried, action)
            self._judge(HANDLE_ACTION, f"the action {action!r}", error)
            break  # one takes as long as a deadline
        await self._joins(hurried, "Bob", broken=True)
        await self._changes(hurried)
        for window in self._windows:
            services, organizer = hurried.services, hurried.organizer
            await self._must("closing a window by hand", close(
                services, self._room.id, organizer, window
            ))  # fmt: skip
        await self._must("renaming the room", hurried.change(
            self._room.id, fields={"name": "The evening goes on"}
        ))  # fmt: skip

    async def end(self) -> None:
        """Check the state of the room after the app is repaired."""
        for action in self._app.manifest.actions:
            error = await self._acts(self._host, action)
            if error is not None and error.status >= UNAVAILABLE:
                self.problems.append(
                    f"After it was repaired the app still failed in the action {action!r}: "
                    f"{error.code} {error.message} It must keep nothing between two questions."
                )
            break
        for _ in range(RECOVERIES):
            await self._must("asking again", self._host.advance(RECOVERY_SECONDS))
        await self._windows_closed()
        await finish_draws(self._host, self._room)
        ended = self._host.change(self._room.id, status=RoomStatus.COMPLETED)
        await self._must("completing the room", ended)
        try:
            await self._host.replayed(self._room.id)
        except LogBroken as error:
            self.problems.append(f"The log of the room does not add up any more: {error}.")

    async def _acts(self, host: HostHarness, action: str) -> MymozhemError | None:
        """Do an action with an allowed role; return the error, None if it succeeded."""
        spec = self._app.manifest.actions[action]
        known = {
            "prizeId": self._prize,
            "participantId": self._ada.participant.id if self._ada else "",
        }
        payloads = payloads_of(action, spec, self._wishes, known)
        if not payloads or RoomStatus.ACTIVE not in spec.when:
            return None
        organizer = Addressee.ORGANIZER in spec.roles
        try:
            await host.act(self._room, action, payloads[0], by=None if organizer else self._ada)
        except MymozhemError as error:
            return error
        return None

    async def _answer(self) -> None:
        """Submit to the windows that are open, and remember them."""
        if self._ada is None:
            return
        seen = await self._host.sees(self._room, self._ada)
        for window in seen.windows:
            if window.status == WindowStatus.OPEN and window.id not in self._windows:
                self._windows.append(window.id)
                await self._host.advance(window.min_elapsed_ms / 1000 + 1)
                made = values_for(window.accepts)
                try:
                    await self._host.submit(
                        self._room, window.id, made[0] if made else {}, by=self._ada
                    )
                except MymozhemError:
                    continue

    async def _joins(
        self, host: HostHarness, name: str, *, broken: bool = False
    ) -> JoinResult | None:
        for answers in self._answers:
            error: MymozhemError | None = None
            try:
                joined = await host.guest(self._room, name, answers)
            except MymozhemError as refused:
                error = refused
            else:
                if broken:
                    self._judge_joined(joined)
                return joined
        if broken:
            self._judge(REGISTER_PARTICIPANT, "joining", error)
        return None

    def _judge_joined(self, joined: JoinResult) -> None:
        waits = joined.participant.status == ParticipantStatus.PENDING
        if self._strategy(REGISTER_PARTICIPANT) is Strategy.REVIEW and not waits:
            self.problems.append(
                "Somebody who joined while the app was broken did not wait for an organizer."
            )

    async def _changes(self, host: HostHarness) -> None:
        try:
            await host.change(self._room.id, settings={})
        except MymozhemError as error:
            self._judge(VALIDATE_SETTINGS, "changing settings", error)

    def _judge(self, hook: Hook, what: str, error: MymozhemError | None) -> None:  # type: ignore[type-arg]  # any
        """Note an error that the manifest's strategy does not give."""
        if error is None:
            return
        strategy = self._strategy(hook)
        if error.status > UNAVAILABLE or error.status == 500:  # noqa: PLR2004  a fault
            self.problems.append(f"{what} ended in a fault: {error.code} {error.message}")
        elif strategy is Strategy.FALLBACK and error.code != "REFUSED":
            self.problems.append(
                f"{what} was to be decided by the literal of policies/{hook.capability}/fallback, "
                f"which cannot be used here: {error.code} {error.message}"
            )
        elif strategy not in (None, Strategy.FAIL, Strategy.FALLBACK):
            self.problems.append(
                f"{what} was to be decided by {strategy!s}, and failed: "
                f"{error.code} {error.message}"
            )

    def _strategy(self, hook: Hook) -> Strategy | None:  # type: ignore[type-arg]  # any
        """Return the manifest's strategy for failures of a hook; None if the host decides."""
        manifest = self._app.manifest
        taken = hook.capability in manifest.capabilities
        return manifest.policy(hook).on_failure if taken else None

    async def _windows_closed(self) -> None:
        seen = await self._host.sees(self._room)
        for window in seen.windows:
            if window.id in self._windows and window.status == WindowStatus.TALLYING:
                strategy = self._strategy(CLOSE_WINDOW)
                self.problems.append(
                    f"The window {window.id!r} is still being tallied after the app was repaired "
                    f"(policies/windows says {strategy!s}): close_window fails."
                )

    async def _must(self, what: str, doing: object) -> None:
        """Do something that must succeed although the app is broken."""
        try:
            await doing  # type: ignore[misc]  # a coroutine
        except MymozhemError as error:
            self.problems.append(f"{what} was not possible: {error.code} {error.message}")
