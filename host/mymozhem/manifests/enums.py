"""The enumerations of the manifest."""

from enum import StrEnum


class Permission(StrEnum):
    """What an app's token may do."""

    USERS_READ = "users:read"  #: read users' identities
    ROOMS_READ = "rooms:read"  #: see rooms
    ROOMS_WRITE = "rooms:write"  #: change rooms
    PARTICIPANTS_READ = "participants:read"  #: see participants
    PARTICIPANTS_WRITE = "participants:write"  #: change participants
    PRIZES_READ = "prizes:read"  #: see prizes
    PRIZES_WRITE = "prizes:write"  #: change prizes
    WINNERS_READ = "winners:read"  #: see winners
    WINNERS_WRITE = "winners:write"  #: create and revoke winners
    REALTIME_SUBSCRIBE = "realtime:subscribe"  #: follow the room log
    REALTIME_PUBLISH = "realtime:publish"  #: write to the room log


class Need(StrEnum):
    """Data that the host adds to a request if the manifest needs it."""

    PRIZES = "prizes"  #: all prizes of the room
    WINNERS = "winners"  #: all winners, revoked ones included
    RESERVES = "reserves"  #: the reserves of draws that are completely revealed
    PARTICIPANTS = "participants"  #: all participants, with metadata, data and points
    SUBMISSIONS = "submissions"  #: submissions of closed windows


class Addressee(StrEnum):
    """Who may call an action."""

    ADMIN = "ADMIN"  #: runs the platform
    ORGANIZER = "ORGANIZER"  #: runs the room
    MODERATOR = "MODERATOR"  #: helps to run the room
    PARTICIPANT = "PARTICIPANT"  #: takes part
    VIEWER = "VIEWER"  #: watches
    APP = "APP"  #: the app itself, by its token
