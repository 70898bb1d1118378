"""Information for operators."""

from mymozhem.api.query_models import AuditQuery, paged
from mymozhem.api.request_pipeline import RequestContext
from mymozhem.api.responses import Page
from mymozhem.api.routes import Routes
from mymozhem.auth.access import require_access
from mymozhem.rooms.views.admin import AuditFilter, AuditView, Overview, audit_trail, overview

routes = Routes("admin", "Information for operators.")


@routes.add("GET /admin/audit")
async def list_audit(context: RequestContext, query: AuditQuery) -> Page[AuditView]:
    """List who did what, newest first."""
    wanted = AuditFilter(room_id=query.room_id, actor_id=query.actor_id, action=query.action)
    await require_admin(context, "GET /admin/audit")
    return paged(await audit_trail(context.services.database, wanted, query.part), query)


@routes.add("GET /admin/overview")
async def get_overview(context: RequestContext) -> Overview:
    """Return the number of resources of each kind, and which apps were refused."""
    await require_admin(context, "GET /admin/overview")
    return await overview(context.services)


async def require_admin(context: RequestContext, endpoint: str) -> None:
    """Raise `Forbidden` if the endpoint's row requires an admin and the caller is none."""
    await require_access(context.services.database, context.caller, endpoint)
