"""Sessions as their owner sees them: no token, and no digest of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from .tables import SessionRow


@dataclass(frozen=True, slots=True)
class Session:
    """A session as its owner sees it."""

    id: str
    device_info: str | None
    ip_address: str | None
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, row: SessionRow) -> "Session":
        """Return the session of a row."""
        return cls(
            row.id,
            row.device_info,
            row.ip_address,
            row.created_at,
            row.last_used_at,
            row.expires_at,
        )


async def sessions_of(session: AsyncSession, user_id: str) -> Sequence[Session]:
    """Return all stored sessions of a person, for their export."""
    rows = await session.scalars(
        select(SessionRow).where(SessionRow.user_id == user_id).order_by(SessionRow.id)
    )
    return [Session.of(row) for row in rows]
