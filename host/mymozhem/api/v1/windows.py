"""Windows: participants submit to them, organizers control them."""

from collections.abc import Awaitable, Callable

from mymozhem.api.idempotency import Repeat
from mymozhem.api.query_models import WindowsQuery, check_fields, paged
from mymozhem.api.request_models import ExtendBody, RejudgeBody, SubmissionBody
from mymozhem.api.request_pipeline import RequestContext
from mymozhem.api.responses import Page
from mymozhem.api.routes import Routes
from mymozhem.auth.principal import Principal
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.tables.windows import WindowRow
from mymozhem.rooms.views.base import View
from mymozhem.rooms.views.windows import WindowView, window
from mymozhem.rooms.views.windows import windows as found_windows
from mymozhem.rooms.windows import commands
from mymozhem.rooms.windows.submit import submit

routes = Routes("windows", "Windows: time spans in which participants submit.")

_Control = Callable[[Services, str, Principal, str], Awaitable[WindowRow]]


class AcceptedView(View):
    """A durable submission; `elapsedMs` counts from the opening, without pauses."""

    accepted: bool
    submission_id: str
    elapsed_ms: int


@routes.add("GET /rooms/{id}/windows")
async def list_windows(context: RequestContext, id: str, query: WindowsQuery) -> Page[WindowView]:
    """List the windows of a room, without their rules."""
    check_fields(query.fields, WindowView)
    found = await found_windows(context.services, id, context.principal, query.part)
    return paged(found, query)


@routes.add("GET /rooms/{id}/windows/{windowId}")
async def get_window(context: RequestContext, id: str, window_id: str) -> WindowView:
    """Return one window; staff of the room also see who has submitted."""
    return await window(context.services, id, context.principal, window_id)


@routes.add(
    "POST /rooms/{id}/windows/{windowId}/submissions",
    repeat=Repeat.OWN,
    refuses=frozenset({404, 409}),
)
async def post_submission(
    context: RequestContext, id: str, window_id: str, body: SubmissionBody
) -> AcceptedView:
    """Submit to a window; the submission is durable when the response arrives.

    The verdict comes later. With `Idempotency-Key` a repeated request gets the first response.
    """
    accepted = await submit(
        context.services,
        id,
        context.caller,
        window_id,
        body.payload,
        key=context.key,
        received=context.received,
    )
    return AcceptedView(
        accepted=True, submission_id=accepted.submission_id, elapsed_ms=accepted.elapsed_ms
    )


@routes.add("POST /rooms/{id}/windows/{windowId}/pause")
async def pause_window(context: RequestContext, id: str, window_id: str) -> WindowView:
    """Pause a window; it keeps the time that is left."""
    return await _control(context, id, window_id, commands.pause)


@routes.add("POST /rooms/{id}/windows/{windowId}/resume")
async def resume_window(context: RequestContext, id: str, window_id: str) -> WindowView:
    """Resume a paused window with the time that was left."""
    return await _control(context, id, window_id, commands.resume)


@routes.add("POST /rooms/{id}/windows/{windowId}/extend")
async def extend_window(
    context: RequestContext, id: str, window_id: str, body: ExtendBody
) -> WindowView:
    """Give a window more time."""
    await commands.extend(context.services, id, context.caller, window_id, by_ms=body.by_ms)
    return await _shown(context, id, window_id)


@routes.add("POST /rooms/{id}/windows/{windowId}/close")
async def close_window(context: RequestContext, id: str, window_id: str) -> WindowView:
    """Close a window now; earlier submissions count, and its app is called for the result."""
    return await _control(context, id, window_id, commands.close)


@routes.add("POST /rooms/{id}/windows/{windowId}/settle")
async def settle_window(context: RequestContext, id: str, window_id: str) -> WindowView:
    """Settle a window by the host's own verdicts, if its app does not respond."""
    return await _control(context, id, window_id, commands.settle)


@routes.add("POST /rooms/{id}/windows/{windowId}/reveal")
async def reveal_window(context: RequestContext, id: str, window_id: str) -> WindowView:
    """Show verdicts and standings that a window withheld."""
    return await _control(context, id, window_id, commands.reveal)


@routes.add("POST /rooms/{id}/windows/{windowId}/rejudge")
async def rejudge_window(
    context: RequestContext, id: str, window_id: str, body: RejudgeBody
) -> WindowView:
    """Correct a window later: by new rules, by verdicts, or by voiding it."""
    await commands.rejudge(
        context.services,
        id,
        context.caller,
        window_id,
        rules=body.rules,
        verdicts=body.verdicts,
        void=body.void,
    )
    return await _shown(context, id, window_id)


async def _control(
    context: RequestContext, room_id: str, window_id: str, act: _Control
) -> WindowView:
    await act(context.services, room_id, context.caller, window_id)
    return await _shown(context, room_id, window_id)


async def _shown(context: RequestContext, room_id: str, window_id: str) -> WindowView:
    return await window(context.services, room_id, context.principal, window_id)
