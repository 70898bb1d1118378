"""Import settings from text: a person pastes or uploads it, the app parses it, the host stores it.

The app is called twice within one budget: first to parse the text, outside of the room's mutex,
since that may take long and has no effects; then, as for every change, to validate the resulting
settings. The parsed value counts only if the room has not changed in the meantime.
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
from mymozhem.rooms.app_calls.exchange import Exchange, PreparedCall, run_exchange
from mymozhem.rooms.app_calls.fallbacks import record_fallback
from mymozhem.rooms.app_calls.pending import new_app_call
from mymozhem.rooms.coordination.room_mutex import RoomBusy
from mymozhem.rooms.core.app_context import build_context
from mymozhem.rooms.core.membership import ORGANIZERS, Membership, require_role
from mymozhem.rooms.core.revision import Revision, StaleSnapshot, revision
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import RoomTransaction

from .import_values import (
    Imported,
    TextImport,
    readable,
    require_known_import,
    require_small,
    settings_with,
)
from .update import require_no_problems, require_not_frozen, store_settings


async def import_setting(
    services: Services, room_id: str, caller: Principal, wish: TextImport
) -> Imported:
    """Let the app parse text, and store the value as a setting of the room. For organizers.

    Lines that cannot be parsed are reported, and the others are stored; if none can be parsed, the
    setting stays unchanged. Raises NotFound for a setting without imports or an unknown format,
    TooLarge for more than 1 MiB of text, Invalid if the value breaks the schema or the app does not
    accept it, SettingsFrozen as for every change, Refused with the app's refusal, Unavailable if
    the app did not parse the text, and RoomBusy.
    """
    work = _Import(services, room_id, caller, wish)
    budget = await work.budget()
    while budget.left_ms() > 0:
        await work.read(budget)
        if work.stands_still:
            return work.result(saved=False)
        try:
            return await run_exchange(services, room_id, work, budget=budget)
        except StaleSnapshot:
            continue
    raise RoomBusy


@dataclass(frozen=True)
class _Read:
    """The value that the app parsed, and the revision that it was computed from."""

    result: SettingsImportResult
    revision: Revision


class _Import(Exchange[SettingsValidationRequest, SettingsValidationResult, Revision, Imported]):
    """An import: parsed by the app, validated, and written if it is not stale."""

    hook = VALIDATE_SETTINGS
    _found: _Read

    def __init__(
        self, services: Services, room_id: str, caller: Principal, wish: TextImport
    ) -> None:
        self._services = services
        self._room_id = room_id
        self._caller = caller
        self._wish = wish
        require_small(wish.text)
        self._settings: JsonObject = {}

    async def budget(self) -> Budget:
        """Return the time budget: that of the parsing, plus that of an action."""
        async with self._services.database.read() as session:
            _, manifest = await self._membership(session)
        require_known_import(manifest, self._wish)
        limits = self._services.settings
        wanted_ms = manifest.policy(IMPORT_SETTINGS).timeout_ms + limits.action_budget_ms
        return Budget(self._services.clock, min(wanted_ms, limits.max_deadline_ms))

    async def read(self, budget: Budget) -> None:
        """Let the app parse the text; raise if it refused or failed."""
        async with self._services.database.read() as session:
            membership, manifest = await self._membership(session)
            seen = await revision(session, membership.room, membership)
            context = await self._context(session, membership, manifest, IMPORT_SETTINGS)
        text = readable(self._wish, membership.room.locale)
        call = new_app_call(
            IMPORT_SETTINGS,
            context=context,
            request=SettingsImportRequest(
                setting=self._wish.setting, text=text, format=self._wish.format
            ),
            revision=None,
        )
        outcome = await call.answer(self._services, budget)
        self._found = _Read(_answer(outcome), seen)
        self._manifest = manifest

    @property
    def stands_still(self) -> bool:
        """Whether nothing is stored: no line could be parsed, or with `strict` one could not."""
        found = self._found.result
        nothing = found.value in (None, [], {}, "")
        return bool(found.problems) and (self._wish.strict or nothing)

    async def prepare(
        self, session: AsyncSession
    ) -> PreparedCall[SettingsValidationRequest, Revision]:
        """Compute the settings as they would be; StaleSnapshot if the room changed since `read`."""
        membership, manifest = await self._membership(session)
        room = membership.room
        seen = await revision(session, room, membership)
        if seen != self._found.revision:
            raise StaleSnapshot
        self._settings = settings_with(
            manifest, room.app_settings, self._wish, self._found.result.value
        )
        require_not_frozen(room.status, manifest, room.app_settings, self._settings)
        return PreparedCall(
            context=await self._context(session, membership, manifest, VALIDATE_SETTINGS),
            request=SettingsValidationRequest(settings=self._settings, purpose="save"),
            revision=seen,
            actor_id=self._caller.user_id,
        )

    async def current_revision(self, transaction: RoomTransaction) -> Revision:
        """Return the revision, which the caller's role belongs to."""
        membership, _ = await self._membership(transaction.session)
        return await revision(transaction.session, transaction.room, membership)

    async def apply(
        self,
        transaction: RoomTransaction,
        current: Revision,
        outcome: Outcome[SettingsValidationResult],
    ) -> Imported:
        """Store the settings that the app accepted, unless this is a preview."""
        del current
        require_no_problems(outcome)
        if not self._wish.preview:
            record_fallback(transaction, VALIDATE_SETTINGS, outcome)
            store_settings(transaction, self._settings)
        return self.result(saved=not self._wish.preview)

    def result(self, *, saved: bool) -> Imported:
        """Return the result of the import."""
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
    outcome.raise_if_failed(for_staff=True)
    if outcome.result is None:
        message = "The app does not import settings."
        raise Unavailable(message, code="APP_NOT_IMPLEMENTED")
    return outcome.result
