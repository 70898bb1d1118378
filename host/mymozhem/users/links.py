"""One-time links: an invitation, or a way to a new password. Opening one consumes nothing.

The secret is in the fragment of the link, which no server, no log and no chat preview sees. Only
its digest is stored.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.auth.tables import LinkKind, OneTimeLinkRow
from mymozhem.db.base import new_id
from mymozhem.db.delete_in_parts import delete_in_parts
from mymozhem.db.unit_of_work import Database, UnitOfWork
from mymozhem.errors import NotFound

VALID = {LinkKind.INVITATION: timedelta(days=7), LinkKind.PASSWORD: timedelta(hours=1)}
_PAGES = {LinkKind.INVITATION: "invitation", LinkKind.PASSWORD: "new-password"}
_BYTES = 32
#: how long a link is kept after its end, for the list of invitations
KEPT = timedelta(days=30)


class LinkInvalid(NotFound):
    """This link was used or has expired, or it is not one of ours; request another one."""

    default_code = "LINK_INVALID"


@dataclass(frozen=True, slots=True)
class OneTimeLink:
    """A new link, handed out once; `token` is the secret of its fragment."""

    id: str
    url: str
    token: str
    expires_at: datetime


def create_link(
    unit: UnitOfWork,
    kind: LinkKind,
    *,
    public_url: str,
    by: str | None,
    email: str | None = None,
    user_id: str | None = None,
    is_admin: bool = False,
    proves_email: bool = False,
) -> OneTimeLink:
    """Create a link; `by` is the admin who asked for it, None for the person or the operator.

    `email` is the only address that may use an invitation. `proves_email`: it was sent to nobody
    but that address.
    """
    token = secrets.token_urlsafe(_BYTES)
    row = OneTimeLinkRow(
        id=new_id("link"),
        kind=kind,
        token_hash=_digest(token),
        email=email,
        user_id=user_id,
        is_admin=is_admin,
        proves_email=proves_email,
        created_by=by,
        created_at=unit.now,
        expires_at=unit.now + VALID[kind],
    )
    unit.session.add(row)
    url = f"{public_url}/{_PAGES[kind]}#{token}"
    return OneTimeLink(row.id, url, token, row.expires_at)


async def use_link(unit: UnitOfWork, kind: LinkKind, token: str) -> OneTimeLinkRow:
    """Mark a link as used, and return it; raises `LinkInvalid` unless it is valid now."""
    row = await unit.session.scalar(
        select(OneTimeLinkRow)
        .where(OneTimeLinkRow.token_hash == _digest(token), OneTimeLinkRow.kind == kind)
        .with_for_update()
    )
    if row is None or row.used_at is not None or row.expires_at <= unit.now:
        raise LinkInvalid
    row.used_at = unit.now
    return row


async def count_recent(
    session: AsyncSession, kind: LinkKind, email: str, *, since: datetime
) -> int:
    """Return how many links were created for an address since a time."""
    found = await session.scalar(
        select(func.count())
        .select_from(OneTimeLinkRow)
        .where(
            OneTimeLinkRow.kind == kind,
            OneTimeLinkRow.email == email,
            OneTimeLinkRow.created_at > since,
        )
    )
    return found or 0


async def delete_ended_links(database: Database) -> int:
    """Delete links that ended a month ago; return their number. Idempotent."""
    return await delete_in_parts(
        database, OneTimeLinkRow, lambda now: OneTimeLinkRow.expires_at <= now - KEPT
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
