"""Queries of lists: pages, orders and fields, each from a list of allowed values."""

import re
from collections.abc import Iterable
from typing import Annotated, TypeVar

from pydantic import BaseModel, Field, StringConstraints

from mymozhem.contract import JsonObject, ParticipantStatus, Role, RoomStatus, WinnerStatus
from mymozhem.errors import Invalid
from mymozhem.rooms.app_settings.import_values import ImportMode
from mymozhem.rooms.views.base import to_json
from mymozhem.rooms.views.paging import PageRequest, ResultPage
from mymozhem.rooms.views.participants import PEOPLE_BY
from mymozhem.rooms.views.prizes import PRIZES_BY
from mymozhem.rooms.views.rooms import SORTED_BY
from mymozhem.rooms.views.windows import WINDOWS_BY
from mymozhem.rooms.views.winners import WINNERS_BY

from .file_downloads import FileForm
from .request_parsing import Query
from .responses import Page

V = TypeVar("V", bound=BaseModel)
MAX_PAGE = 10_000

Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Version = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Names = Annotated[
    str | None,
    Field(
        pattern=r"^[A-Za-z]{1,40}(,[A-Za-z]{1,40}){0,40}$",
        max_length=1_000,
        description="Only these fields, separated by commas.",
    ),
]


def by(columns: Iterable[str]) -> str:
    """Return the pattern of a sort order by some of these fields."""
    names = "|".join(sorted(columns))
    return rf"^-?({names})(,-?({names})){{0,3}}$"


class Pages(Query):
    """The page of a list."""

    page: int = Field(default=1, ge=1, le=MAX_PAGE, description="Counts from 1.")
    limit: int = Field(default=20, ge=1, le=100, description="The maximum number of items.")

    @property
    def part(self) -> PageRequest:
        """The requested page."""
        sort = getattr(self, "sort", None)
        return PageRequest(self.page, self.limit, tuple(sort.split(",")) if sort else ())


class DeletionQuery(Query):
    """How an app is deleted."""

    force: bool = Field(
        default=False, description="Delete it although rooms use it; for administrators."
    )


class RoomsQuery(Pages):
    """Rooms that are visible to the caller."""

    sort: str | None = Field(default=None, pattern=by(SORTED_BY), examples=["-createdAt,name"])
    fields: Names = None
    status: RoomStatus | None = None
    app_id: Id | None = None
    created_by: Id | None = None
    is_public: bool | None = Field(default=None, description="Only public, or only private rooms.")
    mine: bool = Field(
        default=False, description="Only rooms in which the caller is a participant."
    )


class PeopleQuery(Pages):
    """People of a room."""

    sort: str | None = Field(default=None, pattern=by(PEOPLE_BY), examples=["displayName"])
    fields: Names = None
    role: Role | None = None
    status: ParticipantStatus | None = None
    name: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = Field(
        default=None, description="The beginning of the name."
    )


class PrizesQuery(Pages):
    """Prizes of a room."""

    sort: str | None = Field(default=None, pattern=by(PRIZES_BY), examples=["name"])
    fields: Names = None
    include_exhausted: bool = Field(
        default=True, description="Whether prizes without any unit left are listed."
    )


class WinnersQuery(Pages):
    """Winners of a room."""

    sort: str | None = Field(default=None, pattern=by(WINNERS_BY), examples=["-createdAt"])
    fields: Names = None
    prize_id: Id | None = None
    participant_id: Id | None = None
    draw_id: Id | None = None
    status: WinnerStatus | None = None


class DrawsQuery(Pages):
    """Draws of a room, newest first."""

    fields: Names = None


class WindowsQuery(Pages):
    """Windows of a room."""

    sort: str | None = Field(default=None, pattern=by(WINDOWS_BY), examples=["-createdAt"])
    fields: Names = None


class FileQuery(Pages):
    """A list, by pages or whole."""

    format: FileForm | None = Field(
        default=None, description="The whole list as a file; then `page` and `limit` are ignored."
    )


class EventsQuery(Query):
    """A part of a room's log."""

    after: str | None = Field(
        default=None, max_length=64, description="A cursor; by default, from the beginning."
    )
    limit: int = Field(default=100, ge=1, le=100)


class ImportQuery(Query):
    """How uploaded text becomes a setting; a JSON body has these fields itself."""

    format: Annotated[str, StringConstraints(min_length=1, max_length=32)] | None = Field(
        default=None, description="A format that the manifest names for the setting."
    )
    mode: ImportMode = ImportMode.REPLACE
    preview: bool = Field(default=False, description="Store nothing, and show the value.")
    strict: bool = Field(default=False, description="Store nothing if a line cannot be read.")


class DiffQuery(Query):
    """Two versions of an app."""

    before: Version = Field(alias="from", description="The version to compare with.")
    after: Version = Field(alias="to", description="The version that is compared.")


class LatestQuery(Pages):
    """A list, newest first."""


class NotificationsQuery(Pages):
    """Messages to the caller, newest first."""

    unread: bool = Field(default=False, description="Only those not read yet.")


class AuditQuery(Pages):
    """The audit trail, newest first."""

    room_id: Id | None = None
    actor_id: Id | None = None
    action: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None


def paged(found: ResultPage[V], asked: Pages) -> Page[V]:
    """Return a page of a list, of each item only the requested fields.

    `Invalid` for a field that no item has.
    """
    items: list[V] = found.items
    wanted = getattr(asked, "fields", None)
    if wanted:
        items = [_only(item, wanted.split(",")) for item in found.items]  # type: ignore[misc]  # parts of V
    return Page(items, asked.page, asked.limit, found.total)


def check_fields(fields: str | None, model: type[BaseModel]) -> None:
    """Raise `Invalid` for a field that a model does not have."""
    known = {info.alias or name for name, info in model.model_fields.items()}
    unknown = sorted(set(re.split(",", fields or "")) - known - {""})
    if unknown:
        raise Invalid(fields={"/fields": [f"There is no field {unknown[0]!r}."]})


def _only(item: BaseModel, wanted: list[str]) -> JsonObject:
    whole = to_json(item)
    return {name: whole[name] for name in wanted if name in whole}
