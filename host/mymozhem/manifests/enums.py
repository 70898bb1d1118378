"""The closed lists of the manifest."""

from enum import StrEnum


class Permission(StrEnum):
    """What an app's token may do."""

    USERS_READ = "users:read"  #: see who people are
    ROOMS_READ = "rooms:read"  #: see rooms
    ROOMS_WRITE = "rooms:write"  #: change rooms
    PARTICIPANTS_READ = "participants:read"  #: see participants
    PARTICIPANTS_WRITE = "participants:write"  #: change participants
    PRIZES_READ = "prizes:read"  #: see prizes
    PRIZES_WRITE = "prizes:write"  #: change prizes
    WINNERS_READ = "winners:read"  #: see winners
    WINNERS_WRITE = "winners:write"  #: make and revoke winners
    REALTIME_SUBSCRIBE = "realtime:subscribe"  #: follow the room log
    REALTIME_PUBLISH = "realtime:publish"  #: write to the room log


class Need(StrEnum):
    """What the host adds to a request where the manifest needs it."""

    PRIZES = "prizes"  #: all prizes of the room
    WINNERS = "winners"  #: all winners, revoked ones included
    RESERVES = "reserves"  #: who came next in draws that are revealed as a whole
    PARTICIPANTS = "participants"  #: all participants, with metadata, data and points
    SUBMISSIONS = "submissions"  #: submissions of closed windows


class Addressee(StrEnum):
    """Who may ask for an action."""

    ADMIN = "ADMIN"  #: runs the platform
    ORGANIZER = "ORGANIZER"  #: runs the room
    MODERATOR = "MODERATOR"  #: helps to run the room
    PARTICIPANT = "PARTICIPANT"  #: takes part
    VIEWER = "VIEWER"  #: watches
    APP = "APP"  #: the app itself, by its token
