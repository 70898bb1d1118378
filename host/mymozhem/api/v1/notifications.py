"""Messages to the caller."""

from mymozhem.api.query_models import NotificationsQuery, paged
from mymozhem.api.request_pipeline import Call
from mymozhem.api.responses import Page
from mymozhem.api.routes import Routes
from mymozhem.rooms.views.account import SeenNotification, notifications, read_notification

routes = Routes("notifications", "Messages to the caller.")


@routes.add("GET /notifications")
async def list_notifications(call: Call, query: NotificationsQuery) -> Page[SeenNotification]:
    """List the caller's messages, newest first."""
    found = await notifications(
        call.services.database, call.caller, query.part, unread=query.unread
    )
    return paged(found, query)


@routes.add("POST /notifications/{id}/read")
async def mark_read(call: Call, id: str) -> SeenNotification:
    """Note that a message was read; twice is the same as once."""
    return await read_notification(call.services.database, call.caller, id)
