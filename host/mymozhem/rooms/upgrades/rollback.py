"""Roll a room back to its previous lock, with the settings that it had.

Each lock keeps the previous settings and state. A rollback is a move like any other: it appends a
lock, so rolling back a rollback returns to where the room was.
"""

from typing import cast

from mymozhem.auth.principal import Principal
from mymozhem.contract import JsonObject, RoomStatus
from mymozhem.contract.enums import UpgradeHow
from mymozhem.dispatch.policy import Budget
from mymozhem.errors import Conflict
from mymozhem.manifests.declared_settings import declared_only
from mymozhem.registry.manifest_history import Published
from mymozhem.rooms.core.services import Services

from .migrate import MigratedRoom, MigrationPath, State, Strategy, fitted
from .plan import Plan
from .procedure import Moved, MoveRequest, UpgradeProcedure
from .snapshot import RoomSnapshot, find_version


class NothingToRollBack(Conflict):
    """The room has the version that it was created with; there is nothing to roll back."""

    default_code = "NOTHING_TO_ROLL_BACK"


async def roll_back(
    services: Services, room_id: str, caller: Principal, wish: MoveRequest | None = None
) -> Moved:
    """Roll a room back to its previous lock, or only plan it. For organizers.

    The room gets the settings that it had there. A draft also gets the state that it had there; a
    running room keeps its state if the old version accepts it. Raises NothingToRollBack, or the
    first of the plan's refusals as `upgrade_room` does; a deprecated version is allowed, and no
    consent is required.
    """
    return await _Rollback(services, room_id, caller, wish or MoveRequest()).run()


class _Rollback(UpgradeProcedure):
    """The rollback of a room."""

    is_back = True

    def target(self, seen: RoomSnapshot) -> Published:
        """Return the version of the previous lock."""
        before = _before(seen)
        return find_version(seen.app, str(before["version"]))

    async def carried(
        self, seen: RoomSnapshot, way: MigrationPath, budget: Budget | None
    ) -> MigratedRoom:
        """Return the room's previous settings, and the state that it will have."""
        del budget  # the app is not asked to carry what was there already
        before = _before(seen)
        running = seen.room.status is RoomStatus.ACTIVE
        state = seen.had.state if running else cast("State", before["state"])
        settings = declared_only(way.target.settings_outline, before["settings"])
        return fitted(way.target, cast("JsonObject", settings), state)

    def may_run(self, carried: MigratedRoom) -> bool:
        """Return whether a running room may go back: if its state fits."""
        return carried.strategy is not Strategy.MANUAL

    def how(self, plan: Plan) -> UpgradeHow:
        """Return that it is a rollback."""
        del plan
        return UpgradeHow.ROLLBACK

    def reason(self, plan: Plan) -> str:
        """Return that it is a rollback."""
        del plan
        return "rollback"


def _before(seen: RoomSnapshot) -> JsonObject:
    before = seen.lock.before
    if before is None:
        raise NothingToRollBack
    return before
