"""Notifications of the caller."""

from mymozhem.api.query_models import NotificationsQuery, paged
from mymozhem.api.request_pipeline import RequestContext
from mymozhem.api.responses import Page
from mymozhem.api.routes import Routes
from mymozhem.rooms.views.account import NotificationView, notifications, read_notification

routes = Routes("notifications", "Notifications of the caller.")


@routes.add("GET /notifications")
async def list_notifications(
    context: RequestContext, query: NotificationsQuery
) -> Page[NotificationView]:
    """List the caller's notifications, newest first."""
    found = await notifications(
        context.services.database, context.caller, query.part, unread=query.unread
    )
    return paged(found, query)


@routes.add("POST /notifications/{id}/read")
async def mark_read(context: RequestContext, id: str) -> NotificationView:
    """Mark a notification as read; idempotent."""
    return await read_notification(context.services.database, context.caller, id)
