"""Taking a room back to the lock before, with the settings that it had.

The way back is remembered with each lock, and going back is a move like any other: it appends a
lock of its own, so that going back twice returns to where the room was.
"""

from typing import cast

from mymozhem.auth.principal import Principal
from mymozhem.contract import JsonObject, RoomStatus
from mymozhem.contract.enums import UpgradeHow
from mymozhem.dispatch.policy import Budget
from mymozhem.errors import Conflict
from mymozhem.registry.manifest_history import Published
from mymozhem.rooms.core.services import Services

from .migrate import MigratedRoom, MigrationPath, State, Strategy, fitted
from .plan import Plan
from .procedure import Moved, MoveRequest, UpgradeProcedure
from .snapshot import RoomSnapshot, find_version


class NothingToRollBack(Conflict):
    """The room has the version that it was made with; there is nothing to go back to."""

    default_code = "NOTHING_TO_ROLL_BACK"


async def roll_back(
    services: Services, room_id: str, caller: Principal, wish: MoveRequest | None = None
) -> Moved:
    """Take a room back to the lock before, or only plan it. For organizers.

    Its settings are those that it had there. A draft gets the state that it had there as well; a
    running room keeps the state that it has, where the old version can take it. Raises
    NothingToRollBack, or the first of the plan's refusals as `upgrade_room` does; a deprecated
    version is no reason against going back, and no consent is asked for.
    """
    return await _Rollback(services, room_id, caller, wish or MoveRequest()).run()


class _Rollback(UpgradeProcedure):
    """A room on its way back."""

    is_back = True

    def target(self, seen: RoomSnapshot) -> Published:
        """Return the version of the lock before."""
        before = _before(seen)
        return find_version(seen.app, str(before["version"]))

    async def carried(
        self, seen: RoomSnapshot, way: MigrationPath, budget: Budget | None
    ) -> MigratedRoom:
        """Return the settings that the room had, and the state that it is to have."""
        del budget  # the app is not asked to carry what was there already
        before = _before(seen)
        running = seen.room.status is RoomStatus.ACTIVE
        state = seen.had.state if running else cast("State", before["state"])
        return fitted(way.target, cast("JsonObject", before["settings"]), state)

    def may_run(self, carried: MigratedRoom) -> bool:
        """Tell whether a running room may go back: where its state fits."""
        return carried.strategy is not Strategy.MANUAL

    def how(self, plan: Plan) -> UpgradeHow:
        """Return that it goes back."""
        del plan
        return UpgradeHow.ROLLBACK

    def reason(self, plan: Plan) -> str:
        """Return that it goes back."""
        del plan
        return "rollback"


def _before(seen: RoomSnapshot) -> JsonObject:
    before = seen.lock.before
    if before is None:
        raise NothingToRollBack
    return before
