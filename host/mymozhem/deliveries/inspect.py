"""Read the body of a delivery, for operators on the machine: it may hold a room's secrets."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.contract import JsonObject
from mymozhem.errors import NotFound

from .tables import DeliveryContextRow, DeliveryRow


async def body_of(session: AsyncSession, delivery_id: str) -> JsonObject:
    """Return context and request as the app receives them; raises NotFound if it does not exist."""
    found = await session.execute(
        select(DeliveryContextRow.document, DeliveryRow.request)
        .join(DeliveryContextRow, DeliveryContextRow.id == DeliveryRow.context_id)
        .where(DeliveryRow.id == delivery_id)
    )
    row = found.one_or_none()
    if row is None:
        message = "There is no such delivery."
        raise NotFound(message, code="DELIVERY_NOT_FOUND")
    return {"context": row.document, "request": row.request}
