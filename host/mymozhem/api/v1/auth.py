"""Sign in with a local account, or join as a guest of one room."""

from collections.abc import Iterator
from contextlib import contextmanager

from quart import after_this_request, request
from quart.typing import ResponseTypes

from mymozhem.api.idempotency import Repeat
from mymozhem.api.refresh_cookies import device_of, hand_out
from mymozhem.api.request_models import GuestBody, LoginBody, ReturnBody
from mymozhem.api.request_pipeline import RequestContext
from mymozhem.api.routes import Routes
from mymozhem.auth.accounts import comparable_email
from mymozhem.auth.known_devices import VALID, KnownDevices
from mymozhem.auth.profiles import read_own_profile
from mymozhem.auth.users import User
from mymozhem.contract import JsonObject, PersonKind, Role, RoomStatus
from mymozhem.errors import NotFound
from mymozhem.rooms.coordination.join_batches import JoinResult
from mymozhem.rooms.core.join_code import is_short_code, normal_code
from mymozhem.rooms.core.membership import Membership
from mymozhem.rooms.participants.join import join
from mymozhem.rooms.participants.return_codes import return_as_guest_of
from mymozhem.rooms.views.base import Timestamp, View
from mymozhem.rooms.views.participants import ParticipantView, participant_view

routes = Routes("auth", "Signing in, and the caller's identity.")


class UserView(View):
    """A user as they see themselves, and as admins see them."""

    id: str
    email: str | None
    name: str
    avatar: str | None
    kind: PersonKind
    is_admin: bool
    email_verified: bool
    created_at: Timestamp
    updated_at: Timestamp


class SignedIn(View):
    """The tokens of a new session and its user; `expiresIn` in seconds.

    `refreshToken` is null for the host's own pages, which get it as a cookie.
    """

    access_token: str
    refresh_token: str | None
    expires_in: int
    user: UserView


class EnteredRoom(View):
    """The room that the caller joined."""

    id: str
    name: str
    status: RoomStatus


class Entered(View):
    """A guest's token, valid for this room only; null if the caller has a token already.

    `returnCode` moves the guest to another phone, once; null if the caller has a token or an
    account. The host cannot show it again.
    """

    access_token: str | None
    expires_in: int | None
    user: UserView
    room: EnteredRoom
    return_code: str | None
    participant: ParticipantView


@routes.add(
    "POST /auth/login", anonymous=True, repeat=Repeat.FREE, refuses=frozenset({401, 403, 429})
)
async def login(context: RequestContext, body: LoginBody) -> SignedIn:
    """Sign in with e-mail and password.

    After too many failures from one address, or for one account, attempts are delayed, and those
    that fail are 429. Browsers get a cookie, so that later attempts are counted for this device.
    """
    host = context.host
    account, devices = comparable_email(body.email), host.devices
    device = devices.recognize(request.cookies.get(devices.cookie), account)
    async with host.limits.password_attempt(
        address=context.address, account=account, device=device
    ):
        user = await host.accounts.login(body.email, body.password)
    if device is None:
        _remember_device(devices, account)
    return await signed_in(context, user)


@routes.add(
    "POST /auth/guest", status=201, repeat=Repeat.SECRET, refuses=frozenset({403, 404, 410})
)
async def enter_as_guest(context: RequestContext, body: GuestBody) -> Entered:
    """Join a room by its code; without a token, as a guest of that room.

    While its doors are open, a room also has a code of six digits, for typing.
    The response to a wrong code does not reveal whether a room exists; the response to a right one
    says if the room is not open yet, locked, full or over.
    """
    joined = await join_by_code(context, body.code, name=body.name, answers=body.answers)
    return entered(context, joined)


@routes.add(
    "POST /auth/return",
    anonymous=True,
    repeat=Repeat.SECRET,
    refuses=frozenset({403, 404, 410, 429}),
)
async def return_as_guest(context: RequestContext, body: ReturnBody) -> Entered:
    """Move a guest to this phone with their return code.

    The phone before is signed out, and a new return code replaces the old one. The response to
    wrong codes reveals neither whether a room exists nor which of the codes is wrong.
    """
    with counted(context, "code"):
        returned = await return_as_guest_of(context.services, body.code, body.return_code)
    return entered(context, returned)


@routes.add("GET /auth/me")
async def get_me(context: RequestContext) -> UserView:
    """Return the caller."""
    return user_view(await read_own_profile(context.services.database, context.caller))


def _remember_device(devices: KnownDevices, account: str) -> None:
    cookie = devices.issue(account)

    @after_this_request
    async def remember(response: ResponseTypes) -> ResponseTypes:
        response.set_cookie(
            devices.cookie,
            cookie,
            max_age=VALID,
            secure=devices.secure,
            httponly=True,
            samesite="Strict",
        )
        return response


async def join_by_code(
    context: RequestContext,
    code: str,
    *,
    name: str | None,
    answers: JsonObject,
    role: Role | None = None,
    metadata: JsonObject | None = None,
) -> JoinResult:
    """Join a room by a code; a wrong code counts against the client's address."""
    kind = "code"
    if is_short_code(normal_code(code)):
        kind = "short code"
        await context.host.limits.slow_down(kind, context.address)
    with counted(context, kind):
        return await join(
            context.services,
            code,
            context.principal,
            name=name,
            answers=answers,
            role=role,
            metadata=metadata,
        )


async def signed_in(context: RequestContext, user: User) -> SignedIn:
    """Start a session of somebody who proved who they are, and return its tokens."""
    session = await context.services.sessions.start(user, device_of(context))
    token = context.host.tokens.issue(user, session_id=session.session_id)
    return SignedIn(
        access_token=token.access_token,
        refresh_token=hand_out(context, session),
        expires_in=token.expires_in,
        user=user_view(user),
    )


@contextmanager
def counted(context: RequestContext, kind: str) -> Iterator[None]:
    """Count a wrong code or link against the client's address."""
    try:
        yield
    except NotFound:
        context.host.limits.count_failure(kind, context.address)
        raise


def entered(context: RequestContext, joined: JoinResult) -> Entered:
    """Return the response for a caller who joined; with a token if they had none."""
    user, guest_session_id = User.of(joined.person), joined.participant.guest_session_id
    token = (
        None
        if context.principal
        else context.host.tokens.issue(user, room_id=joined.room.id, session_id=guest_session_id)
    )
    return Entered(
        access_token=token.access_token if token else None,
        expires_in=token.expires_in if token else None,
        user=user_view(user),
        room=EnteredRoom(id=joined.room.id, name=joined.room.name, status=joined.room.status),
        return_code=joined.return_code,
        participant=seen(joined),
    )


def seen(joined: JoinResult) -> ParticipantView:
    """Return a participant who joined, as they see themselves."""
    row, person = joined.participant, joined.person
    own = Membership(joined.room, person.id, PersonKind(person.kind), row.role, row)
    return participant_view(own, row, person)


def user_view(user: User) -> UserView:
    """Return a user as they see themselves."""
    return UserView(
        id=user.id,
        email=user.email,
        name=user.name,
        avatar=user.avatar_url,
        kind=user.kind,
        is_admin=user.is_admin,
        email_verified=user.email_verified,
        created_at=user.created_at,
        updated_at=user.updated_at,
    )
