"""Effects: what an app can request from the host; those of one result are applied all or none."""

from collections.abc import Mapping
from operator import not_
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    JsonValue,
    StrictBool,
    StrictInt,
    StringConstraints,
    model_validator,
)
from pydantic_core import to_json

from .enums import CloseOn, Judge, Level, Results, Role, SubmissionMode, Verdict
from .fair.model import MAX_RESERVES
from .fair.public_values import ValueFormat
from .wire import Answer, Id, JsonObject, LongText, Moment, ShortText, Since

MAX_EFFECTS = 200
#: the maximum size of an app's note with a draw, or of the metadata of a prize
MAX_NOTE_BYTES = 4_096


def _is_none(value: object) -> bool:
    return value is None


#: the maximum number of items of one draw
MAX_ITEMS = 10_000

Audience = Level | tuple[Id, ...]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.:-]{0,63}$")]
Milliseconds = Annotated[StrictInt, Field(ge=0, le=366 * 86_400_000)]
EventType = Annotated[str, Field(min_length=3, max_length=128)]
Pointer = Annotated[str, Field(max_length=200, pattern=r"^(/.*)?$")]
SharedField = Annotated[
    str, Field(max_length=200, pattern=r"^(participantId|payload|verdict|points|elapsedMs|/.*)$")
]
#: points of one submission or one adjustment
Points = Annotated[StrictInt, Field(ge=-1_000_000_000, le=1_000_000_000)]
#: the id of something that an app draws
Item = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")]
PrizeName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
#: apply parts as JSON merge patches (RFC 7396) instead of replacing them
Merge = Annotated[StrictBool, Since("1.1"), Field(exclude_if=not_)]
#: how many participants a draw names in reserve
ReserveCount = Annotated[StrictInt, Field(ge=0, le=MAX_RESERVES)]


def _small(note: JsonObject) -> JsonObject:
    if len(to_json(note)) > MAX_NOTE_BYTES:
        msg = f"it is {MAX_NOTE_BYTES} bytes at most"
        raise ValueError(msg)
    return note


Note = Annotated[JsonObject, AfterValidator(_small)]


class Emit(Answer):
    """Append an event that the manifest declares to the room's log."""

    effect: Literal["emit"] = "emit"
    type: EventType
    payload: JsonObject = {}
    to: Audience = Level.PUBLIC


class SetState(Answer):
    """Replace parts of the room's state, or merge into them; each is shown to its level only.

    With `merge` each part is a JSON merge patch (RFC 7396) of what the room has when the effect is
    applied: objects are merged, a null removes a field, any other value replaces.
    """

    effect: Literal["setState"] = "setState"
    public: JsonObject | None = None
    organizer: JsonObject | None = None
    private: JsonObject | None = None
    merge: Merge = False


class SetParticipants(Answer):
    """Replace what the app keeps about single participants, or merge into it; parallel arrays.

    `own` is shown to that participant alone, `private` to nobody. None leaves a part as it is. With
    `merge` each entry is a JSON merge patch (RFC 7396), as in `SetState`.
    """

    effect: Literal["setParticipants"] = "setParticipants"
    participant_id: tuple[Id, ...]
    own: tuple[JsonObject | None, ...] | None = None
    private: tuple[JsonObject | None, ...] | None = None
    merge: Merge = False

    @model_validator(mode="after")
    def _same_length(self) -> Self:
        for part in (self.own, self.private):
            if part is not None and len(part) != len(self.participant_id):
                msg = "parallel arrays must have one length"
                raise ValueError(msg)
        return self


class SetSettings(Answer):
    """Change settings of the room: any in DRAFT, later only `x-live` ones."""

    effect: Literal["setSettings"] = "setSettings"
    patch: JsonObject


class Announce(Answer):
    """What participants see after a window has closed.

    Without `verdicts` they do not see their own verdicts. Without `standings` they see neither
    standings nor points until another window that announces standings has closed.
    """

    verdicts: StrictBool = True
    standings: StrictBool = True


class OpenWindow(Answer):
    """Open a window, in which people submit; the host counts, judges by rules, and closes.

    `id` has never been used in the room. Everybody sees `prompt` and `accepts`, a JSON Schema of a
    submission. The app alone sees `data` and `rules`; a submission is right exactly if it satisfies
    the rules. `fold` are JSON Pointers to texts that are compared folded (see `fold_text`), by the
    language of the room, in the submission and in the `const` and `enum` of the rules alike.

    The window opens after `opens_in_ms` and is open for `duration_ms`, without an end when that is
    None. `participants` are the only ones who may submit, None means everybody of `roles`.
    Submissions less than `min_elapsed_ms` after the opening are refused and may be repeated.
    `points` are the points of a submission that the host finds right.
    """

    effect: Literal["openWindow"] = "openWindow"
    id: Name
    prompt: JsonObject = {}
    accepts: JsonObject
    data: JsonObject = {}
    opens_in_ms: Milliseconds = 0
    duration_ms: Milliseconds | None = None
    roles: Annotated[tuple[Role, ...], Field(min_length=1)] = (Role.PARTICIPANT,)
    participants: tuple[Id, ...] | None = None
    submissions: SubmissionMode = SubmissionMode.ONCE
    min_elapsed_ms: Milliseconds = 0
    close_on: CloseOn = CloseOn.DEADLINE
    judge: Judge = Judge.CLOSE
    rules: JsonObject | None = None
    fold: Annotated[tuple[Pointer, ...], Field(max_length=32)] = ()
    points: Points = 0
    announce: Announce = Announce()
    results: Results = Results.ON_CLOSE

    @model_validator(mode="after")
    def _first_right_needs_rules(self) -> Self:
        if self.rules is None and (
            self.close_on is CloseOn.FIRST_RIGHT or self.judge is Judge.RULES
        ):
            msg = "closeOn firstRight and judge rules need rules"
            raise ValueError(msg)
        return self


class ChangeWindow(Answer):
    """Move the end of an open or paused window; a moment in the past closes it."""

    effect: Literal["changeWindow"] = "changeWindow"
    id: Name
    closes_at: Moment


class CloseWindow(Answer):
    """Close a window now; idempotent."""

    effect: Literal["closeWindow"] = "closeWindow"
    id: Name


class RevealWindow(Answer):
    """Show verdicts and standings of a window with `results: onReveal`; idempotent."""

    effect: Literal["revealWindow"] = "revealWindow"
    id: Name


class Share(Answer):
    """Show fields of a closed window's submissions to a level, or to single participants.

    A field is `participantId`, `payload`, `verdict`, `points`, `elapsedMs`, or a JSON Pointer into
    the payload such as `/comment`. Verdicts and points stay hidden until they are revealed. Without
    `participantId` nobody sees whose a submission is, or in which order they arrived.
    """

    effect: Literal["share"] = "share"
    window_id: Name
    to: Audience
    fields: Annotated[tuple[SharedField, ...], Field(min_length=1, max_length=32)]


class Verdicts(Answer):
    """Verdicts and points of submissions, in parallel arrays."""

    submission_id: tuple[Id, ...]
    verdict: tuple[Verdict, ...]
    points: tuple[Points, ...]

    @model_validator(mode="after")
    def _same_length(self) -> Self:
        if not len(self.submission_id) == len(self.verdict) == len(self.points):
            msg = "parallel arrays must have one length"
            raise ValueError(msg)
        return self


class Rejudge(Answer):
    """Correct a closed window: by new rules, by verdicts, or by voiding it.

    `rules` judge every submission again and give the window's `points` to right ones. `verdicts`
    correct the named submissions. A window that is `void` gives no points. The scores are adjusted,
    and the log says what changed.
    """

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
    """Add points to a participant, or take points, with a reason."""

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


class AddPrize(Answer):
    """Add a prize to the room; its id arrives as a change of kind `prize`.

    The manifest needs the permission `prizes:write`, and the room must not have ended. `metadata`
    is 4 KiB at most.
    """

    effect: Literal["addPrize"] = "addPrize"
    name: PrizeName
    quantity: Annotated[StrictInt, Field(ge=1, le=1_000_000)] = 1
    metadata: Note = {}


class Schedule(Answer):
    """Set a durable timer; a timer of the same name is replaced."""

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
    """Remove a timer; idempotent."""

    effect: Literal["cancel"] = "cancel"
    name: Name


class Fulfill(Answer):
    """Note that a prize was handed out; idempotent."""

    effect: Literal["fulfill"] = "fulfill"
    winner_id: Id


class Revoke(Answer):
    """Take a win back, with a reason; its unit of the prize can be won again."""

    effect: Literal["revoke"] = "revoke"
    winner_id: Id
    reason: ShortText


class PrizeCount(Answer):
    """A number of units of a prize."""

    prize_id: Id
    count: Annotated[StrictInt, Field(ge=1, le=1_000_000)]


class PublicSource(Answer):
    """A public source of randomness, fixed before its value is known.

    `format` says how the value is written: so many numbers between two bounds, or so many bytes in
    hex. So it has one canonical form, and nobody can choose among spellings. A draw with a source
    without a format is held until an organizer names it.
    """

    name: ShortText
    due: Moment
    format: Annotated[ValueFormat | None, Since("1.1"), Field(exclude_if=_is_none)] = None


class Draw(Answer):
    """Ask the host for a draw, which it runs as a durable job.

    `prizes` None means all units that are left. With `run` the winners are selected after the
    commit; otherwise the draw waits for `runDraw`, or for the values of its `public_sources`.
    `replaces` names the revoked win that a redraw replaces; it may be revoked by an effect before
    this one. `reserves` is the number of people in reserve, for each prize if people may win
    several. `data` is given to `prepare_draw` and shown to nobody; 4 KiB at most. A key that the
    room has used already is refused.
    """

    effect: Literal["draw"] = "draw"
    key: Name
    prizes: tuple[PrizeCount, ...] | None = None
    run: StrictBool = False
    reveal: Literal["now", "manual"] = "now"
    public_sources: tuple[PublicSource, ...] = ()
    replaces: Id | None = None
    reserves: ReserveCount = 0
    data: Note = {}


class DrawItems(Answer):
    """Ask the host for a draw of the app's own items: balls, cards, questions, teams.

    The draw is like one of people: it uses the next link of the room, is committed in public, runs
    as a durable job, and has a record that the same verifier checks. Every item has one ticket.
    `count` is how many are drawn; `all` gives an order of all items. With `run` the items are drawn
    after the commit; otherwise the draw waits for `runDraw`, or for the values of its
    `public_sources`. The result stays hidden until `reveal`, which can show it item by item, or is
    revealed at once with `reveal: now`. A key that the room has used already is refused.
    """

    effect: Literal["drawItems"] = "drawItems"
    key: Name
    items: Annotated[tuple[Item, ...], Field(min_length=1, max_length=MAX_ITEMS)]
    count: Annotated[StrictInt, Field(ge=1, le=MAX_ITEMS)] | Literal["all"] = "all"
    run: StrictBool = False
    reveal: Literal["now", "manual"] = "manual"
    public_sources: tuple[PublicSource, ...] = ()

    @model_validator(mode="after")
    def _can_be_drawn(self) -> Self:
        if len(set(self.items)) != len(self.items):
            msg = "an item is named twice"
            raise ValueError(msg)
        if self.count != "all" and self.count > len(self.items):
            msg = "the count is greater than the number of items"
            raise ValueError(msg)
        return self


class RunDraw(Answer):
    """Select the winners, or the items, of a committed draw."""

    effect: Literal["runDraw"] = "runDraw"
    key: Name


class Reveal(Answer):
    """Make the winners of a draw public, for the named prizes or for all; or its next items.

    `next` is how many of the drawn items that are still hidden are revealed now, in drawn order;
    only a draw of items has such. With neither `prizes` nor `next` everything is revealed.
    """

    effect: Literal["reveal"] = "reveal"
    key: Name
    prizes: tuple[Id, ...] | None = None
    next: Annotated[
        Annotated[int, Field(strict=True, ge=1, le=MAX_ITEMS)] | None,
        Since("1.1"),
        Field(exclude_if=_is_none),
    ] = None

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        if self.prizes is not None and self.next is not None:
            msg = "name prizes or next, not both"
            raise ValueError(msg)
        return self


class Notify(Answer):
    """Send a notification to people of the room."""

    effect: Literal["notify"] = "notify"
    to: Audience
    title: ShortText
    message: LongText = ""


class Reply(Answer):
    """Return data to the caller of the action."""

    effect: Literal["reply"] = "reply"
    data: JsonValue = None


#: effects that came after version 1.0 of the contract, and the version that added each
LATER_EFFECTS: Mapping[type[BaseModel], str] = {AddPrize: "1.1", DrawItems: "1.1"}

Effect = Annotated[
    Emit
    | SetState
    | SetParticipants
    | SetSettings
    | OpenWindow
    | ChangeWindow
    | CloseWindow
    | RevealWindow
    | Share
    | Rejudge
    | Adjust
    | Award
    | AddPrize
    | Fulfill
    | Revoke
    | Schedule
    | Cancel
    | Draw
    | DrawItems
    | RunDraw
    | Reveal
    | Notify
    | Reply,
    Field(discriminator="effect"),
]
