"""People: themselves to themselves, and to admins."""

from mymozhem.api.request_models import UserPatch
from mymozhem.api.request_pipeline import Call
from mymozhem.api.routes import Routes
from mymozhem.auth.profiles import change_profile, read_profile
from mymozhem.auth.users import UserChanges
from mymozhem.errors import Invalid
from mymozhem.rooms.participants.erase import erase_person
from mymozhem.rooms.views.account import SeenAnswer, SeenSeat, export_person
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
    export = await export_person(call.services.database, call.caller)
    return SeenExport(
        user=user_view(export.held.user),
        identities=[
            SeenIdentity(provider=each.provider, subject=each.subject, created_at=each.created_at)
            for each in export.held.identities
        ],
        rooms=export.rooms,
        submissions=export.submissions,
    )


@routes.add("GET /users/{id}")
async def get_user(call: Call, id: str) -> SeenUser:
    """Return a person, to themselves and to admins."""
    return user_view(await read_profile(call.services.database, call.caller, id))


@routes.add("PATCH /users/{id}")
async def change_user(call: Call, id: str, body: UserPatch) -> SeenUser:
    """Change a name or an avatar; an avatar of null takes it away."""
    given = body.model_dump(exclude_unset=True)
    if "avatar" in given:
        given["avatar_url"] = given.pop("avatar")
    if given.get("name", "") is None:
        raise Invalid(fields={"/name": ["Give a name, or leave the field out."]})
    changes = UserChanges.model_validate(given)
    return user_view(await change_profile(call.services.database, call.caller, id, changes))


@routes.add("DELETE /users/{id}")
async def erase_user(call: Call, id: str) -> None:
    """Erase a person: their rows stay for the rooms' history, without name or address."""
    await erase_person(call.services, call.caller, id)
