"""What operators look at."""

from mymozhem.api.query_models import AuditQuery, paged
from mymozhem.api.request_pipeline import RequestContext
from mymozhem.api.responses import Page
from mymozhem.api.routes import Routes
from mymozhem.auth.access_table import check, rule_for
from mymozhem.auth.users import current_user
from mymozhem.rooms.views.admin import AuditFilter, AuditView, Overview, audit_trail, overview

routes = Routes("admin", "What operators look at.")


@routes.add("GET /admin/audit")
async def list_audit(context: RequestContext, query: AuditQuery) -> Page[AuditView]:
    """List who did what, newest first."""
    wanted = AuditFilter(room_id=query.room_id, actor_id=query.actor_id, action=query.action)
    await require_admin(context, "GET /admin/audit")
    async with context.services.database.read() as session:
        return paged(await audit_trail(session, wanted, query.part), query)


@routes.add("GET /admin/overview")
async def get_overview(context: RequestContext) -> Overview:
    """Return how much there is of everything, and which apps were refused."""
    await require_admin(context, "GET /admin/overview")
    async with context.services.database.read() as session:
        return await overview(session, context.services)


async def require_admin(context: RequestContext, endpoint: str) -> None:
    """Raise `Forbidden` where the caller is no admin, as the endpoint's row in the table says."""
    async with context.services.database.read() as session:
        user = await current_user(session, context.caller)
    check(rule_for(endpoint), context.caller, None, admin=user.is_admin)
