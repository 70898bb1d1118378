"""Move a room to a version that its organizer names: up, or down if that is declared."""

from dataclasses import dataclass
from functools import partial

from mymozhem.auth.principal import Principal
from mymozhem.contract import (
    JsonObject,
    RoomData,
    SettingsMigrationRequest,
    SettingsMigrationResult,
)
from mymozhem.contract.enums import UpgradeHow
from mymozhem.contract.hooks import MIGRATE_SETTINGS
from mymozhem.dispatch.outcome import Outcome
from mymozhem.dispatch.policy import Budget
from mymozhem.errors import Conflict, MymozhemError
from mymozhem.registry.manifest_history import Published
from mymozhem.rooms.app_calls.fallbacks import record_fallback
from mymozhem.rooms.app_calls.pending import new_app_call
from mymozhem.rooms.core.revision import RoomChanged, StaleSnapshot, revision
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import RoomTransaction

from .migrate import (
    AppAnswer,
    MigratedRoom,
    MigrationPath,
    Strategy,
    given_to_app,
    migrate,
    must_ask,
)
from .plan import Plan
from .procedure import MigrationPaths, Moved, MoveRequest, UpgradeProcedure
from .snapshot import RoomSnapshot, find_version, organizer


class ConsentRequired(Conflict):
    """More people would see something in that version; agree with `consent`, or stay."""

    default_code = "CONSENT_REQUIRED"


@dataclass(frozen=True)
class UpgradeRequest(MoveRequest):
    """Which version a room should have.

    `migration_data` is a merge patch for the settings, applied after steps and app; `consent`
    consents to the changes that need it. `source` is the version that the room must have now, None
    for any.
    """

    target: str = ""
    source: str | None = None
    migration_data: JsonObject | None = None
    consent: bool = False


async def upgrade_room(
    services: Services,
    room_id: str,
    caller: Principal,
    wish: UpgradeRequest,
    *,
    journeys: MigrationPaths | None = None,
) -> Moved:
    """Move a room to another version of its app, or only plan it. For organizers.

    The current version changes nothing. Raises the first of the plan's refusals:
    VERSION_DEPRECATED, APP_STOPPED, APP_NOT_SERVED, ROOM_ENDED, ROOM_ACTIVE, CONSENT_REQUIRED,
    MIGRATION_REQUIRED; a dry run returns them all in the plan. Raises NotFound for an unknown
    version; otherwise see `UpgradeProcedure.run`.
    """
    return await _Upgrade(services, room_id, caller, wish, journeys=journeys).run()


class _Upgrade(UpgradeProcedure):
    """The move of a room to a named version."""

    def __init__(
        self,
        services: Services,
        room_id: str,
        caller: Principal,
        wish: UpgradeRequest,
        *,
        journeys: MigrationPaths | None = None,
    ) -> None:
        super().__init__(services, room_id, caller, wish, journeys=journeys)
        self._wanted = wish
        self._carrying: Outcome[SettingsMigrationResult] | None = None

    def target(self, seen: RoomSnapshot) -> Published:
        """Return the named version; NotFound if there is none."""
        if self._wanted.source not in (None, seen.source.version):
            raise RoomChanged(details={"version": seen.room.version})
        return find_version(seen.app, self._wanted.target)

    async def carried(
        self, seen: RoomSnapshot, way: MigrationPath, budget: Budget | None
    ) -> MigratedRoom:
        """Return the settings and state after steps, app and the organizer's data."""
        said = None
        self._carrying = None
        # Steps may take seconds where their author means harm.
        costly = self.services.costly
        if budget is not None and await costly.run(partial(must_ask, way, seen.had)):
            said = await self._ask(seen, budget)
        data = self._wanted.migration_data
        return await costly.run(partial(migrate, way, seen.had, said=said, data=data))

    def against(self, plan: Plan) -> tuple[MymozhemError, ...]:
        """Return that consent is missing, if it is."""
        if self._wanted.consent or not plan.consents:
            return ()
        missing = [
            {"pointer": each.pointer, "code": each.code, "message": each.message}
            for each in plan.consents
        ]
        return (ConsentRequired(details={"consents": missing}),)

    def how(self, plan: Plan) -> UpgradeHow:
        """Return automatic or assisted."""
        automatic = plan.strategy is Strategy.AUTOMATIC
        return UpgradeHow.AUTOMATIC if automatic else UpgradeHow.ASSISTED

    def reason(self, plan: Plan) -> str:
        """Return upgrade, or downgrade if the path leads down."""
        del plan
        return "downgrade" if self._way.is_down else "upgrade"

    def record(self, transaction: RoomTransaction) -> None:
        """Record that the organizer's data replaced the app's migration."""
        if self._carrying is not None:
            record_fallback(transaction, MIGRATE_SETTINGS, self._carrying)

    async def _ask(self, seen: RoomSnapshot, budget: Budget) -> AppAnswer:
        async with self.services.database.read() as session:
            membership = await organizer(session, self._room_id, self._caller)
            if await revision(session, membership.room, membership) != seen.revision:
                raise StaleSnapshot
            context = await self.context(session, membership, self._way.newer, MIGRATE_SETTINGS)
        call = new_app_call(
            MIGRATE_SETTINGS,
            context=context,
            request=SettingsMigrationRequest(
                settings=await self.services.costly.run(partial(given_to_app, self._way, seen.had)),
                state=RoomData.model_validate(dict(seen.had.state)),
                from_version=seen.source.version,
                to_version=self._way.target.version,
            ),
            revision=None,
        )
        self._carrying = outcome = await call.answer(self.services, budget)
        no = outcome.refusal or outcome.failure
        if outcome.result is not None:
            return AppAnswer(outcome.result)
        why = no.message if no is not None else "it was not called"
        return AppAnswer(why_not=f"The app did not migrate the room: {why}")
