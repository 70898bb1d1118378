"""The isolated code of one host: the content of its folder, as far as it fits the history."""

import asyncio
import logging
from collections.abc import Iterable

from mymozhem.contract.versions import as_version
from mymozhem.db.unit_of_work import Database
from mymozhem.errors import Conflict
from mymozhem.registry import manifest_history
from mymozhem.registry.loaded_code import IsolatedCode, Refused
from mymozhem.registry.manifest_history import NotInstallable, Published, VersionImmutable

from .environments import Environments, Installed, Stamp

logger = logging.getLogger(__name__)


class IsolatedCatalog:
    """Follows a folder of environments; publishes their manifests like those of plugins.

    `installed` is the result of the last refresh.
    """

    def __init__(self, database: Database, environments: Environments) -> None:
        self.installed = Installed()
        self._database = database
        self._environments = environments
        self._stamp: Stamp | None = None

    async def is_news(self) -> bool:
        """Return whether an environment was added or removed since the last refresh; cheap."""
        return await self._now() != self._stamp

    async def refresh(self) -> None:
        """Read the environments again if something changed, and publish new manifests.

        A broken environment does not raise. Raises `Unavailable` if the database is; the last
        result stays then.
        """
        stamp = await self._now()
        if stamp == self._stamp:
            return
        found = await asyncio.to_thread(self._environments.read)
        self.installed = await self._admitted(found)
        self._stamp = stamp
        for each in self.installed.refused:
            logger.warning("isolated app %s is refused: %s", each.app_id, "; ".join(each.reasons))

    async def _now(self) -> Stamp:
        return await asyncio.to_thread(self._environments.stamp)

    async def _admitted(self, found: Installed) -> Installed:
        if not found.codes:
            return found
        async with self._database.read() as session:
            published = await manifest_history.versions(session)
        # The oldest first, which is the order of publication.
        order = sorted(found.codes, key=lambda code: as_version(code.manifest.version))
        admitted = [await self._with_history(code, published) for code in order]
        return Installed(
            tuple(each for each in admitted if isinstance(each, IsolatedCode)),
            (*found.refused, *(each for each in admitted if isinstance(each, Refused))),
        )

    async def _with_history(
        self, code: IsolatedCode, published: Iterable[Published]
    ) -> IsolatedCode | Refused:
        same_app = [each.manifest for each in published if each.app_id == code.app_id]
        digests = {each.version: each.digest for each in same_app}
        if digests.get(code.manifest.version) == code.manifest.digest:
            return code
        try:
            async with self._database.write(turn=code.app_id) as unit:
                await manifest_history.publish(unit, code.app_id, code.manifest)
        except (VersionImmutable, NotInstallable) as error:
            return _refused(code, error)
        except Conflict as error:  # not a new version, but it may serve other versions
            if not any(code.serves(each.version) for each in same_app):
                return _refused(code, error)
        return code


def _refused(code: IsolatedCode, error: Conflict) -> Refused:
    return Refused(code.app_id, (f"the environment {code.name} cannot run: {error.message}",))
