"""People: themselves to themselves, and to admins."""

from mymozhem.api.request_models import UserPatch
from mymozhem.api.request_pipeline import RequestContext
from mymozhem.api.routes import Routes
from mymozhem.auth.users import UserChanges, export_user, patch_user
from mymozhem.auth.users import get_user as read_user
from mymozhem.errors import Invalid
from mymozhem.idempotency.keys import mark_done
from mymozhem.rooms.participants.erase import erase_person
from mymozhem.rooms.views.account import AnswerView, SeatView, answers_of, seats_of
from mymozhem.rooms.views.base import Timestamp, View

from .auth import UserView, user_view

routes = Routes("users", "People, to themselves and to admins.")


class IdentityView(View):
    """A way in which somebody signs in; no secret is shown."""

    provider: str
    subject: str
    created_at: Timestamp


class ExportView(View):
    """Everything that is held about the caller."""

    user: UserView
    identities: list[IdentityView]
    rooms: list[SeatView]
    submissions: list[AnswerView]


@routes.add("GET /users/me/export")
async def export_me(context: RequestContext) -> ExportView:
    """Return everything that is held about the caller, save secrets."""
    async with context.services.database.read() as session:
        held = await export_user(session, context.caller)
        rooms = await seats_of(session, context.caller.user_id)
        submissions = await answers_of(session, context.caller.user_id)
    return ExportView(
        user=user_view(held.user),
        identities=[
            IdentityView(provider=each.provider, subject=each.subject, created_at=each.created_at)
            for each in held.identities
        ],
        rooms=rooms,
        submissions=submissions,
    )


@routes.add("GET /users/{id}")
async def get_user(context: RequestContext, id: str) -> UserView:
    """Return a person, to themselves and to admins."""
    async with context.services.database.read() as session:
        return user_view(await read_user(session, context.caller, id))


@routes.add("PATCH /users/{id}")
async def change_user(context: RequestContext, id: str, body: UserPatch) -> UserView:
    """Change a name or an avatar; an avatar of null takes it away."""
    given = body.model_dump(exclude_unset=True)
    if "avatar" in given:
        given["avatar_url"] = given.pop("avatar")
    if given.get("name", "") is None:
        raise Invalid(fields={"/name": ["Give a name, or leave the field out."]})
    changes = UserChanges.model_validate(given)
    async with context.services.database.write() as unit:
        user = await patch_user(unit, context.caller, id, changes)
        await mark_done(unit.session)
    return user_view(user)


@routes.add("DELETE /users/{id}")
async def erase_user(context: RequestContext, id: str) -> None:
    """Erase a person: their rows stay for the rooms' history, without name or address."""
    await erase_person(context.services, context.caller, id)
