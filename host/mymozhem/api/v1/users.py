"""Users: for themselves and for admins."""

from mymozhem.api.request_models import UserPatch
from mymozhem.api.request_parsing import given_fields
from mymozhem.api.request_pipeline import RequestContext
from mymozhem.api.routes import Routes
from mymozhem.auth.profiles import change_profile, read_profile
from mymozhem.auth.users import UserChanges
from mymozhem.rooms.participants.erase import erase_person
from mymozhem.rooms.views.account import AnswerView, SeatView, export_person
from mymozhem.rooms.views.base import Deleted, Timestamp, View, deleted

from .auth import UserView, user_view
from .auth_sessions import SessionView, session_view

routes = Routes("users", "Users, for themselves and for admins.")


class IdentityView(View):
    """A way in which a user signs in; no secret is shown."""

    provider: str
    subject: str
    created_at: Timestamp


class ExportView(View):
    """All stored data about the caller."""

    user: UserView
    identities: list[IdentityView]
    sessions: list[SessionView]
    rooms: list[SeatView]
    submissions: list[AnswerView]


@routes.add("GET /users/me/export")
async def export_me(context: RequestContext) -> ExportView:
    """Return all stored data about the caller, except secrets."""
    export = await export_person(context.services.database, context.caller)
    return ExportView(
        user=user_view(export.held.user),
        identities=[
            IdentityView(provider=each.provider, subject=each.subject, created_at=each.created_at)
            for each in export.held.identities
        ],
        sessions=[session_view(each, context.caller) for each in export.held.sessions],
        rooms=export.rooms,
        submissions=export.submissions,
    )


@routes.add("GET /users/{id}")
async def get_user(context: RequestContext, id: str) -> UserView:
    """Return a user, to themselves and to admins."""
    return user_view(await read_profile(context.services.database, context.caller, id))


@routes.add("PATCH /users/{id}")
async def change_user(context: RequestContext, id: str, body: UserPatch) -> UserView:
    """Change a name or an avatar; null removes the avatar."""
    given = given_fields(body, ("name", "avatar"), may_be_null="avatar")
    if "avatar" in given:
        given["avatar_url"] = given.pop("avatar")
    changes = UserChanges.model_validate(given)
    return user_view(await change_profile(context.services.database, context.caller, id, changes))


@routes.add("DELETE /users/{id}")
async def erase_user(context: RequestContext, id: str) -> Deleted:
    """Erase a user: their rows stay for the rooms' history, without name or address."""
    return deleted(id, await erase_person(context.services, context.caller, id))
