"""Bodies of requests."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, JsonValue, RootModel, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from mymozhem.auth.name_rules import title_problems
from mymozhem.contract import JsonObject, Role, RoomStatus, Verdicts, fair
from mymozhem.contract.effects import MAX_ITEMS
from mymozhem.contract.wire import Moment
from mymozhem.rooms.app_settings.import_values import ImportMode
from mymozhem.rooms.tables.rooms import EntryPolicy

from .json_provider import dumps
from .request_parsing import NOT_NULL, Body

Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]
AppId = Annotated[str, StringConstraints(min_length=1, max_length=64)]


def _without_tricks(given: str) -> str:
    if problems := title_problems(given):
        raise PydanticCustomError("name", " ".join(problem.value for problem in problems))
    return given


#: names of rooms and prizes
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100),
    AfterValidator(_without_tricks),
]
#: names of people; later rules are stricter and report each problem
PersonName = Annotated[str, StringConstraints(min_length=1, max_length=160)]
Text = Annotated[str, StringConstraints(max_length=2_000)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Locale = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}$")]
ImageUrl = Annotated[str, StringConstraints(pattern=r"^https://[!-~]{1,1990}$", max_length=2_000)]
VersionName = Annotated[str, StringConstraints(min_length=1, max_length=128)]
FormatName = Annotated[str, StringConstraints(min_length=1, max_length=32)]
Quantity = Annotated[int, Field(ge=1, le=1_000_000)]
Capacity = Annotated[int, Field(ge=1, le=1_000_000)]


def _within_4_kib(given: JsonObject) -> JsonObject:
    most = 4 * 1024
    if len(dumps(given)) > most:
        raise ValueError("give at most 4 KiB of JSON")
    return given


class LoginBody(Body):
    """Sign in with a local account."""

    email: Annotated[str, StringConstraints(min_length=1, max_length=254)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=128)]


class RefreshBody(Body):
    """Renew a session; browsers on the host's own pages send a cookie instead of the token."""

    refresh_token: Annotated[str, StringConstraints(min_length=1, max_length=256)] | None = None


class LogoutBody(RefreshBody):
    """Sign out; both the access token and the refresh token name the session."""


Secret = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Password = Annotated[str, StringConstraints(min_length=1, max_length=128)]
EmailText = Annotated[str, StringConstraints(min_length=1, max_length=254)]


class SignUpBody(Body):
    """Create an account; `invitation` is the part of the invitation's link after the `#`."""

    invitation: Secret
    email: EmailText
    name: PersonName
    password: Password


class EmailBody(Body):
    """An address to which a link is sent."""

    email: EmailText


class PasswordBody(Body):
    """Change the caller's password."""

    current_password: Password
    new_password: Password


class ChosenPasswordBody(Body):
    """Choose a new password; `token` is the part of the link after the `#`."""

    token: Secret
    password: Password


class NewInvitationBody(Body):
    """Invite somebody; with an `email`, only that address can use the invitation."""

    email: Annotated[EmailText | None, NOT_NULL] = None
    is_admin: bool = False


class GuestBody(Body):
    """Join a room by its code, without an account; `answers` are those to the app's questions."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    name: PersonName
    answers: JsonObject = {}


class ReturnBody(Body):
    """Move a guest to this phone: the room's code, and the guest's return code."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    return_code: Annotated[str, StringConstraints(min_length=1, max_length=64)]


class UserPatch(Body):
    """Changes of a user; fields that are left out stay."""

    name: Annotated[PersonName | None, NOT_NULL] = None
    avatar: Annotated[str, StringConstraints(max_length=2_048)] | None = None


class NewPrizeBody(Body):
    """A prize to add."""

    name: Name
    quantity: Quantity = 1
    description: Text = ""
    image_url: ImageUrl | None = None
    metadata: JsonObject = {}


class NewAppBody(Body):
    """A remote app to register; `ownerEmail` is the user who is responsible for it."""

    app_id: AppId
    manifest: JsonObject
    owner_email: Annotated[str, StringConstraints(min_length=1, max_length=254)] | None = None


class ManifestBody(Body):
    """Another version of a remote app's manifest.

    `consent` is an admin's consent to changes that only operators may allow: another permission, or
    another host.
    """

    manifest: JsonObject
    consent: bool = False


class DeprecationBody(Body):
    """A version that is no longer offered to new rooms; the author fixes it until the deadline.

    Rooms that have it keep it, also after the deadline. With `lift` the version is offered again.
    """

    version: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=1_000)] = ""
    deadline: Moment | None = None
    lift: bool = False

    @model_validator(mode="after")
    def _reasoned(self) -> Self:
        if not self.lift and not self.reason:
            raise ValueError("give a reason: organizers read it")
        return self


class RegenerateBody(Body):
    """How a secret is replaced; without `graceHours` the operator's setting is used."""

    grace_hours: Annotated[int, Field(ge=0, le=720)] | None = None
    key_pair: bool = False


class AppTokenBody(Body):
    """A remote app signs in with the secret from its registration."""

    app_id: AppId
    app_secret: Annotated[str, StringConstraints(min_length=1, max_length=256)]


class StopBody(Body):
    """Why an app is stopped, or what else an admin does that needs a reason."""

    reason: Reason


class PrizePatch(Body):
    """Changes of a prize; fields that are left out stay."""

    name: Annotated[Name | None, NOT_NULL] = None
    quantity: Annotated[Quantity | None, NOT_NULL] = None
    description: Annotated[Text | None, NOT_NULL] = None
    image_url: ImageUrl | None = None
    metadata: Annotated[JsonObject | None, NOT_NULL] = None


class NewRoomBody(Body):
    """A room to create; settings are completed by the defaults of the app's manifest.

    Without `appManifestVersion` it gets the newest stable version of the app.
    """

    name: Name
    app_id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    app_manifest_version: VersionName | None = None
    app_settings: JsonObject = {}
    description: Text = ""
    locale: Locale = "en"
    is_public: bool = False
    entry_policy: EntryPolicy = EntryPolicy.GUESTS
    capacity: Capacity | None = None
    continues: Id | None = None
    prizes: Annotated[tuple[NewPrizeBody, ...], Field(max_length=100)] = ()


class RoomPatch(Body):
    """Changes of a room; fields that are left out stay. `appSettings` is a merge patch."""

    name: Annotated[Name | None, NOT_NULL] = None
    description: Annotated[Text | None, NOT_NULL] = None
    locale: Annotated[Locale | None, NOT_NULL] = None
    is_public: Annotated[bool | None, NOT_NULL] = None
    entry_policy: Annotated[EntryPolicy | None, NOT_NULL] = None
    capacity: Capacity | None = None
    doors_locked: Annotated[bool | None, NOT_NULL] = None
    app_settings: Annotated[JsonObject | None, NOT_NULL] = None
    status: Annotated[RoomStatus | None, NOT_NULL] = None


class ImportSettingBody(Body):
    """Text for the room's app to parse, in a format that its manifest names for the setting.

    With `preview` nothing is stored; with `strict` nothing is stored if a line cannot be read.
    """

    text: str
    format: FormatName
    mode: ImportMode = ImportMode.REPLACE
    preview: bool = False
    strict: bool = False


class CopyBody(Body):
    """A copy of a room; by default it has the same name."""

    name: Name | None = None


class UpgradeBody(Body):
    """The target version of a room; with `dryRun` the upgrade is only planned.

    `migrationData` is a merge patch for settings that no migration covers. `consent` agrees to what
    the plan names in `consents`.
    """

    target_version: VersionName
    migration_data: JsonObject | None = None
    consent: bool = False
    dry_run: bool = False


class RollbackBody(Body):
    """A return to the previous lock; with `dryRun` it is only planned."""

    dry_run: bool = False


class UpgradeRoomsBody(Body):
    """Which rooms of an app to move to which version; with `dryRun` they are only counted.

    `from` is a version, or a range of versions below `to`. `after` is where an earlier response
    ended. `consent` agrees for all organizers; they are notified.
    """

    source: VersionName = Field(alias="from")
    to: VersionName
    consent: bool = False
    dry_run: bool = False
    after: Id | None = None
    limit: Annotated[int, Field(ge=1, le=1_000)] = 1_000


class JoinBody(Body):
    """Join a room; `code` is required unless the room is public.

    `answers` are those to the app's questions. `metadata` is what the person writes about
    themselves, at most 4 KiB of JSON: it is shown with the participant, and decides nothing.
    """

    code: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    name: PersonName | None = None
    answers: JsonObject = {}
    role: Literal[Role.PARTICIPANT, Role.VIEWER] | None = None
    metadata: Annotated[JsonObject, AfterValidator(_within_4_kib)] = {}


class ParticipantPatch(Body):
    """Changes of a participant; participants may change only their own name, staff more."""

    name: Annotated[PersonName | None, NOT_NULL] = None
    role: Annotated[Role | None, NOT_NULL] = None
    metadata: Annotated[JsonObject | None, NOT_NULL] = None


class RenameBody(Body):
    """Another name for somebody."""

    name: PersonName


class ReasonBody(Body):
    """A reason; the people concerned may read it."""

    reason: Reason | None = None


class NewPersonBody(Body):
    """A participant to add to a room, with or without a phone."""

    name: PersonName
    metadata: JsonObject = {}


class ImportBody(Body):
    """Participants to add to a room, all or none."""

    people: Annotated[tuple[NewPersonBody, ...], Field(min_length=1, max_length=10_000)]


class NewWinnerBody(Body):
    """A win that an organizer assigns manually."""

    participant_id: Id
    prize_id: Id
    metadata: JsonObject = {}


class MoveBody(Body):
    """Another prize for a winner."""

    prize_id: Id
    reason: Reason


class DrawPrizeBody(Body):
    """A number of units of a prize."""

    prize_id: Id
    count: Quantity


class PublicSourceBody(Body):
    """A public source of randomness; `due` is when its value becomes known.

    `format` says how the value is written, so that it has one canonical form.
    """

    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    due: Moment
    format: fair.ValueFormat


class NewDrawBody(Body):
    """A draw to create; without prizes, of everything that is left.

    With `run` the winners are selected as soon as the draw is committed. `replaces` names the
    revoked win that a redraw replaces. `reserves` is how many participants are named in reserve,
    for each prize if participants may win several; the app may choose another number.
    """

    prizes: Annotated[tuple[DrawPrizeBody, ...], Field(min_length=1, max_length=1_000)] | None = (
        None
    )
    key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,64}$")] | None = None
    public_sources: Annotated[tuple[PublicSourceBody, ...], Field(max_length=16)] = ()
    run: bool = False
    reveal: Literal["now", "manual"] = "now"
    replaces: Id | None = None
    reserves: Annotated[int, Field(ge=0, le=fair.MAX_RESERVES)] = 0


PublicValue = (
    Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
    | Annotated[
        tuple[Annotated[int, Field(ge=0, le=10**12)], ...], Field(min_length=1, max_length=64)
    ]
)


class RunBody(Body):
    """The values of the public sources of a draw, one for each, in order.

    Values are accepted with their canonical forms in `confirm`. Without them nothing is stored, and
    the error tells the canonical forms.
    """

    public_inputs: Annotated[tuple[PublicValue, ...], Field(max_length=16)] = ()
    confirm: (
        Annotated[
            tuple[Annotated[str, StringConstraints(max_length=2_000)], ...], Field(max_length=16)
        ]
        | None
    ) = None


class RevealBody(Body):
    """The prizes of a draw to reveal, or how many of its next items; if both are absent, all."""

    prizes: Annotated[tuple[Id, ...], Field(min_length=1, max_length=1_000)] | None = None
    next: Annotated[int, Field(strict=True, ge=1, le=MAX_ITEMS)] | None = None


class RetryBody(Body):
    """How to retry a held draw; with `platform` everybody takes part with one ticket.

    `formats` are those of public sources that the app named without one, by the source's name.
    """

    platform: bool = False
    formats: Annotated[
        dict[Annotated[str, StringConstraints(min_length=1, max_length=200)], fair.ValueFormat],
        Field(max_length=16),
    ] = {}


class Payload(RootModel[dict[str, JsonValue]]):
    """The payload of an action, by the schema in the manifest of the room's app."""


class SubmissionBody(Body):
    """A submission to a window, by the schema that the window shows."""

    payload: JsonValue


class ExtendBody(Body):
    """By how many milliseconds to extend a window."""

    by_ms: Annotated[int, Field(ge=1, le=31 * 86_400_000)]


class RejudgeBody(Body):
    """How to correct a window: exactly one of new rules, verdicts, or voiding it."""

    rules: JsonObject | None = None
    verdicts: Verdicts | None = None
    void: bool = False

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.rules is not None) + (self.verdicts is not None) + self.void != 1:
            msg = "name exactly one of rules, verdicts, void"
            raise ValueError(msg)
        return self
