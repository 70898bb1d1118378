"""Settings from text: somebody pastes or uploads it, the app reads it, the host stores the value.

The app is asked twice within one budget: what the text says, outside of the room's turn, since that
may take long and has no effects; then, as for every change, whether it accepts the settings as they
would be. What it read counts only while the room stands as it saw it.
"""

from dataclasses import dataclass

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.auth.principal import Principal
from mymozhem.contract import (
    Context,
    Hook,
    JsonObject,
    Level,
    SettingsImportRequest,
    SettingsImportResult,
    SettingsValidationRequest,
    SettingsValidationResult,
)
from mymozhem.contract.hooks import IMPORT_SETTINGS, VALIDATE_SETTINGS
from mymozhem.dispatch.outcome import Outcome
from mymozhem.dispatch.policy import Budget
from mymozhem.errors import Unavailable
from mymozhem.manifests.model import Manifest
from mymozhem.manifests.settings import project
from mymozhem.rooms.app_calls.exchange import Question, look_ask_write
from mymozhem.rooms.app_calls.fallbacks import record_fallback
from mymozhem.rooms.app_calls.pending import asked
from mymozhem.rooms.coordination.room_mutex import RoomBusy
from mymozhem.rooms.core.app_context import build_context
from mymozhem.rooms.core.membership import ORGANIZERS, Membership, require_role
from mymozhem.rooms.core.revision import Revision, revision
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import RoomTransaction

from .import_values import Imported, TextImport, readable, require_known_import, settings_with
from .update import require_no_problems, require_not_frozen, store_settings


async def import_setting(
    services: Services, room_id: str, caller: Principal, wish: TextImport
) -> Imported:
    """Let the app read text, and store what it read as a setting of the room. For organizers.

    Lines that could not be read are reported, and what could be is stored; where nothing could be,
    the setting stays as it was. NotFound for a setting
    without imports or an unknown format, TooLarge over 1 MiB of text, Invalid where the value
    breaks the schema or the app does not accept it, SettingsFrozen as for every change, Refused in
    the app's own words, Unavailable where it did not read the text, RoomBusy.
    """
    work = _Import(services, room_id, caller, wish)
    budget = await work.budget()
    while budget.left_ms() > 0:
        await work.read(budget)
        if work.stands_still:
            return work.result(saved=False)
        try:
            return await look_ask_write(
                services,
                room_id,
                VALIDATE_SETTINGS,
                look=work.look,
                again=work.again,
                write=work.write,
                budget=budget,
            )
        except _MovedOn:
            continue
    raise RoomBusy


class _MovedOn(Exception):
    """The room is another one than the app saw when it read the text."""


@dataclass(frozen=True)
class _Read:
    """What the app read, and what that was computed from."""

    result: SettingsImportResult
    revision: Revision


class _Import:
    """An import on its way: read, looked at, asked about, and written when it still fits."""

    _found: _Read

    def __init__(
        self, services: Services, room_id: str, caller: Principal, wish: TextImport
    ) -> None:
        self._services = services
        self._room_id = room_id
        self._caller = caller
        self._wish = wish
        self._text = readable(wish.text)
        self._settings: JsonObject = {}

    async def budget(self) -> Budget:
        """Return the time for it all: that of the reading, and that of an action besides."""
        async with self._services.database.read() as session:
            _, manifest = await self._membership(session)
        require_known_import(manifest, self._wish)
        limits = self._services.settings
        wanted_ms = manifest.policy(IMPORT_SETTINGS).timeout_ms + limits.action_budget_ms
        return Budget(self._services.clock, min(wanted_ms, limits.max_deadline_ms))

    async def read(self, budget: Budget) -> None:
        """Ask the app what the text says; raises where it refused or failed."""
        async with self._services.database.read() as session:
            membership, manifest = await self._membership(session)
            seen = await revision(session, membership.room, membership)
            context = await self._context(session, membership, manifest, IMPORT_SETTINGS)
        question = asked(
            IMPORT_SETTINGS,
            context=context,
            request=SettingsImportRequest(
                setting=self._wish.setting, text=self._text, format=self._wish.format
            ),
            revision=None,
        )
        outcome = await question.answer(self._services, budget)
        self._found = _Read(_answer(outcome), seen)
        self._manifest = manifest

    @property
    def stands_still(self) -> bool:
        """Whether a line could not be read, and all of them were to be, or no line could."""
        found = self._found.result
        nothing = found.value in (None, [], {}, "")
        return bool(found.problems) and (self._wish.strict or nothing)

    async def look(self, session: AsyncSession) -> Question[SettingsValidationRequest]:
        """See the settings as they would be; _MovedOn where the room is not as the app saw it."""
        membership, manifest = await self._membership(session)
        room = membership.room
        seen = await revision(session, room, membership)
        if seen != self._found.revision:
            raise _MovedOn
        self._settings = settings_with(
            manifest, room.app_settings, self._wish, self._found.result.value
        )
        require_not_frozen(room.status, manifest, room.app_settings, self._settings)
        return Question(
            context=await self._context(session, membership, manifest, VALIDATE_SETTINGS),
            request=SettingsValidationRequest(settings=self._settings, purpose="save"),
            revision=seen,
            actor_id=self._caller.user_id,
        )

    async def again(self, transaction: RoomTransaction) -> Revision:
        """Read the revision under the room's lock."""
        membership, _ = await self._membership(transaction.session)
        return await revision(transaction.session, transaction.room, membership)

    async def write(
        self, transaction: RoomTransaction, outcome: Outcome[SettingsValidationResult]
    ) -> Imported:
        """Store what the app agreed to, unless it was to be looked at only."""
        require_no_problems(outcome)
        if not self._wish.preview:
            record_fallback(transaction, VALIDATE_SETTINGS, outcome)
            store_settings(transaction, self._settings)
        return self.result(saved=not self._wish.preview)

    def result(self, *, saved: bool) -> Imported:
        """Return what came of it."""
        setting, value = self._wish.setting, self._found.result.value
        shown = project(self._manifest.settings_outline, {setting: value}, Level.ORGANIZER)
        seen = shown.get(setting) if self._wish.preview and isinstance(shown, dict) else None
        return Imported(
            setting=setting,
            value=seen,
            imported=len(value) if isinstance(value, list) else None,
            problems=self._found.result.problems,
            saved=saved,
        )

    async def _membership(self, session: AsyncSession) -> tuple[Membership, Manifest]:
        membership = await require_role(session, self._room_id, self._caller, roles=ORGANIZERS)
        room = membership.room
        return membership, self._services.catalog.manifest(room.app_id, room.app_manifest_version)

    async def _context(
        self,
        session: AsyncSession,
        membership: Membership,
        manifest: Manifest,
        hook: Hook[BaseModel, BaseModel],
    ) -> Context:
        now = self._services.clock.now()
        return await build_context(
            session,
            self._services,
            membership.room,
            manifest,
            hook=hook,
            now=now,
            membership=membership,
        )


def _answer(outcome: Outcome[SettingsImportResult]) -> SettingsImportResult:
    outcome.raise_if_refused()
    outcome.raise_if_failed()
    if outcome.result is None:
        message = "The app does not import settings."
        raise Unavailable(message, code="APP_NOT_IMPLEMENTED")
    return outcome.result
