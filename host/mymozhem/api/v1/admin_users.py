"""Accounts and invitations, for admins."""

from typing import Literal

from pydantic import Field

from mymozhem.api.idempotency import Repeat
from mymozhem.api.query_models import Id
from mymozhem.api.request_models import NewInvitationBody, StopBody
from mymozhem.api.request_parsing import Query
from mymozhem.api.request_pipeline import RequestContext
from mymozhem.api.routes import Routes
from mymozhem.contract import JsonObject
from mymozhem.rooms.views.base import Deleted, Timestamp, View, deleted
from mymozhem.users.administration import LONGEST_LIST, Account

routes = Routes("accounts", "Accounts: created with an invitation, and their passwords.")


class InvitationLink(View):
    """A new invitation; `link` and `token` are never shown again."""

    id: str
    link: str
    token: str
    expires_at: Timestamp


class InvitationView(View):
    """An invitation, without its link."""

    id: str
    email: str | None
    is_admin: bool
    created_at: Timestamp
    expires_at: Timestamp
    used_at: Timestamp | None


class AccountView(View):
    """An account as admins see it."""

    id: str
    email: str | None
    name: str
    is_admin: bool
    email_verified: bool
    created_at: Timestamp
    deactivated_at: Timestamp | None
    deactivated_reason: str | None


class AccountEventView(View):
    """Something that happened to an account; `by` is null for the host and its operator."""

    at: Timestamp
    action: str
    by: str | None
    details: JsonObject


class SignedOutEverywhere(View):
    """When all sessions and tokens of the account ended."""

    success: Literal[True]
    revoked_at: Timestamp


class AccountsQuery(Query):
    """Which accounts are listed, the newest first."""

    q: str | None = Field(
        default=None, max_length=100, description="Part of the name or of the address."
    )
    status: Literal["active", "deactivated"] | None = None
    before: Id | None = Field(
        default=None, description="The id of the last account of the part before."
    )
    limit: int = Field(default=LONGEST_LIST, ge=1, le=LONGEST_LIST)


@routes.add("POST /admin/invitations", status=201, repeat=Repeat.SECRET)
async def create_invitation(context: RequestContext, body: NewInvitationBody) -> InvitationLink:
    """Invite somebody to create an account. With an `email`, they also get a mail."""
    link = await context.host.sign_up.invite(
        context.caller, email=body.email, is_admin=body.is_admin
    )
    return InvitationLink(id=link.id, link=link.url, token=link.token, expires_at=link.expires_at)


@routes.add("GET /admin/invitations")
async def list_invitations(context: RequestContext) -> list[InvitationView]:
    """List the latest hundred invitations, the newest first."""
    return [
        InvitationView(
            id=each.id,
            email=each.email,
            is_admin=each.is_admin,
            created_at=each.created_at,
            expires_at=each.expires_at,
            used_at=each.used_at,
        )
        for each in await context.host.sign_up.invitations(context.caller)
    ]


@routes.add("DELETE /admin/invitations/{id}")
async def withdraw_invitation(context: RequestContext, id: str) -> Deleted:
    """Withdraw an invitation that was not used."""
    return deleted(id, await context.host.sign_up.withdraw(context.caller, id))


@routes.add("GET /admin/users")
async def list_users(context: RequestContext, query: AccountsQuery) -> list[AccountView]:
    """Find accounts by name, address or status."""
    found = await context.host.administration.find(
        context.caller,
        text=query.q,
        status=query.status,
        before=query.before,
        limit=query.limit,
    )
    return [_seen(each) for each in found]


@routes.add("GET /admin/users/{id}/history")
async def get_user_history(context: RequestContext, id: str) -> list[AccountEventView]:
    """List what happened to an account: who did it, when, and why."""
    return [
        AccountEventView(at=each.at, action=each.action, by=each.by, details=each.details)
        for each in await context.host.administration.history(context.caller, id)
    ]


@routes.add("POST /admin/users/{id}/deactivate", repeat=Repeat.FREE, refuses=frozenset({409}))
async def deactivate_user(context: RequestContext, id: str, body: StopBody) -> AccountView:
    """Let an account sign in no more; all its sessions and tokens end within a second."""
    return _seen(await context.host.administration.deactivate(context.caller, id, body.reason))


@routes.add("POST /admin/users/{id}/activate", repeat=Repeat.FREE)
async def activate_user(context: RequestContext, id: str) -> AccountView:
    """Let a deactivated account sign in again."""
    return _seen(await context.host.administration.activate(context.caller, id))


@routes.add("POST /admin/users/{id}/revoke", repeat=Repeat.FREE)
async def revoke_user(context: RequestContext, id: str, body: StopBody) -> SignedOutEverywhere:
    """Sign an account out everywhere. It may sign in again."""
    at = await context.host.administration.revoke(context.caller, id, body.reason)
    return SignedOutEverywhere(success=True, revoked_at=at)


def _seen(account: Account) -> AccountView:
    return AccountView(
        id=account.id,
        email=account.email,
        name=account.name,
        is_admin=account.is_admin,
        email_verified=account.email_verified,
        created_at=account.created_at,
        deactivated_at=account.deactivated_at,
        deactivated_reason=account.deactivated_reason,
    )
