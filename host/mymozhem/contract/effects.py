"""What an app may ask the host to do; the effects of one answer are applied all or none."""

from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, StrictBool, StrictInt, model_validator

from .enums import Level, Role, Verdict
from .wire import Answer, Id, JsonObject, LongText, Moment, ShortText

MAX_EFFECTS = 200

Audience = Level | tuple[Id, ...]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.:-]{0,63}$")]
Milliseconds = Annotated[StrictInt, Field(ge=0, le=366 * 86_400_000)]
EventType = Annotated[str, Field(min_length=3, max_length=128)]


class Emit(Answer):
    """Append an event that the manifest declares to the room log."""

    effect: Literal["emit"] = "emit"
    type: EventType
    payload: JsonObject = {}
    to: Audience = Level.PUBLIC


class SetState(Answer):
    """Replace the named parts of the room's state; each is shown to its level only."""

    effect: Literal["setState"] = "setState"
    public: JsonObject | None = None
    organizer: JsonObject | None = None
    private: JsonObject | None = None


class SetParticipants(Answer):
    """Replace data of single participants, in parallel arrays; None leaves a part as it is.

    `own` is shown to that participant alone, `private` to nobody; `actor.data` brings both back.
    """

    effect: Literal["setParticipants"] = "setParticipants"
    participant_id: tuple[Id, ...]
    own: tuple[JsonObject | None, ...] | None = None
    private: tuple[JsonObject | None, ...] | None = None

    @model_validator(mode="after")
    def _same_length(self) -> Self:
        for part in (self.own, self.private):
            if part is not None and len(part) != len(self.participant_id):
                msg = "parallel arrays must have one length"
                raise ValueError(msg)
        return self


class SetSettings(Answer):
    """Merge a patch into the room's settings: any in DRAFT, later only `x-live` ones."""

    effect: Literal["setSettings"] = "setSettings"
    patch: JsonObject


class Announce(Answer):
    """What the host tells when a window closes."""

    verdicts: StrictBool = True
    standings: StrictBool = True


class OpenWindow(Answer):
    """Let participants submit within a span; the host counts, judges by the rules, and closes."""

    effect: Literal["openWindow"] = "openWindow"
    id: Name
    prompt: JsonObject = {}
    accepts: JsonObject
    data: JsonObject = {}
    opens_in_ms: Milliseconds = 0
    duration_ms: Milliseconds | None = None
    roles: tuple[Role, ...] = (Role.PARTICIPANT,)
    participants: tuple[Id, ...] | None = None
    submissions: Literal["once", "latest", "many"] = "once"
    min_elapsed_ms: Milliseconds = 0
    close_on: Literal["deadline", "firstRight", "everyoneAnswered", "action"] = "deadline"
    judge: Literal["rules", "app", "close"] = "close"
    rules: JsonObject | None = None
    fold: tuple[str, ...] = ()
    points: StrictInt = 0
    announce: Announce = Announce()
    results: Literal["onClose", "onReveal"] = "onClose"

    @model_validator(mode="after")
    def _first_right_needs_rules(self) -> Self:
        if self.rules is None and (self.close_on == "firstRight" or self.judge == "rules"):
            msg = "closeOn firstRight and judge rules need rules"
            raise ValueError(msg)
        return self


class ChangeWindow(Answer):
    """Move the end of an open window."""

    effect: Literal["changeWindow"] = "changeWindow"
    id: Name
    closes_at: Moment


class CloseWindow(Answer):
    """Close an open window now."""

    effect: Literal["closeWindow"] = "closeWindow"
    id: Name


class Share(Answer):
    """Show the named fields of a closed window's submissions to a level."""

    effect: Literal["share"] = "share"
    window_id: Name
    to: Audience
    fields: tuple[str, ...]


class Verdicts(Answer):
    """Verdicts and points of submissions, in parallel arrays."""

    submission_id: tuple[Id, ...]
    verdict: tuple[Verdict, ...]
    points: tuple[StrictInt, ...]

    @model_validator(mode="after")
    def _same_length(self) -> Self:
        if not len(self.submission_id) == len(self.verdict) == len(self.points):
            msg = "parallel arrays must have one length"
            raise ValueError(msg)
        return self


class Rejudge(Answer):
    """Correct a closed window after the fact by new rules, by verdicts, or by voiding it."""

    effect: Literal["rejudge"] = "rejudge"
    window_id: Name
    rules: JsonObject | None = None
    verdicts: Verdicts | None = None
    void: StrictBool = False

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.rules is not None) + (self.verdicts is not None) + self.void != 1:
            msg = "name exactly one of rules, verdicts, void"
            raise ValueError(msg)
        return self


class Adjust(Answer):
    """Add points to a participant (or take them), with a reason."""

    effect: Literal["adjust"] = "adjust"
    participant_id: Id
    points: StrictInt
    reason: ShortText


class Award(Answer):
    """Make a participant a winner of one unit of a prize."""

    effect: Literal["award"] = "award"
    participant_id: Id
    prize_id: Id
    metadata: JsonObject = {}


class Schedule(Answer):
    """Set a durable timer, at a moment or after a span; a timer of the same name is replaced."""

    effect: Literal["schedule"] = "schedule"
    name: Name
    at: Moment | None = None
    after_ms: Milliseconds | None = None
    payload: JsonObject = {}

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.at is None) == (self.after_ms is None):
            msg = "name exactly one of at, afterMs"
            raise ValueError(msg)
        return self


class Cancel(Answer):
    """Drop a timer; no timer of that name is no error."""

    effect: Literal["cancel"] = "cancel"
    name: Name


class Fulfill(Answer):
    """Note that a prize was handed out; of a win that is handed out already, no error."""

    effect: Literal["fulfill"] = "fulfill"
    winner_id: Id


class Revoke(Answer):
    """Take a win back with a reason; the unit of the prize is there again."""

    effect: Literal["revoke"] = "revoke"
    winner_id: Id
    reason: ShortText


class PrizeCount(Answer):
    """So many units of a prize."""

    prize_id: Id
    count: Annotated[StrictInt, Field(ge=1, le=1_000_000)]


class PublicSource(Answer):
    """A public source of randomness, fixed before its value is known."""

    name: ShortText
    due: Moment


class Draw(Answer):
    """Ask the host for a draw, as a durable job; `prizes` absent means all that is left.

    With `run` the winners are selected and revealed at once after the commit, else the draw
    waits for `runDraw`, or for the values of its `public_sources`. `replaces` names the revoked
    win that a redraw replaces; it may be revoked earlier in the same answer. A key that the
    room has used already is refused.
    """

    effect: Literal["draw"] = "draw"
    key: Name
    prizes: tuple[PrizeCount, ...] | None = None
    run: StrictBool = False
    reveal: Literal["now", "manual"] = "now"
    public_sources: tuple[PublicSource, ...] = ()
    replaces: Id | None = None


class RunDraw(Answer):
    """Select the winners of a committed draw."""

    effect: Literal["runDraw"] = "runDraw"
    key: Name


class Reveal(Answer):
    """Make a drawn result public, for the named prizes or for all."""

    effect: Literal["reveal"] = "reveal"
    key: Name
    prizes: tuple[Id, ...] | None = None


class Notify(Answer):
    """Send a notification."""

    effect: Literal["notify"] = "notify"
    to: Audience
    title: ShortText
    message: LongText = ""


class Reply(Answer):
    """What the caller of the action gets back."""

    effect: Literal["reply"] = "reply"
    data: JsonValue = None


Effect = Annotated[
    Emit
    | SetState
    | SetParticipants
    | SetSettings
    | OpenWindow
    | ChangeWindow
    | CloseWindow
    | Share
    | Rejudge
    | Adjust
    | Award
    | Fulfill
    | Revoke
    | Schedule
    | Cancel
    | Draw
    | RunDraw
    | Reveal
    | Notify
    | Reply,
    Field(discriminator="effect"),
]
