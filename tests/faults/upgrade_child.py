"""A host that moves a room to another version, and kills itself at the n-th step of that."""

import sys
from pathlib import Path

from mymozhem.auth.principal import Principal
from mymozhem.clock import SystemClock
from mymozhem.contract import PersonKind
from mymozhem.db.unit_of_work import Database
from mymozhem.rooms.upgrades.upgrade import UpgradeRequest, upgrade_room
from tests.faults.host_child import Fuse, lay
from tests.integration.rooms.upgrades.test_upgrade import RENAME, RENAMED
from tests.support.apps.versioned_app import VersionedApp
from tests.support.host import make_services


async def main(url: str, folder: str, room_id: str, user_id: str, steps: int) -> None:
    database = Database(url, clock=SystemClock())
    await database.open()
    app = VersionedApp("2.0.0", RENAMED, migrations=[RENAME])
    services = await make_services(database, SystemClock(), Path(folder), {"shop": app})
    fuse = Fuse(steps or 1_000_000)
    lay(fuse, database)
    caller = Principal(user_id, PersonKind.REGISTERED, None, "token")
    await upgrade_room(services, room_id, caller, UpgradeRequest(target="2.0.0"))
    await services.dispatcher.close()
    await database.close()
    sys.stdout.write(f"{fuse.burnt}\n")
