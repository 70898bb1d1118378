"""A manifest as the host uses it: frozen, in the newest format, with all defaults filled in."""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel

from mymozhem.contract import ChangeKind, Hook, JsonObject, Level, RoomStatus, Strategy
from mymozhem.contract import VersionRange as Range
from mymozhem.contract.canonical_json import digest
from mymozhem.contract.versions import CONTRACT_VERSION, spoken

from .declared_settings import SettingsValidator
from .enums import Addressee, Need, Permission
from .schema_outline import Outline, outline
from .settings_migrations.steps import Migration, readable
from .validators import Validator, compile_schema

DEFAULT_CONTRACT = ">=1.0 <2.0"
#: a manifest of a remote app with none of them is in the first platform's format
_OF_OUR_FORMAT = ("manifestVersion", "contract", "id", "actions", "events", "policies")
_HEALTH = frozenset({"health"})
_ANY_OBJECT: JsonObject = {"type": "object"}
_NO_FIELDS: JsonObject = {"type": "object", "additionalProperties": False, "properties": {}}


def _one_or_many(given: object) -> object:
    return [given] if isinstance(given, str) else given


def _path_or_object(given: object) -> object:
    return {"path": given} if isinstance(given, str) else given


class Spec(BaseModel):
    """A frozen part of a manifest, read from a document that its schema accepts."""

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, populate_by_name=True, defer_build=True
    )


class Meta(Spec):
    """Name, version and texts of an app."""

    name: str
    version: str
    description: str = ""
    author: str | None = None
    homepage: str | None = None
    icon: str | None = None
    license: str | None = None


class ActionSpec(Spec):
    """An action of the app that people may call.

    `roles` may name `APP`. Without a `payload` schema any object is accepted. `confirm` is the
    sentence to agree to, or whether to ask for confirmation at all. `batch` lets waiting calls
    share one request.
    """

    title: str | None = None
    description: str | None = None
    roles: Annotated[frozenset[Addressee], BeforeValidator(_one_or_many)] = frozenset(
        {Addressee.ORGANIZER}
    )
    when: Annotated[frozenset[RoomStatus], BeforeValidator(_one_or_many)] = frozenset(
        {RoomStatus.ACTIVE}
    )
    payload: JsonObject | None = None
    confirm: bool | str = False
    batch: bool = False

    @cached_property
    def validator(self) -> Validator:
        """Return the validator of the payload, compiled on first use."""
        return compile_schema(_ANY_OBJECT if self.payload is None else self.payload)


class EventSpec(Spec):
    """An event that the app may write to the room log; `visibility` is its widest level."""

    title: str | None = None
    description: str | None = None
    visibility: Level = Level.ORGANIZER
    payload: JsonObject | None = None

    @cached_property
    def validator(self) -> Validator:
        """Return the validator of the payload, compiled on first use."""
        return compile_schema(_ANY_OBJECT if self.payload is None else self.payload)


class Retry(Spec):
    """The retries of a webhook."""

    enabled: bool = True
    max_attempts: int | None = None
    backoff: str | None = None


class Webhook(Spec):
    """The address of hooks; `timeout` in milliseconds, `asynchronous` means a reply by callback."""

    path: str
    timeout: int | None = None
    asynchronous: bool = Field(default=False, alias="async")
    retry: Retry | None = None


class PolicySpec(Spec):
    """What a manifest says about a capability's calls; None means the contract's value."""

    timeout: int | None = None
    on_failure: Strategy | None = None
    fallback: JsonValue = None


class Policy(Spec):
    """How the host calls a hook: milliseconds, the strategy on failure, the `fallback` literal."""

    timeout_ms: int
    on_failure: Strategy
    fallback: JsonValue = None


class Ui(Spec):
    """Pages that the app ships, as paths in its package."""

    player: str | None = None
    stage: str | None = None
    console: str | None = None


PathOrWebhook = Annotated[Webhook, BeforeValidator(_path_or_object)]


class Manifest(Spec):
    """A valid manifest.

    `document` is the published document, `digest` the SHA-256 of its canonical JSON. `id` is None
    if neither the document nor its registration names one. A schema is None if it is missing.
    """

    document: JsonObject
    id: str | None
    meta: Meta
    contract: str = DEFAULT_CONTRACT
    serves_text: str | None = Field(default=None, alias="serves")
    base_url: str | None = None
    capabilities: frozenset[str] = frozenset()
    permissions: frozenset[Permission] = frozenset()
    webhooks: str | Mapping[str, PathOrWebhook] = Field(default={}, union_mode="left_to_right")
    policies: Mapping[str, PolicySpec] = {}
    settings: JsonObject | None = None
    registration: JsonObject | None = None
    state: JsonObject | None = None
    needs: Mapping[str, frozenset[Need]] = {}
    changes: frozenset[ChangeKind] = frozenset()
    imports: Mapping[str, tuple[str, ...]] = {}
    actions: Mapping[str, ActionSpec] = {}
    events: Mapping[str, EventSpec] = {}
    migrations: Annotated[tuple[Migration, ...], BeforeValidator(readable)] = ()
    ui: Ui = Ui()
    locales: Mapping[str, Mapping[str, str]] = {}

    @classmethod
    def of(cls, document: JsonObject, *, registered_as: str | None = None) -> "Manifest":
        """Return the manifest of a valid document; ValueError if the document has no such shape.

        Use it for documents from the history, which were checked when they were published.
        Documents from outside go through `validate_manifest`.
        """
        given = {"id": registered_as, **document}
        return cls.model_validate({**given, "document": document})

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 of the document's canonical JSON, in lower-case hex."""
        return digest(self.document)

    @property
    def version(self) -> str:
        """Return the version of the app."""
        return self.meta.version

    @cached_property
    def serves(self) -> Range:
        """Return the range of manifest versions that the code serves; by default only its own."""
        return Range.parse(self.serves_text or f"=={self.version.partition('+')[0]}")

    @cached_property
    def speaks(self) -> str:
        """Return the version of the contract that the host speaks with this version of the app."""
        return spoken(self.contract) or CONTRACT_VERSION

    @property
    def is_remote(self) -> bool:
        """True if the host reaches the app over webhooks."""
        return self.base_url is not None

    @cached_property
    def platform_form(self) -> bool:
        """True for a remote app whose manifest is in the first platform's format."""
        return self.is_remote and not any(name in self.document for name in _OF_OUR_FORMAT)

    @cached_property
    def called(self) -> frozenset[str]:
        """Return the capabilities for which the app is called.

        The apps of the first platform have a page for their health without declaring one.
        """
        return self.capabilities | (_HEALTH if self.platform_form else frozenset())

    @cached_property
    def settings_validator(self) -> SettingsValidator:
        """Return the validator of a room's settings; without a schema, none may be given."""
        return SettingsValidator(_NO_FIELDS if self.settings is None else self.settings)

    @cached_property
    def settings_outline(self) -> Outline:
        """Return the outline of the settings schema, to complete, show and compare settings."""
        return outline(_NO_FIELDS if self.settings is None else self.settings)

    @cached_property
    def registration_validator(self) -> Validator:
        """Return the validator of an applicant's answers; without a schema, none may be given."""
        return compile_schema(_NO_FIELDS if self.registration is None else self.registration)

    @cached_property
    def state_validator(self) -> Validator:
        """Return the validator of the state's three parts; without a schema, any are accepted."""
        return compile_schema(_ANY_OBJECT if self.state is None else self.state)

    def webhook(self, capability: str) -> Webhook | None:
        """Return the webhook of a capability; None if the manifest names no path for it."""
        if isinstance(self.webhooks, str):
            return Webhook(path=self.webhooks)
        return self.webhooks.get(capability)

    def policy(self, hook: Hook[BaseModel, BaseModel]) -> Policy:
        """Return how the host calls a hook: by the manifest if it is allowed, else by the table.

        A strategy of the capability applies to those of its hooks whose row of the table allows it.
        """
        said = self.policies.get(hook.capability, PolicySpec())
        webhook = self.webhook(hook.capability) if self.is_remote else None
        asked = said.timeout or (webhook and webhook.timeout) or hook.deadline_ms
        chosen = said.on_failure if said.on_failure in hook.allowed else None
        strategy = chosen or hook.on_failure
        literal = said.fallback if strategy is Strategy.FALLBACK else None
        return Policy(timeout_ms=asked, on_failure=strategy, fallback=literal)

    def needs_of(
        self, hook: Hook[BaseModel, BaseModel], name: str | None = None
    ) -> frozenset[Need]:
        """Return the needs of a hook's request; `name` is that of the action or timer, if any."""
        named = {"handle_action": "action", "on_timer": "timer"}.get(hook.name)
        own = self.needs.get(f"{named}:{name}", frozenset()) if named and name else frozenset()
        if self.platform_form and hook.name == "select_winners":
            own |= {Need.PARTICIPANTS}
        return self.needs.get(hook.name, frozenset()) | own
