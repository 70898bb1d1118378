"""The host's own events: the type of each, who sees it, and its fields.

Events of apps are called `{appId}:{name}` and are declared in manifests. No event holds personal
data: participants are named by id, and names are resolved when the log is shown. Texts that people
wrote stay out of it as well: a reason is kept with the thing that it concerns, and the event holds
the lower-case hex SHA-256 of its text (None without a reason).
"""

import hashlib
from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from .enums import (
    CloseReason,
    DecidedBy,
    Level,
    ParticipantStatus,
    Results,
    Role,
    RoomStatus,
    SubmissionMode,
    UpgradeHow,
)
from .wire import JsonObject, Wire


class HostEvent(Wire):
    """An event that the host itself appends to a room's log, at its level."""

    type: ClassVar[str]
    level: ClassVar[Level] = Level.PUBLIC
    version: ClassVar[int] = 1


def text_digest(text: str | None) -> str | None:
    """Return the digest that the log holds for a text that somebody wrote; None for None."""
    return hashlib.sha256(text.encode()).hexdigest() if text is not None else None


class RoomUpdated(HostEvent):
    """Name, description, settings or access of the room changed; `fields` names them."""

    type = "room:updated"
    level = Level.ORGANIZER
    fields: tuple[str, ...]


class RoomStatusChanged(HostEvent):
    """The room moved along its state machine."""

    type = "room:status_changed"
    status: RoomStatus
    previous: RoomStatus | None


class RoomVersionChanged(HostEvent):
    """The room moved to another version of its app; `lock` is the digest of its new lock."""

    type = "room:version_changed"
    version_before: str
    version_now: str
    how: UpgradeHow
    lock: str


class RoomDeleted(HostEvent):
    """The room was deleted."""

    type = "room:deleted"


class StateChanged(HostEvent):
    """A part of the room's state was replaced; one event per part, at that part's level."""

    type = "state:changed"
    part: Level
    state: JsonObject
    state_version: int


class OwnStateChanged(HostEvent):
    """The data that the app shows to one participant was replaced; nobody else sees it."""

    type = "state:own_changed"
    own: JsonObject


class ParticipantJoined(HostEvent):
    """A participant joined, returned, or waits to be approved."""

    type = "participant:joined"
    level = Level.ORGANIZER
    participant_id: str
    role: Role
    status: ParticipantStatus


class ParticipantLeft(HostEvent):
    """A participant left or was removed."""

    type = "participant:left"
    level = Level.ORGANIZER
    participant_id: str
    status: ParticipantStatus


class ParticipantUpdated(HostEvent):
    """A participant's name, role, status or data changed; `fields` names them."""

    type = "participant:updated"
    level = Level.ORGANIZER
    participant_id: str
    fields: tuple[str, ...]
    status: ParticipantStatus


class CountChanged(HostEvent):
    """The number of active participants: all that everybody sees of joining and leaving."""

    type = "participant:count"
    count: int


class PrizeCreated(HostEvent):
    """A prize was added."""

    type = "prize:created"
    prize_id: str
    quantity: int


class PrizeUpdated(HostEvent):
    """A prize changed; `fields` names the changed fields."""

    type = "prize:updated"
    prize_id: str
    fields: tuple[str, ...]
    quantity: int


class PrizeDeleted(HostEvent):
    """A prize was deleted."""

    type = "prize:deleted"
    prize_id: str


class WinnerSelected(HostEvent):
    """A participant won a unit of a prize."""

    type = "winner:selected"
    winner_id: str
    participant_id: str
    prize_id: str
    draw_id: str | None
    metadata: JsonObject = {}


class WinnerRevoked(HostEvent):
    """A win was revoked; the unit of the prize is available again."""

    type = "winner:revoked"
    winner_id: str
    participant_id: str
    prize_id: str
    reason_digest: str | None


class WinnerMoved(HostEvent):
    """A winner got another prize instead."""

    type = "winner:moved"
    winner_id: str
    participant_id: str
    prize_id: str
    previous_prize_id: str
    reason_digest: str | None


class WinnerFulfilled(HostEvent):
    """A prize was handed out."""

    type = "winner:fulfilled"
    winner_id: str
    participant_id: str
    prize_id: str


class DrawRequested(HostEvent):
    """A draw was requested; entries and rule are not fixed yet."""

    type = "draw:requested"
    level = Level.ORGANIZER
    draw_id: str
    key: str


class DrawHeld(HostEvent):
    """A draw is on hold until an organizer decides; `code` says why."""

    type = "draw:held"
    level = Level.ORGANIZER
    draw_id: str
    key: str
    code: str
    message: str


class DrawCommitted(HostEvent):
    """Entries and rule of a draw are fixed; these digests commit the host to them."""

    type = "draw:committed"
    draw_id: str
    key: str
    anchor: str
    link_index: int
    entries_digest: str
    rule_digest: str
    entry_count: int
    ticket_count: int


class DrawRevealed(HostEvent):
    """Winners of some prizes of a draw are public; `link` comes with the last of them.

    A draw of an app's own items has no prizes: `items` are those that are public now, in drawn
    order. Other draws have no such field.
    """

    type = "draw:revealed"
    draw_id: str
    key: str
    prizes: tuple[str, ...]
    complete: bool
    link: str | None
    guarantee: Literal["committed", "beacon"]
    items: Annotated[tuple[str, ...] | None, Field(exclude_if=lambda items: items is None)] = None


class DrawVoided(HostEvent):
    """A draw ended without winners; if it was committed, the event shows its link."""

    type = "draw:voided"
    draw_id: str
    key: str
    reason_digest: str | None
    link: str | None


class WindowOpened(HostEvent):
    """A window takes submissions from `opens_at` on; `restricted` means from some people only."""

    type = "window:opened"
    window_id: str
    prompt: JsonObject
    accepts: JsonObject
    opens_at: datetime
    closes_at: datetime | None
    submissions: SubmissionMode
    min_elapsed_ms: int
    roles: tuple[Role, ...]
    restricted: bool
    results: Results


class WindowPaused(HostEvent):
    """A window is paused; `left_ms` is the time left when it resumes, None without an end."""

    type = "window:paused"
    window_id: str
    left_ms: int | None


class WindowChanged(HostEvent):
    """A window has new times: it was resumed or extended, or the host was down."""

    type = "window:changed"
    window_id: str
    opens_at: datetime
    closes_at: datetime | None
    reason: Literal["resumed", "extended", "changed", "downtime"]


class WindowTallying(HostEvent):
    """A window takes no more submissions; its results follow."""

    type = "window:tallying"
    window_id: str
    reason: CloseReason


class WindowClosed(HostEvent):
    """A window is settled; `counted` is the number of submissions that count."""

    type = "window:closed"
    window_id: str
    reason: CloseReason
    counted: int
    decided_by: DecidedBy


class WindowRevealed(HostEvent):
    """Verdicts and standings that a window withheld are visible now."""

    type = "window:revealed"
    window_id: str


class WindowCorrected(HostEvent):
    """Verdicts of a closed window were corrected; `void` means that it gives no points now."""

    type = "window:corrected"
    window_id: str
    void: bool


class WindowShared(HostEvent):
    """Fields of a window's submissions are visible to everybody who sees this event."""

    type = "window:shared"
    window_id: str
    fields: tuple[str, ...]


class Place(Wire):
    """A place in the standings; equal points share a rank, and the next rank is skipped."""

    rank: int
    participant_id: str
    points: int


class StandingsChanged(HostEvent):
    """The ten best of the room; `top` is empty if nobody has points."""

    type = "standings:changed"
    top: tuple[Place, ...]


class ScoresChanged(HostEvent):
    """Points were added to participants or subtracted; a log of the differences.

    `window_id` names the window that they come from, None for an adjustment.
    """

    type = "scores:changed"
    level = Level.PRIVATE
    participant_id: str
    points: int
    reason_digest: str | None
    window_id: str | None = None


class NotificationSent(HostEvent):
    """A notification was created; its text is kept outside the log."""

    type = "notification:sent"
    level = Level.ORGANIZER
    notification_id: str
    recipients: int


class FallbackUsed(HostEvent):
    """The app returned no result, and something else decided; `call_id` names the call, if any."""

    type = "app:fallback_used"
    level = Level.ORGANIZER
    hook: str
    decided_by: str
    code: str
    message: str
    at: datetime
    call_id: str | None = None


class LateAnswered(HostEvent):
    """The app replied to a call after something else had decided; nothing was applied.

    `decided_by` names what decided when the deadline passed, `late_ms` before the reply arrived.
    The event leaves out the reply itself, which may still be secret.
    """

    type = "app:late_answer"
    level = Level.ORGANIZER
    hook: str
    call_id: str
    decided_by: str
    late_ms: int
    outcome: Literal["answered", "refused", "failed"]


HOST_EVENTS: dict[str, type[HostEvent]] = {
    event.type: event
    for event in (
        RoomUpdated, RoomStatusChanged, RoomVersionChanged, RoomDeleted,
        StateChanged, OwnStateChanged,
        ParticipantJoined, ParticipantLeft, ParticipantUpdated, CountChanged,
        PrizeCreated, PrizeUpdated, PrizeDeleted,
        WinnerSelected, WinnerRevoked, WinnerMoved, WinnerFulfilled,
        DrawRequested, DrawHeld, DrawCommitted, DrawRevealed, DrawVoided,
        WindowOpened, WindowPaused, WindowChanged, WindowTallying, WindowClosed,
        WindowRevealed, WindowCorrected, WindowShared,
        StandingsChanged, ScoresChanged, NotificationSent, FallbackUsed, LateAnswered,
    )
}  # fmt: skip
