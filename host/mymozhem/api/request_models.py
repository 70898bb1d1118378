"""Bodies that clients send."""

from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, RootModel, StringConstraints, model_validator

from mymozhem.contract import JsonObject, Role, RoomStatus, Verdicts, fair
from mymozhem.contract.wire import Moment
from mymozhem.rooms.app_settings.import_values import ImportMode
from mymozhem.rooms.tables.rooms import EntryPolicy

from .request_parsing import Body

Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]
AppId = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
#: what people are called; its own rules are stricter and name each problem
PersonName = Annotated[str, StringConstraints(min_length=1, max_length=160)]
Text = Annotated[str, StringConstraints(max_length=2_000)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Locale = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}$")]
ImageUrl = Annotated[str, StringConstraints(pattern=r"^https://[!-~]{1,1990}$", max_length=2_000)]
VersionName = Annotated[str, StringConstraints(min_length=1, max_length=128)]
FormatName = Annotated[str, StringConstraints(min_length=1, max_length=32)]
Quantity = Annotated[int, Field(ge=1, le=1_000_000)]
Capacity = Annotated[int, Field(ge=1, le=1_000_000)]


class LoginBody(Body):
    """Sign in with a local account."""

    email: Annotated[str, StringConstraints(min_length=1, max_length=254)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=128)]


class GuestBody(Body):
    """Come in by a room's code, without an account; `answers` are those that the app asks for."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    name: PersonName
    answers: JsonObject = {}


class UserPatch(Body):
    """What is to change about a person; what is left out stays."""

    name: PersonName | None = None
    avatar: Annotated[str, StringConstraints(max_length=2_048)] | None = None


class NewPrizeBody(Body):
    """A prize to be added."""

    name: Name
    quantity: Quantity = 1
    description: Text = ""
    image_url: ImageUrl | None = None
    metadata: JsonObject = {}


class NewAppBody(Body):
    """A remote app to be registered; `ownerEmail` is who answers for it."""

    app_id: AppId
    manifest: JsonObject
    owner_email: Annotated[str, StringConstraints(min_length=1, max_length=254)] | None = None


class ManifestBody(Body):
    """Another version of a remote app's manifest.

    `consent` is an admin's word that the app may do what only operators may allow it: have another
    permission, or be reached at another host.
    """

    manifest: JsonObject
    consent: bool = False


class DeprecationBody(Body):
    """A version that new rooms get no more; until the deadline its author mends it.

    Rooms that have it keep it, also beyond. With `lift` the version is as good as before.
    """

    version: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=1_000)] = ""
    deadline: Moment | None = None
    lift: bool = False

    @model_validator(mode="after")
    def _reasoned(self) -> Self:
        if not self.lift and not self.reason:
            raise ValueError("say why: organizers read it")
        return self


class RegenerateBody(Body):
    """How a secret is renewed; without `graceHours` the operator's setting counts."""

    grace_hours: Annotated[int, Field(ge=0, le=720)] | None = None
    key_pair: bool = False


class AppTokenBody(Body):
    """A remote app signs in with the secret that it got when it was registered."""

    app_id: AppId
    app_secret: Annotated[str, StringConstraints(min_length=1, max_length=256)]


class StopBody(Body):
    """Why an app is stopped."""

    reason: Reason


class PrizePatch(Body):
    """What is to change about a prize; what is left out stays."""

    name: Name | None = None
    quantity: Quantity | None = None
    description: Text | None = None
    image_url: ImageUrl | None = None
    metadata: JsonObject | None = None


class NewRoomBody(Body):
    """A room to be made; settings are completed by the defaults of the app's manifest."""

    name: Name
    app_id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    app_settings: JsonObject = {}
    description: Text = ""
    locale: Locale = "en"
    is_public: bool = False
    entry_policy: EntryPolicy = EntryPolicy.GUESTS
    capacity: Capacity | None = None
    continues: Id | None = None
    prizes: Annotated[tuple[NewPrizeBody, ...], Field(max_length=100)] = ()


class RoomPatch(Body):
    """What is to change in a room; what is left out stays. `appSettings` is a merge patch."""

    name: Name | None = None
    description: Text | None = None
    locale: Locale | None = None
    is_public: bool | None = None
    entry_policy: EntryPolicy | None = None
    capacity: Capacity | None = None
    doors_locked: bool | None = None
    app_settings: JsonObject | None = None
    status: RoomStatus | None = None


class ImportSettingBody(Body):
    """Text to be read by the room's app, in a format that its manifest names for the setting.

    With `preview` nothing is stored, with `strict` nothing where a line could not be read.
    """

    text: str
    format: FormatName
    mode: ImportMode = ImportMode.REPLACE
    preview: bool = False
    strict: bool = False


class CopyBody(Body):
    """A copy of a room; without a name it has that of the room."""

    name: Name | None = None


class UpgradeBody(Body):
    """The version that a room is to have; with `dryRun` it is only planned.

    `migrationData` is a merge patch for the settings, for what nothing else carries over. `consent`
    agrees to what the plan names in `consents`.
    """

    target_version: VersionName
    migration_data: JsonObject | None = None
    consent: bool = False
    dry_run: bool = False


class RollbackBody(Body):
    """Back to the lock before; with `dryRun` it is only planned."""

    dry_run: bool = False


class UpgradeRoomsBody(Body):
    """Which rooms of an app are to be moved where; with `dryRun` they are only counted.

    `from` is a version, or a range of them below `to`. `after` is where an earlier answer ended.
    `consent` agrees for all organizers; they are told.
    """

    source: VersionName = Field(alias="from")
    to: VersionName
    consent: bool = False
    dry_run: bool = False
    after: Id | None = None
    limit: Annotated[int, Field(ge=1, le=1_000)] = 1_000


class JoinBody(Body):
    """Come into a room; `code` where the room is not public."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    name: PersonName | None = None
    answers: JsonObject = {}


class ParticipantPatch(Body):
    """What is to change about a participant; one's own name alone, unless one helps to run it."""

    name: PersonName | None = None
    role: Role | None = None
    metadata: JsonObject | None = None


class RenameBody(Body):
    """Another name for somebody."""

    name: PersonName


class ReasonBody(Body):
    """Why; those concerned may read it."""

    reason: Reason | None = None


class NewPersonBody(Body):
    """Somebody to be put into a room, with or without a phone."""

    name: PersonName
    metadata: JsonObject = {}


class ImportBody(Body):
    """People to be put into a room, all or none."""

    people: Annotated[tuple[NewPersonBody, ...], Field(min_length=1, max_length=10_000)]


class NewWinnerBody(Body):
    """A win given by hand."""

    participant_id: Id
    prize_id: Id
    metadata: JsonObject = {}


class MoveBody(Body):
    """Another prize for a winner."""

    prize_id: Id
    reason: Reason


class DrawPrizeBody(Body):
    """So many units of a prize."""

    prize_id: Id
    count: Quantity


class PublicSourceBody(Body):
    """A public source of randomness; `due` is when its value becomes known."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    due: Moment


class NewDrawBody(Body):
    """A draw to be made; without prizes, of all that is left.

    With `run` the winners are selected as soon as the draw is committed. `replaces` names the
    revoked win that a redraw replaces. `reserves` are how many people are named who come next, of
    each prize where people may win several; the app may settle on another number.
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
    """The values of the public sources of a draw, one for each, in their order."""

    public_inputs: Annotated[tuple[PublicValue, ...], Field(max_length=16)] = ()


class RevealBody(Body):
    """Which prizes of a draw become public; without them all."""

    prizes: Annotated[tuple[Id, ...], Field(min_length=1, max_length=1_000)] | None = None


class RetryBody(Body):
    """How a held draw is tried again; `platform` lets everybody take part with one ticket."""

    platform: bool = False


class Payload(RootModel[dict[str, JsonValue]]):
    """The payload of an action, by the schema in the manifest of the room's app."""


class SubmissionBody(Body):
    """What is submitted to a window, by the schema that the window shows."""

    payload: JsonValue


class ExtendBody(Body):
    """How many milliseconds a window gets on top."""

    by_ms: Annotated[int, Field(ge=1, le=31 * 86_400_000)]


class RejudgeBody(Body):
    """How a window is corrected: exactly one of new rules, verdicts, or voiding it."""

    rules: JsonObject | None = None
    verdicts: Verdicts | None = None
    void: bool = False

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.rules is not None) + (self.verdicts is not None) + self.void != 1:
            msg = "name exactly one of rules, verdicts, void"
            raise ValueError(msg)
        return self
