"""People: themselves to themselves, and to admins."""

from mymozhem.api.request_models import UserPatch
from mymozhem.api.request_pipeline import Call
from mymozhem.api.routes import Routes
from mymozhem.auth.users import UserChanges, export_user, patch_user
from mymozhem.auth.users import get_user as read_user
from mymozhem.errors import Invalid
from mymozhem.idempotency.keys import mark_done
from mymozhem.rooms.participants.erase import erase_person
from mymozhem.rooms.views.account import SeenAnswer, SeenSeat, answers_of, seats_of
from mymozhem.rooms.views.base import Timestamp, View

from .auth import SeenUser, user_view

routes = Routes("users", "People, to themselves and to admins.")


class SeenIdentity(View):
    """A way in which somebody signs in; no secret is shown."""

    provider: str
    subject: str
    created_at: Timestamp


class SeenExport(View):
    """Everything that is held about the caller."""

    user: SeenUser
    identities: list[SeenIdentity]
    rooms: list[SeenSeat]
    submissions: list[SeenAnswer]


@routes.add("GET /users/me/export")
async def export_me(call: Call) -> SeenExport:
    """Return everything that is held about the caller, save secrets."""
    async with call.services.database.read() as session:
        held = await export_user(session, call.caller)
        rooms = await seats_of(session, call.caller.user_id)
        submissions = await answers_of(session, call.caller.user_id)
    return SeenExport(
        user=user_view(held.user),
        identities=[
            SeenIdentity(provider=each.provider, subject=each.subject, created_at=each.created_at)
            for each in held.identities
        ],
        rooms=rooms,
        submissions=submissions,
    )


@routes.add("GET /users/{id}")
async def get_user(call: Call, id: str) -> SeenUser:
    """Return a person, to themselves and to admins."""
    async with call.services.database.read() as session:
        return user_view(await read_user(session, call.caller, id))


@routes.add("PATCH /users/{id}")
async def change_user(call: Call, id: str, body: UserPatch) -> SeenUser:
    """Change a name or an avatar; an avatar of null takes it away."""
    given = body.model_dump(exclude_unset=True)
    if "avatar" in given:
        given["avatar_url"] = given.pop("avatar")
    if given.get("name", "") is None:
        raise Invalid(fields={"/name": ["Give a name, or leave the field out."]})
    changes = UserChanges.model_validate(given)
    async with call.services.database.write() as unit:
        user = await patch_user(unit, call.caller, id, changes)
        await mark_done(unit.session)
    return user_view(user)


@routes.add("DELETE /users/{id}")
async def erase_user(call: Call, id: str) -> None:
    """Erase a person: their rows stay for the rooms' history, without name or address."""
    await erase_person(call.services, call.caller, id)
