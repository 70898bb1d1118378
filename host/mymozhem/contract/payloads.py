"""One frozen request and one frozen result per hook, and the context of every request."""

from collections.abc import Iterator
from datetime import datetime
from operator import not_
from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, StrictInt, model_validator

from .effects import MAX_EFFECTS, Effect, Name, Points, PublicSource, ReserveCount, Verdicts
from .enums import (
    ChangeKind,
    CloseReason,
    Level,
    ParticipantStatus,
    PersonKind,
    Role,
    RoomStatus,
    Verdict,
    WinnerStatus,
)
from .wire import Answer, Id, JsonObject, LongText, Moment, ShortText, Since, Wire

Tickets = Annotated[StrictInt, Field(ge=1, le=10_000_000)]


def _is_none(value: object) -> bool:
    return value is None


#: in the JSON of a model only if it is not None
Absent = Field(exclude_if=_is_none)


# ------------------------------------------------------------------------------------- the context


class AppRef(Wire):
    """An app, in the version that the room is locked to."""

    id: str
    version: str


class RoomData(Wire):
    """The three parts of a room's state."""

    public: JsonObject = {}
    organizer: JsonObject = {}
    private: JsonObject = {}


class RoomView(Wire):
    """The complete room, with private settings and state."""

    id: str
    name: str
    status: RoomStatus
    locale: str
    settings: JsonObject
    state: RoomData


class ParticipantData(Wire):
    """What the app keeps about one participant: they see `own`, and nobody sees `private`."""

    own: JsonObject = {}
    private: JsonObject = {}


class Actor(Wire):
    """Who caused the call; `participant_id` is None for an admin who is not in the room."""

    participant_id: str | None
    role: Role
    kind: PersonKind
    metadata: JsonObject = {}
    data: ParticipantData = ParticipantData()


class Prize(Wire):
    """A prize of the room; quantities in units."""

    id: str
    name: str
    description: str = ""
    quantity: int
    quantity_remaining: int
    metadata: JsonObject = {}


class Winner(Wire):
    """A win that is public: awarded, or of a revealed draw. Revoked wins are included."""

    id: str
    participant_id: str
    prize_id: str
    draw_id: str | None
    status: WinnerStatus
    reason: str | None = None
    metadata: JsonObject = {}


class Reserve(Wire):
    """A person in reserve, as a row of `Reserves`."""

    draw_id: str
    prize_id: str | None
    participant_id: str
    active: bool


class Reserves(Wire):
    """The people in reserve of draws that are revealed completely, in parallel arrays.

    They are ordered by draw, the oldest first, and then by the selection. `prize_id` is None if the
    draw gave everybody one prize at most: the person is in reserve for any prize of that draw.
    `active` is True if the person takes part now, as a participant. The app has to note whom it
    has moved up.
    """

    draw_id: tuple[str, ...] = ()
    prize_id: tuple[str | None, ...] = ()
    participant_id: tuple[str, ...] = ()
    active: tuple[bool, ...] = ()

    def rows(self) -> Iterator[Reserve]:
        """Yield the people one by one, in order."""
        names = tuple(type(self).model_fields)
        for values in zip(*(getattr(self, name) for name in names), strict=True):
            yield Reserve.model_construct(**dict(zip(names, values, strict=True)))


class Participant(Wire):
    """One participant, as a row of `Participants`."""

    id: str
    person_id: str
    kind: PersonKind
    role: Role
    status: ParticipantStatus
    joined_at: datetime
    last_seen_at: datetime | None
    metadata: JsonObject
    data: ParticipantData
    points: int


class Participants(Wire):
    """The room's participants in parallel arrays; `person_id` is the same across an app's rooms."""

    id: tuple[str, ...] = ()
    person_id: tuple[str, ...] = ()
    kind: tuple[PersonKind, ...] = ()
    role: tuple[Role, ...] = ()
    status: tuple[ParticipantStatus, ...] = ()
    joined_at: tuple[datetime, ...] = ()
    last_seen_at: tuple[datetime | None, ...] = ()
    metadata: tuple[JsonObject, ...] = ()
    data: tuple[ParticipantData, ...] = ()
    points: tuple[int, ...] = ()

    def rows(self) -> Iterator[Participant]:
        """Yield the participants one by one."""
        names = tuple(type(self).model_fields)
        for values in zip(*(getattr(self, name) for name in names), strict=True):
            yield Participant.model_construct(**dict(zip(names, values, strict=True)))


class Submission(Wire):
    """One submission, as a row of `Submissions`.

    `elapsed_ms` is the time from the opening to its receipt, pauses left out.
    """

    id: str
    window_id: str
    participant_id: str
    payload: JsonValue
    elapsed_ms: int
    verdict: Verdict
    points: int


class Submissions(Wire):
    """Submissions in commit order, in parallel arrays."""

    id: tuple[str, ...] = ()
    window_id: tuple[str, ...] = ()
    participant_id: tuple[str, ...] = ()
    payload: tuple[JsonValue, ...] = ()
    elapsed_ms: tuple[int, ...] = ()
    verdict: tuple[Verdict, ...] = ()
    points: tuple[int, ...] = ()

    def rows(self) -> Iterator[Submission]:
        """Yield the submissions one by one, in commit order."""
        names = tuple(type(self).model_fields)
        for values in zip(*(getattr(self, name) for name in names), strict=True):
            yield Submission.model_construct(**dict(zip(names, values, strict=True)))


class Context(Wire):
    """The context of every request: room, actor, times; and what the manifest's `needs` requested.

    `room` is None for calls outside a room, `actor` if no person caused the call. `received_at` is
    when the host received what the call is about, `due_at` when a timer was due. `deadline_ms` is
    the time that is left. `lock` is the digest of the room's lock. `seed` is 32 random bytes in
    hex, the same in every attempt of a call, and secret; it is None for the hooks of draws, for
    `judge_submission` and for deliveries.
    `prizes`, `winners`, `reserves`, `participants` and `submissions` (of closed windows) are None
    unless the manifest needs them for this hook.
    """

    contract: str
    call_id: str
    app: AppRef
    room: RoomView | None = None
    actor: Actor | None = None
    now: datetime
    received_at: datetime | None = None
    due_at: datetime | None = None
    deadline_ms: int
    lock: str | None = None
    seed: str | None = None
    prizes: tuple[Prize, ...] | None = None
    winners: tuple[Winner, ...] | None = None
    reserves: Reserves | None = None
    participants: Participants | None = None
    submissions: Submissions | None = None


# --------------------------------------------------------------------------------------- settings


class Problem(Answer):
    """A problem with a value: where (a JSON Pointer), a code, and a sentence."""

    pointer: str = ""
    code: ShortText = "INVALID"
    message: LongText


class SettingsValidationRequest(Wire):
    """Settings that satisfy the schema; with `activate` they also have to be complete."""

    settings: JsonObject
    purpose: Literal["save", "activate"]


class SettingsValidationResult(Answer):
    """The problems found; none if the settings are good."""

    problems: tuple[Problem, ...] = ()


class SettingsImportRequest(Wire):
    """Text in one of the formats that the manifest's `imports` names for the setting."""

    setting: str
    text: str
    format: str


class ImportProblem(Answer):
    """One line that could not be imported; lines count from 1."""

    line: Annotated[StrictInt, Field(ge=1)]
    code: ShortText = "INVALID"
    message: LongText


class SettingsImportResult(Answer):
    """The imported value of the setting, and the lines that could not be read."""

    value: JsonValue
    problems: tuple[ImportProblem, ...] = ()


class SettingsMigrationRequest(Wire):
    """Settings and state of a room, to be migrated from one version of the app to another.

    The newer of the two versions is called, on upgrades and on downgrades. `settings` are what the
    steps of the manifests made of the room's settings (what the room has, to an app that speaks
    1.0 alone); `context.room.settings` are what the room has.
    """

    settings: JsonObject
    state: RoomData
    from_version: str = Field(alias="from")
    to_version: str = Field(alias="to")


class MigratedState(Answer):
    """The parts of the state in the new version; None leaves a part as it is."""

    public: JsonObject | None = None
    organizer: JsonObject | None = None
    private: JsonObject | None = None


class SettingsMigrationResult(Answer):
    """Settings and state in the new version; notes are shown to the organizer."""

    settings: JsonObject
    state: MigratedState = MigratedState()
    notes: tuple[LongText, ...] = ()


# ----------------------------------------------------------------------------------- registration


class Applicant(Wire):
    """A person who wants to join; `person_id` is the same in all rooms of one app.

    `metadata` is what the room already stores about this person, from organizers, an import, or an
    earlier stay. An applicant cannot change it.
    """

    person_id: str
    name: str
    kind: PersonKind
    role: Role
    metadata: JsonObject = {}


class RegistrationRequest(Wire):
    """An applicant and their answers, which satisfy the manifest's `registration` schema."""

    applicant: Applicant
    answers: JsonObject


class RegistrationResult(Answer):
    """Whether the applicant may join; `metadata` is stored with the participant.

    `metadata` None keeps what the room already stores and adds the answers, which replace nothing.
    `own` and `private` are what the app keeps about the participant, as in the effect
    `setParticipants`. They are stored in the transaction of the join, so that they are there from
    the first moment, also for a participant who waits. None keeps what is there from an earlier
    stay.
    With `seats` the applicant is accepted only if fewer active participants of role PARTICIPANT
    are in the room, and otherwise rejected with `reason`. The host counts under the room's lock, so
    that two applicants never get the same last place.
    """

    decision: Literal["accept", "reject", "pending"] = "accept"
    metadata: JsonObject | None = None
    reason: ShortText | None = None
    seats: Annotated[StrictInt, Field(ge=1)] | None = None
    own: Annotated[JsonObject | None, Since("1.1"), Absent] = None
    private: Annotated[JsonObject | None, Since("1.1"), Absent] = None


# ------------------------------------------------------------------------------------------ draws


class DrawPrize(Wire):
    """A prize of a draw and how many units are drawn."""

    prize_id: str
    name: str
    count: int
    metadata: JsonObject = {}


class Candidates(Wire):
    """Active participants of role PARTICIPANT in canonical order, in parallel arrays.

    `earlier_points` are points in the room that this one continues: None for a candidate who was
    not in it. The array is empty if this room continues no other.
    """

    id: tuple[str, ...] = ()
    person_id: tuple[str, ...] = ()
    kind: tuple[PersonKind, ...] = ()
    metadata: tuple[JsonObject, ...] = ()
    points: tuple[int, ...] = ()
    earlier_points: tuple[int | None, ...] = ()
    last_seen_at: tuple[datetime | None, ...] = ()


class Replaced(Wire):
    """The revoked win that a redraw replaces."""

    winner_id: str
    participant_id: str
    prize_id: str
    reason: str | None


class PrepareDrawRequest(Wire):
    """The prizes to be drawn, the candidates, and what the draw replaces.

    `reserves` and `data` are those of the effect `draw`. A room runs one draw at a time, so that
    the winners of earlier draws are known.
    """

    draw_id: str
    key: str
    prizes: tuple[DrawPrize, ...]
    candidates: Candidates
    replaces: Replaced | None = None
    public_sources: tuple[PublicSource, ...] = ()
    reserves: int = 0
    data: JsonObject = {}


class EntryList(Answer):
    """The entries of a draw and their tickets, in parallel arrays."""

    participants: tuple[Id, ...]
    tickets: tuple[Tickets, ...]

    @model_validator(mode="after")
    def _same_length(self) -> Self:
        if len(self.participants) != len(self.tickets):
            msg = "parallel arrays must have one length"
            raise ValueError(msg)
        return self


class TicketRule(Answer):
    """How many tickets a candidate has: a number that the host reads, within bounds.

    The number is that in `field` of the metadata, the points in this room, or the points in the
    room that this one continues. It is divided by `per` and rounded down, then limited to `minimum`
    and `maximum`. In the metadata, whole numbers count in any notation (5, "5", 5.0, 1e3), and the
    field in any case. If it is missing, `default` is used; if it is anything else, the draw waits
    before its commit until an organizer has corrected it.
    """

    of: Literal["metadata", "points", "earlierPoints"] = "metadata"
    field: str = ""
    per: Annotated[StrictInt, Field(ge=1)] = 1
    default: Annotated[StrictInt, Field(ge=0, le=10_000_000)] = 1
    minimum: Annotated[StrictInt, Field(ge=0, le=10_000_000)] = 0
    maximum: Tickets = 10_000_000

    @model_validator(mode="after")
    def _says_what_to_look_up(self) -> Self:
        if (self.of == "metadata") != bool(self.field):
            msg = "tickets of metadata, and only those, name a field"
            raise ValueError(msg)
        if self.minimum > self.maximum:
            msg = "the minimum is above the maximum"
            raise ValueError(msg)
        return self


class EntryRule(Answer):
    """Entries by a rule over `{kind, metadata, points}` of each candidate; it needs no long list.

    `where` is a JSON Schema that a candidate must satisfy. `except` leaves participants out, and
    `seen_since` candidates who were last seen before that moment. `tickets` is a number for
    everybody, or is looked up; a candidate with 0 tickets is no entry.
    """

    where: JsonObject | Literal[True] = True
    leave_out: tuple[Id, ...] = Field(default=(), alias="except")
    seen_since: Moment | None = None
    tickets: Tickets | TicketRule = 1


Algorithm = Literal["vrs-1", "rfc3797", "app"]
Each = Literal["once", "perPrize"]


class PreparedDraw(Answer):
    """Entries and rule of a draw; the host freezes them and publishes their digests.

    `each`: with `once` everybody wins one prize at most, with `perPrize` several. `rule` is a
    sentence for people. `public_sources` and `reserves` None mean those of the request; the
    algorithm `app` has no reserves. Only the algorithm `app` needs `select_winners`.
    """

    entries: EntryList | EntryRule = EntryRule()
    algorithm: Algorithm = "vrs-1"
    each: Each = "once"
    rule: LongText = ""
    public_sources: tuple[PublicSource, ...] | None = None
    reserves: ReserveCount | None = None


class SelectWinnersRequest(Wire):
    """A committed draw and a seed (32 bytes in hex) for the app's own algorithm."""

    draw_id: str
    key: str
    prizes: tuple[DrawPrize, ...]
    each: Each
    participants: tuple[str, ...]
    tickets: tuple[int, ...]
    exclude: tuple[str, ...]
    seed: str


class Pick(Answer):
    """A participant for a unit of a prize; `metadata` is stored with the win."""

    prize_id: Id
    participant_id: Id
    metadata: Annotated[JsonObject, Since("1.1"), Field(exclude_if=not_)] = {}


class SelectWinnersResult(Answer):
    """The winners, in the order in which they are revealed."""

    picks: tuple[Pick, ...]


# ---------------------------------------------------------------------------- actions and windows


class ActionCall(Wire):
    """One of several calls of an action that is declared `batch`."""

    actor: Actor
    payload: JsonObject
    received_at: datetime


class ActionRequest(Wire):
    """An action that somebody called; `calls` holds the waiting calls of a `batch` action."""

    action: str
    payload: JsonObject = {}
    calls: tuple[ActionCall, ...] | None = None


class Effects(Answer):
    """Effects, which are applied in this order, all or none."""

    effects: Annotated[tuple[Effect, ...], Field(max_length=MAX_EFFECTS)] = ()

    @classmethod
    def of(cls, *effects: Effect) -> Self:
        """Return the given effects as a result."""
        return cls(effects=effects)


class Refusal(Answer):
    """A refusal by the app: a code for programs, a sentence for people."""

    code: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{1,63}$")]
    message: LongText
    details: JsonObject = {}


class ActionAnswer(Answer):
    """The answer to one call of a batch: effects, or a refusal."""

    effects: Annotated[tuple[Effect, ...], Field(max_length=MAX_EFFECTS)] = ()
    refuse: Refusal | None = None


class ActionResult(Effects):
    """Effects of an action; for a batch, `answers` has one entry for each call, in order."""

    answers: tuple[ActionAnswer, ...] | None = None


class WindowView(Wire):
    """A window as the app declared it; `closed_at` and `closed_by` are None while it is open."""

    id: str
    prompt: JsonObject
    data: JsonObject
    opened_at: datetime
    closes_at: datetime | None
    points: int
    closed_at: datetime | None = None
    closed_by: CloseReason | None = None


class JudgeRequest(Wire):
    """One submission to judge; the call has neither settings nor state."""

    window: WindowView
    submission: Submission


class JudgeResult(Answer):
    """The verdict, and points, which may be negative."""

    verdict: Verdict
    points: Points = 0


class Scores(Wire):
    """Sums of points in parallel arrays, the highest first."""

    participant_id: tuple[str, ...] = ()
    points: tuple[int, ...] = ()


class CloseWindowRequest(Wire):
    """A window that has closed, the submissions that count, and the scores so far.

    Verdicts are those of the rules or of `judge_submission`; `pending` if nobody has judged.
    """

    window: WindowView
    submissions: Submissions
    scores: Scores


class CloseWindowResult(Effects):
    """Effects, and verdicts and points of submissions in bulk.

    Submissions that `verdicts` leaves out are judged by the rules: right ones get the window's
    points, others none.
    """

    verdicts: Verdicts | None = None


# ------------------------------------------------------------------------------ timers and changes


class TimerRequest(Wire):
    """A timer that this app has set, and that is due."""

    name: Name
    payload: JsonObject = {}


class Wins(Wire):
    """Wins, as they are now, in parallel arrays."""

    winner_id: tuple[str, ...] = ()
    participant_id: tuple[str, ...] = ()
    prize_id: tuple[str, ...] = ()
    status: tuple[WinnerStatus, ...] = ()


class ChangedParticipant(Wire):
    """A participant who joined, as they are when the call is made."""

    role: Role
    kind: PersonKind
    status: ParticipantStatus


class Change(Wire):
    """What changed in the room: the kind, what happened, and the ids concerned.

    `what` is the second half of the event's type, such as `revoked` of `winner:revoked`. For
    windows an app receives what others did: `settled` (without the app), `revealed`, `corrected`,
    `voided`, `paused`, `resumed`, `extended`; and `closed` after its own `close_window`. A change
    of kind `winner` holds the `wins` that one commit changed, a thousand at most: ten thousand
    winners that are revealed together are ten changes, sent one after the other. `key` is the key
    of the draw, also with a win that results from a draw (since 1.1). `participant` says who
    joined, with the kind `joined` alone. `items` are the items that a reveal of `drawItems` made
    public, in drawn order.
    """

    kind: ChangeKind
    what: str
    status: RoomStatus | None = None
    previous: RoomStatus | None = None
    participant_id: str | None = None
    prize_id: str | None = None
    winner_id: str | None = None
    draw_id: str | None = None
    window_id: str | None = None
    key: str | None = None
    wins: Wins | None = None
    participant: Annotated[ChangedParticipant | None, Since("1.1"), Absent] = None
    items: Annotated[tuple[str, ...] | None, Since("1.1"), Absent] = None


class RoomChangeRequest(Wire):
    """A change, of a kind that the manifest's `changes` names."""

    change: Change


# ---------------------------------------------------------------------------------- notifications


class NotificationRequest(Wire):
    """A notification that the app delivers to the named people."""

    notification_id: str
    title: str
    message: str
    recipients: tuple[str, ...]


class LoggedEvent(Wire):
    """An event, as it is in the room's log."""

    type: str
    level: Level | None
    participant_id: str | None = None
    payload: JsonObject
    at: datetime


class EventRequest(Wire):
    """An event of the room's log."""

    event: LoggedEvent


class Acknowledgement(Answer):
    """The app has taken the delivery."""


class HealthRequest(Wire):
    """A health check; it has no fields."""


class HealthReport(Answer):
    """How well the app works."""

    status: Literal["ok", "degraded", "down"] = "ok"
    details: JsonObject = {}
