"""Create an account with an invitation, and change or replace a password."""

from typing import Literal

from mymozhem.api.idempotency import Repeat
from mymozhem.api.request_models import (
    ChosenPasswordBody,
    EmailBody,
    PasswordBody,
    SignUpBody,
)
from mymozhem.api.request_pipeline import RequestContext
from mymozhem.api.routes import Routes
from mymozhem.auth.accounts import comparable_email
from mymozhem.rooms.views.base import View

from .auth import SignedIn, counted, signed_in

routes = Routes("accounts", "Accounts: created with an invitation, and their passwords.")


class Done(View):
    """The request was carried out, or there was nothing to do."""

    success: Literal[True]


@routes.add(
    "POST /auth/sign-up",
    status=201,
    anonymous=True,
    repeat=Repeat.SECRET,
    refuses=frozenset({403, 404, 409, 429}),
)
async def sign_up(context: RequestContext, body: SignUpBody) -> SignedIn:
    """Create an account with an invitation, and sign in."""
    with counted(context, "link"):
        user = await context.host.sign_up.sign_up(
            body.invitation, email=body.email, name=body.name, password=body.password
        )
    return await signed_in(context, user)


@routes.add(
    "POST /auth/sign-up/request",
    anonymous=True,
    repeat=Repeat.FREE,
    refuses=frozenset({403, 429}),
)
async def request_invitation(context: RequestContext, body: EmailBody) -> Done:
    """Request an invitation by mail, if everybody may sign up here.

    The response does not reveal whether an account exists or a mail was sent.
    """
    context.host.limits.count_failure("mail", context.address)
    await context.host.sign_up.request(body.email)
    return Done(success=True)


@routes.add("POST /auth/password", repeat=Repeat.FREE, refuses=frozenset({401, 409, 429}))
async def change_password(context: RequestContext, body: PasswordBody) -> Done:
    """Change the caller's password. All other sessions end."""
    host, caller = context.host, context.caller
    async with host.limits.password_attempt(
        address=context.address, account=caller.user_id, device=None
    ):
        await host.passwords.change(caller, current=body.current_password, new=body.new_password)
    return Done(success=True)


@routes.add(
    "POST /auth/password/request",
    anonymous=True,
    repeat=Repeat.FREE,
    refuses=frozenset({429}),
)
async def request_password_link(context: RequestContext, body: EmailBody) -> Done:
    """Request a link to a new password by mail.

    The response does not reveal whether an account exists or a mail was sent.
    """
    context.host.limits.count_failure("mail", context.address)
    await context.host.passwords.request_link(comparable_email(body.email))
    return Done(success=True)


@routes.add(
    "POST /auth/password/choose",
    anonymous=True,
    repeat=Repeat.FREE,
    refuses=frozenset({404, 429}),
)
async def choose_password(context: RequestContext, body: ChosenPasswordBody) -> Done:
    """Choose a new password with a link. All sessions end; sign in afterwards."""
    with counted(context, "link"):
        await context.host.passwords.choose(body.token, password=body.password)
    return Done(success=True)
