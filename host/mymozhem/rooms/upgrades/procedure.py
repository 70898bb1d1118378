"""Move a room to another version: read a snapshot, call the app, and write if it is not stale.

The app is called at most twice, within one budget and without locks: first to migrate settings and
state, outside of the room's mutex; then, as for every change, to validate the resulting settings.
The first call goes to the newer of the two versions, the second to the target version. Results
count only if the room has not changed since the snapshot.
"""

from abc import abstractmethod
from collections.abc import MutableMapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.auth.principal import Principal
from mymozhem.contract import (
    AppRef,
    Context,
    Hook,
    Level,
    RoomData,
    RoomStatus,
    SettingsValidationRequest,
    SettingsValidationResult,
)
from mymozhem.contract.enums import UpgradeHow
from mymozhem.contract.hooks import MIGRATE_SETTINGS, VALIDATE_SETTINGS
from mymozhem.dispatch.outcome import Outcome
from mymozhem.dispatch.policy import Budget
from mymozhem.errors import Conflict, MymozhemError, Unavailable
from mymozhem.manifests.model import Manifest
from mymozhem.registry.manifest_history import Published
from mymozhem.rooms.app_calls.exchange import Exchange, PreparedCall, run_exchange
from mymozhem.rooms.app_calls.fallbacks import record_fallback
from mymozhem.rooms.app_calls.pending import new_app_call
from mymozhem.rooms.coordination.room_mutex import RoomBusy
from mymozhem.rooms.core.app_context import build_context
from mymozhem.rooms.core.membership import Membership
from mymozhem.rooms.core.revision import Revision, RoomChanged, StaleSnapshot, revision
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import ENDED, RoomTransaction
from mymozhem.rooms.notifications import send

from . import preconditions
from .apply import Move, move
from .migrate import MigratedRoom, MigrationPath, Strategy, migration_path, with_problems
from .plan import Plan, migration_required
from .snapshot import RoomSnapshot, organizer, take_snapshot

#: paths between versions by the digests of both manifests, shared by moves of many rooms
MigrationPaths = MutableMapping[tuple[str, str], MigrationPath]


@dataclass(frozen=True)
class MoveRequest:
    """How to move a room.

    `dry_run` writes nothing. `expected` is the version of the room that the caller saw.
    """

    dry_run: bool = False
    expected: int | None = None


@dataclass(frozen=True)
class Moved:
    """The result of a move; `lock` is the digest of the room's current lock."""

    plan: Plan
    moved: bool
    lock: str


class UpgradeProcedure(
    Exchange[SettingsValidationRequest, SettingsValidationResult, Revision, Moved]
):
    """One move of one room; subclasses name the target and how settings are migrated."""

    hook = VALIDATE_SETTINGS

    #: whether the way leads back to where the room was
    is_back: ClassVar[bool] = False

    _seen: RoomSnapshot
    _published: Published
    _way: MigrationPath
    _plan: Plan

    def __init__(
        self,
        services: Services,
        room_id: str,
        caller: Principal,
        wish: MoveRequest,
        *,
        journeys: MigrationPaths | None = None,
    ) -> None:
        self.services = services
        self._room_id = room_id
        self._caller = caller
        self._wish = wish
        self._journeys = {} if journeys is None else journeys

    @abstractmethod
    def target(self, seen: RoomSnapshot) -> Published:
        """Return the target version; raise if there is none."""

    @abstractmethod
    async def carried(
        self, seen: RoomSnapshot, way: MigrationPath, budget: Budget | None
    ) -> MigratedRoom:
        """Return the migrated settings and state; without a budget, the app is not called."""

    @abstractmethod
    def how(self, plan: Plan) -> UpgradeHow:
        """Return how the room is moved, for its log."""

    @abstractmethod
    def reason(self, plan: Plan) -> str:
        """Return the reason kept with the new lock: upgrade, downgrade or rollback."""

    def may_run(self, carried: MigratedRoom) -> bool:
        """Return whether a running room may be moved in this way."""
        return carried.strategy is Strategy.AUTOMATIC

    def against(self, plan: Plan) -> tuple[MymozhemError, ...]:
        """Return further errors against a plan."""
        del plan
        return ()

    def record(self, transaction: RoomTransaction) -> None:
        """Record further facts in the log; nothing by default."""
        del transaction

    async def run(self) -> Moved:
        """Move the room, or only plan it; raise the first of the plan's refusals.

        Raises RoomChanged if the room is not the one that the caller saw, Refused with the app's
        refusal, and RoomBusy if the room keeps changing.
        """
        budget: Budget | None = None
        while budget is None or budget.left_ms() > 0:
            self._seen = seen = await take_snapshot(self.services, self._room_id, self._caller)
            if self._wish.expected not in (None, seen.room.version):
                raise RoomChanged(details={"version": seen.room.version})
            self._published = self.target(seen)
            self._way = await self._journey()
            if self._way.target.version == seen.source.version:
                return Moved(self._planned(_as_it_is(seen)), moved=False, lock=seen.lock.digest)
            budget = budget or self._budget()
            try:
                await self._make_plan(budget)
                if self._wish.dry_run:
                    plan = await self._validated_plan(budget)
                    return Moved(plan, moved=False, lock=seen.lock.digest)
                self._plan.refuse()
                return await run_exchange(self.services, self._room_id, self, budget=budget)
            except StaleSnapshot:
                continue
        raise RoomBusy

    async def prepare(
        self, session: AsyncSession
    ) -> PreparedCall[SettingsValidationRequest, Revision]:
        """Show the app the room as planned; StaleSnapshot if it changed since the snapshot."""
        membership = await organizer(session, self._room_id, self._caller)
        seen = await revision(session, membership.room, membership)
        if seen != self._seen.revision:
            raise StaleSnapshot
        carried, active = self._plan.carried, membership.room.status is RoomStatus.ACTIVE
        context = await self.context(session, membership, self._way.target, VALIDATE_SETTINGS)
        if context.room is not None:
            state = RoomData.model_validate(dict(carried.state))
            shown = {"settings": carried.settings, "state": state}
            context = context.model_copy(update={"room": context.room.model_copy(update=shown)})
        return PreparedCall(
            context=context,
            request=SettingsValidationRequest(
                settings=carried.settings, purpose="activate" if active else "save"
            ),
            revision=seen,
            actor_id=self._caller.user_id,
        )

    async def current_revision(self, transaction: RoomTransaction) -> Revision:
        """Return the revision, which the caller's role belongs to."""
        membership = await organizer(transaction.session, self._room_id, self._caller)
        return await revision(transaction.session, transaction.room, membership)

    async def apply(
        self,
        transaction: RoomTransaction,
        current: Revision,
        outcome: Outcome[SettingsValidationResult],
    ) -> Moved:
        """Move the room, unless something that is not in the revision forbids it by now."""
        del current
        outcome.raise_if_refused()
        outcome.raise_if_failed(for_staff=True)
        if self._wish.expected not in (None, transaction.room.version):
            raise RoomChanged(details={"version": transaction.room.version})
        under_way = await preconditions.under_way(transaction.session, self._room_id)
        plan = self._judged(outcome).refused(
            *self._of_target(), *preconditions.of_room(transaction.room, under_way)
        )
        plan.refuse()
        record_fallback(transaction, VALIDATE_SETTINGS, outcome)
        self.record(transaction)
        lock = await move(
            transaction,
            Move(
                target=self._way.target,
                settings=plan.carried.settings,
                state=plan.carried.state,
                how=self.how(plan),
                reason=self.reason(plan),
            ),
        )
        if self._seen.by_other:
            await _notify(transaction, plan)
        return Moved(plan, moved=True, lock=lock.digest)

    async def context(
        self,
        session: AsyncSession,
        membership: Membership,
        version: Manifest,
        hook: Hook[BaseModel, BaseModel],
    ) -> Context:
        """Return the context for a version other than the one that the room is locked to."""
        now = self.services.clock.now()
        context = await build_context(
            session,
            self.services,
            membership.room,
            version,
            hook=hook,
            now=now,
            membership=membership,
        )
        app = AppRef(id=context.app.id, version=version.version)
        return context.model_copy(update={"app": app})

    async def _make_plan(self, budget: Budget) -> None:
        """Plan it: what settings and state would be, and all that stands against it."""
        can_ask = not self._of_target() and self._seen.room.status not in ENDED
        carried = await self.carried(self._seen, self._way, budget if can_ask else None)
        self._plan = self._planned(carried, *self._all_against(carried))

    def _planned(self, carried: MigratedRoom, *refusals: MymozhemError) -> Plan:
        return Plan(self._way, self._seen.had, carried, refusals)

    async def _journey(self) -> MigrationPath:
        source, target = self._seen.source, self._published.manifest
        key = (source.digest, target.digest)
        if key not in self._journeys:
            history = tuple(each.manifest for each in self._seen.app.versions)
            # Two large manifests take a while to compare.
            find = partial(migration_path, source, target, history)
            self._journeys[key] = await self.services.costly.run(find)
        return self._journeys[key]

    def _budget(self) -> Budget:
        """Return the time budget: that of the migration, plus that of an action."""
        limits = self.services.settings
        carrying_ms = self._way.newer.policy(MIGRATE_SETTINGS).timeout_ms
        wanted_ms = carrying_ms + limits.action_budget_ms
        return Budget(self.services.clock, min(wanted_ms, limits.max_deadline_ms))

    def _of_target(self) -> tuple[MymozhemError, ...]:
        return preconditions.of_target(self.services.catalog, self._published, back=self.is_back)

    def _all_against(self, carried: MigratedRoom) -> list[MymozhemError]:
        """Return all errors against the plan, those that cannot be helped first."""
        room, why = self._seen.room, self._seen.under_way
        if room.status is RoomStatus.ACTIVE and not self.may_run(carried):
            why = (preconditions.NOT_AUTOMATIC, *why)
        found = [
            *self._of_target(),
            *preconditions.of_room(room, why),
            *self.against(self._planned(carried)),
        ]
        if carried.strategy is Strategy.MANUAL:
            found.append(migration_required(self._way.target.version, carried))
        return found

    async def _validated_plan(self, budget: Budget) -> Plan:
        """Return the plan with the app's problems of the settings, if it can be called."""
        plan = self._plan
        if plan.strategy is Strategy.MANUAL or self._of_target():
            return plan
        async with self.services.database.read() as session:
            prepared = await self.prepare(session)
        call = new_app_call(
            VALIDATE_SETTINGS, context=prepared.context, request=prepared.request, revision=None
        )
        outcome = await call.answer(self.services, budget)
        try:
            outcome.raise_if_refused()
            outcome.raise_if_failed(for_staff=True)
        except (Conflict, Unavailable) as error:
            return plan.refused(error)
        return self._judged(outcome)

    def _judged(self, outcome: Outcome[SettingsValidationResult]) -> Plan:
        """Return the plan with the problems that the app found in the settings."""
        if outcome.result is None or not outcome.result.problems:
            return self._plan
        target = self._way.target
        carried = with_problems(self._plan.carried, target, outcome.result.problems)
        return self._plan.refused(migration_required(target.version, carried), carried=carried)


def _as_it_is(seen: RoomSnapshot) -> MigratedRoom:
    return MigratedRoom(Strategy.AUTOMATIC, seen.had.settings, seen.had.state)


async def _notify(transaction: RoomTransaction, plan: Plan) -> None:
    name = transaction.manifest.meta.name
    await send.send_notification(
        transaction,
        to=Level.ORGANIZER,
        title=f"{name} {plan.version_after}",
        message=(
            f"An operator has moved {transaction.room.name} from {name} {plan.version_before} to "
            f"{plan.version_after}. The room's page says what has changed; you can go back."
        ),
    )
