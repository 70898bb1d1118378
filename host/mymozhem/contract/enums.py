"""The enumerations of the contract."""

from enum import StrEnum


class RoomStatus(StrEnum):
    """The stage of a room in its life cycle."""

    DRAFT = "DRAFT"  #: in preparation; settings may change
    ACTIVE = "ACTIVE"  #: the event is on; settings are frozen
    COMPLETED = "COMPLETED"  #: over; only follow-ups are written
    CANCELLED = "CANCELLED"  #: called off


class Role(StrEnum):
    """The role of a user in a room; only the host gives ADMIN."""

    ADMIN = "ADMIN"  #: runs the platform
    ORGANIZER = "ORGANIZER"  #: runs the room
    MODERATOR = "MODERATOR"  #: helps to run the room
    PARTICIPANT = "PARTICIPANT"  #: takes part
    VIEWER = "VIEWER"  #: watches


class PersonKind(StrEnum):
    """How a person is identified."""

    REGISTERED = "registered"  #: has an account
    GUEST = "guest"  #: joined with a room code and a name


class ParticipantStatus(StrEnum):
    """Whether a participant is active now."""

    ACTIVE = "active"  #: takes part
    PENDING = "pending"  #: waits for an organizer
    REJECTED = "rejected"  #: was rejected
    LEFT = "left"  #: left, and may join again
    REMOVED = "removed"  #: was removed, and may not join again


class Level(StrEnum):
    """Who may see something."""

    PUBLIC = "public"  #: everybody in the room
    ORGANIZER = "organizer"  #: organizers, moderators, admins
    PRIVATE = "private"  #: nobody outside the host and the app


class WinnerStatus(StrEnum):
    """The status of a win."""

    AWARDED = "awarded"  #: valid; the prize is not handed out yet
    FULFILLED = "fulfilled"  #: the prize was handed out
    REVOKED = "revoked"  #: revoked, with a reason


class DrawStatus(StrEnum):
    """The stage of a draw."""

    REQUESTED = "REQUESTED"  #: requested; entries and rule are not fixed yet
    COMMITTED = "COMMITTED"  #: entries and rule are fixed, their digests are public
    DRAWN = "DRAWN"  #: the winners are stored, sealed from everybody
    REVEALED = "REVEALED"  #: the winners and the record are public
    VOIDED = "VOIDED"  #: ended without winners, in public


class SubmissionMode(StrEnum):
    """How often one participant may submit to a window."""

    ONCE = "once"  #: the first submission counts
    LATEST = "latest"  #: a later submission replaces the earlier one
    MANY = "many"  #: every submission counts


class CloseOn(StrEnum):
    """What closes a window, besides its end and the organizers."""

    DEADLINE = "deadline"  #: nothing else; it closes at its end
    FIRST_RIGHT = "firstRight"  #: the first right submission, or that nobody is left to give it
    EVERYONE = "everyoneAnswered"  #: that everybody who may submit has done so
    ACTION = "action"  #: the app's effect `closeWindow`


class Judge(StrEnum):
    """Who judges submissions."""

    RULES = "rules"  #: the host, by the window's rules, immediately
    APP = "app"  #: the app, one by one, by `judge_submission`
    CLOSE = "close"  #: the app, all together, by `close_window`


class Results(StrEnum):
    """When verdicts and standings are shown."""

    ON_CLOSE = "onClose"  #: when the window is closed
    ON_REVEAL = "onReveal"  #: when they are revealed, automatically after ten minutes


class WindowStatus(StrEnum):
    """The stage of a window in its life cycle."""

    OPEN = "open"  #: takes submissions, from its opening on
    PAUSED = "paused"  #: on hold, with the time that was left
    TALLYING = "tallying"  #: counts nothing any more; the app decides the results
    CLOSED = "closed"  #: settled: verdicts and points are fixed, unless they are corrected
    VOID = "void"  #: gives no points


class CloseReason(StrEnum):
    """What closed a window."""

    DEADLINE = "deadline"  #: its time is over
    FIRST_RIGHT = "firstRight"  #: somebody was right
    EVERYONE = "everyoneAnswered"  #: everybody had answered
    APP = "app"  #: the app
    ORGANIZER = "organizer"  #: an organizer
    ROOM = "room"  #: the end of the room


class Verdict(StrEnum):
    """The verdict on a submission."""

    RIGHT = "right"  #: counts as right
    WRONG = "wrong"  #: counts as wrong
    PENDING = "pending"  #: not judged yet
    NONE = "none"  #: nothing to judge


class ChangeKind(StrEnum):
    """What can change in a room; a manifest's `changes` names the kinds that its app receives."""

    STATUS = "status"  #: the room's status
    SETTINGS = "settings"  #: the room's settings
    JOINED = "joined"  #: a participant joined, returned or was approved
    LEFT = "left"  #: a participant left or was removed
    PARTICIPANT = "participant"  #: a participant's name, role or data
    PRIZE = "prize"  #: a prize
    WINNER = "winner"  #: a winner, after everybody may see it
    DRAW = "draw"  #: a draw was committed, revealed or voided
    WINDOW = "window"  #: a window was opened, paused, closed or corrected
    CONTINUED = "continued"  #: another room continues this one


class UpgradeHow(StrEnum):
    """How a room was moved to another version of its app."""

    AUTOMATIC = "automatic"  #: everything fits, completed by defaults
    ASSISTED = "assisted"  #: by the manifest's migrations, the app, or data from the organizer
    ROLLBACK = "rollback"  #: back to the previous lock, with the data of that time


class Strategy(StrEnum):
    """What the host does if an app does not return a valid result in time."""

    PLATFORM = "platform"  #: the host's own default
    CACHED = "cached"  #: rules that the host already holds
    QUEUE = "queue"  #: the host asks again until the app answers
    REVIEW = "review"  #: an organizer decides later
    HOLD = "hold"  #: on hold until an organizer decides
    FAIL = "fail"  #: the caller gets the failure, nothing is applied
    FALLBACK = "fallback"  #: a literal result from the manifest


class DecidedBy(StrEnum):
    """Who decided the outcome of a call."""

    APP = "app"  #: the app itself
    PLATFORM = "platform"  #: the host's default
    CACHE = "cache"  #: rules that the host held
    QUEUE = "queue"  #: nobody yet; the app will be asked again
    REVIEW = "review"  #: nobody yet; an organizer will
    HOLD = "hold"  #: nobody yet; it is on hold
    FALLBACK = "fallback"  #: the manifest's literal value
    NOBODY = "nobody"  #: the call failed, and the caller got the failure
