"""Import people from an uploaded table."""

import asyncio
from dataclasses import dataclass

from mymozhem.auth.principal import Principal
from mymozhem.errors import Invalid
from mymozhem.rooms.core.membership import STAFF, require_role
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.uploaded_text import UploadedText, decode_text

from .add_people import NewPerson, add_people
from .people_table import PeopleTable, read_people


@dataclass(frozen=True)
class ImportedTable:
    """The people who were added, the columns of their table, and its encoding."""

    participant_ids: list[str]
    columns: tuple[str, ...]
    encoding: str


async def import_table(
    services: Services, room_id: str, caller: Principal, data: bytes, charset: str | None
) -> ImportedTable:
    """Add the people of a table to a room, all or none; see `read_people` and `add_people`.

    Raises Invalid with a pointer for each problem: `/lines/3/name`.
    """
    async with services.database.read() as session:
        membership = await require_role(session, room_id, caller, roles=STAFF)
        locale = membership.room.locale
    uploaded, table = await asyncio.to_thread(_read, data, charset, locale)
    if table.problems:
        message = "Some lines cannot be used; nobody was put in."
        raise Invalid(message, fields={key: list(each) for key, each in table.problems.items()})
    people = tuple(NewPerson(row.name, row.metadata, f"/lines/{row.line}") for row in table.rows)
    ids = await add_people(services, room_id, caller, people)
    return ImportedTable(ids, table.columns, uploaded.encoding)


def _read(data: bytes, charset: str | None, locale: str) -> tuple[UploadedText, PeopleTable]:
    uploaded = decode_text(data, charset=charset, locale=locale)
    return uploaded, read_people(uploaded.text)
