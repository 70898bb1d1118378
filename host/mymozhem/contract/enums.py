"""The closed lists of the contract."""

from enum import StrEnum


class RoomStatus(StrEnum):
    """Where a room is in its life."""

    DRAFT = "DRAFT"  #: being prepared; settings may change
    ACTIVE = "ACTIVE"  #: the event is on; settings are frozen
    COMPLETED = "COMPLETED"  #: over; only follow-ups are written
    CANCELLED = "CANCELLED"  #: called off


class Role(StrEnum):
    """What a person is in a room; ADMIN is the platform's own."""

    ADMIN = "ADMIN"  #: runs the platform
    ORGANIZER = "ORGANIZER"  #: runs the room
    MODERATOR = "MODERATOR"  #: helps to run the room
    PARTICIPANT = "PARTICIPANT"  #: takes part
    VIEWER = "VIEWER"  #: watches


class PersonKind(StrEnum):
    """How a person is known."""

    REGISTERED = "registered"  #: has an account
    GUEST = "guest"  #: came with a room code and a name


class ParticipantStatus(StrEnum):
    """Whether a participant takes part now."""

    ACTIVE = "active"  #: takes part
    PENDING = "pending"  #: waits for an organizer
    REJECTED = "rejected"  #: was not let in
    LEFT = "left"  #: went, and may come back
    REMOVED = "removed"  #: was sent away, and may not come back


class Level(StrEnum):
    """Who may see something."""

    PUBLIC = "public"  #: everybody in the room
    ORGANIZER = "organizer"  #: organizers, moderators, admins
    PRIVATE = "private"  #: nobody outside the host and the app


class WinnerStatus(StrEnum):
    """What became of a win."""

    AWARDED = "awarded"  #: stands, the prize is not handed out yet
    FULFILLED = "fulfilled"  #: the prize was handed out
    REVOKED = "revoked"  #: taken back, with a reason


class DrawStatus(StrEnum):
    """How far a draw has come."""

    REQUESTED = "REQUESTED"  #: asked for; entries and rule are not fixed yet
    COMMITTED = "COMMITTED"  #: entries and rule are fixed, their digests are public
    DRAWN = "DRAWN"  #: the winners are stored, sealed from everybody
    REVEALED = "REVEALED"  #: the winners and the record are public
    VOIDED = "VOIDED"  #: ended without winners, in public


class SubmissionMode(StrEnum):
    """How often one participant may submit to a window."""

    ONCE = "once"  #: the first submission stands
    LATEST = "latest"  #: a later submission takes the place of the earlier one
    MANY = "many"  #: every submission counts


class CloseOn(StrEnum):
    """What closes a window, besides its end and its organizers."""

    DEADLINE = "deadline"  #: nothing else; it closes at its end
    FIRST_RIGHT = "firstRight"  #: the first right submission, or that nobody is left to give it
    EVERYONE = "everyoneAnswered"  #: that everybody who may submit has done so
    ACTION = "action"  #: the app's effect `closeWindow`


class Judge(StrEnum):
    """Who judges submissions."""

    RULES = "rules"  #: the host, by the window's rules, at once
    APP = "app"  #: the app, one by one, by `judge_submission`
    CLOSE = "close"  #: the app, all together, by `close_window`


class Results(StrEnum):
    """When verdicts and standings are shown."""

    ON_CLOSE = "onClose"  #: when the window is closed
    ON_REVEAL = "onReveal"  #: when they are revealed, automatically after ten minutes


class WindowStatus(StrEnum):
    """Where a window is in its life."""

    OPEN = "open"  #: takes submissions, from its opening on
    PAUSED = "paused"  #: on hold, with the time that was left
    TALLYING = "tallying"  #: counts nothing any more; the app decides the results
    CLOSED = "closed"  #: settled: verdicts and points are fixed, unless they are corrected
    VOID = "void"  #: gives no points


class CloseReason(StrEnum):
    """What closed a window."""

    DEADLINE = "deadline"  #: its time was over
    FIRST_RIGHT = "firstRight"  #: somebody was right
    EVERYONE = "everyoneAnswered"  #: everybody had answered
    APP = "app"  #: the app
    ORGANIZER = "organizer"  #: an organizer
    ROOM = "room"  #: the end of the room


class Verdict(StrEnum):
    """What a submission was found to be."""

    RIGHT = "right"  #: counts as right
    WRONG = "wrong"  #: counts as wrong
    PENDING = "pending"  #: not judged yet
    NONE = "none"  #: nothing to judge


class ChangeKind(StrEnum):
    """What can change in a room; a manifest's `changes` names the kinds that its app receives."""

    STATUS = "status"  #: the room's status
    SETTINGS = "settings"  #: the room's settings
    JOINED = "joined"  #: a participant joined, came back or was approved
    LEFT = "left"  #: a participant left or was removed
    PARTICIPANT = "participant"  #: a participant's name, role or data
    PRIZE = "prize"  #: a prize
    WINNER = "winner"  #: a winner, once everybody may know
    DRAW = "draw"  #: a draw was committed, revealed or voided
    WINDOW = "window"  #: a window was opened, paused, closed or corrected
    CONTINUED = "continued"  #: another room continues this one


class UpgradeHow(StrEnum):
    """How a room was moved to another version of its app."""

    AUTOMATIC = "automatic"  #: everything fitted, completed by defaults
    ASSISTED = "assisted"  #: by the manifest's migrations, the app, or data of the organizer's
    ROLLBACK = "rollback"  #: back to the lock before, with what the room had then


class Strategy(StrEnum):
    """What the host does when an app fails to answer."""

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
