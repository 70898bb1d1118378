"""Windows: answered by everybody, steered by organizers."""

from collections.abc import Awaitable, Callable

from mymozhem.api.idempotency import Repeat
from mymozhem.api.query_models import WindowsQuery, check_fields, paged
from mymozhem.api.request_models import ExtendBody, RejudgeBody, SubmissionBody
from mymozhem.api.request_pipeline import Call
from mymozhem.api.responses import Page
from mymozhem.api.routes import Routes
from mymozhem.auth.principal import Principal
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.tables.windows import WindowRow
from mymozhem.rooms.views.base import View
from mymozhem.rooms.views.windows import SeenWindow, window
from mymozhem.rooms.views.windows import windows as found_windows
from mymozhem.rooms.windows import commands
from mymozhem.rooms.windows.submit import submit

routes = Routes("windows", "Windows: spans in which everybody answers.")

_Control = Callable[[Services, str, Principal, str], Awaitable[WindowRow]]


class SeenAccepted(View):
    """A submission that is durable; `elapsedMs` counts from the opening, pauses left out."""

    accepted: bool
    submission_id: str
    elapsed_ms: int


@routes.add("GET /rooms/{id}/windows")
async def list_windows(call: Call, id: str, query: WindowsQuery) -> Page[SeenWindow]:
    """List the windows of a room; without the rules by which they are judged."""
    check_fields(query.fields, SeenWindow)
    found = await found_windows(call.services, id, call.principal, query.part)
    return paged(found, query)


@routes.add("GET /rooms/{id}/windows/{windowId}")
async def get_window(call: Call, id: str, window_id: str) -> SeenWindow:
    """Return one window; to those who help to run the room, with who has answered."""
    return await window(call.services, id, call.principal, window_id)


@routes.add(
    "POST /rooms/{id}/windows/{windowId}/submissions",
    repeat=Repeat.OWN,
    refuses=frozenset({404, 409}),
)
async def post_submission(
    call: Call, id: str, window_id: str, body: SubmissionBody
) -> SeenAccepted:
    """Submit to a window; it is durable when this is answered, and its verdict comes later.

    With `Idempotency-Key` a repeated request is answered as the first one was.
    """
    accepted = await submit(
        call.services,
        id,
        call.caller,
        window_id,
        body.payload,
        key=call.key,
        received=call.received,
    )
    return SeenAccepted(
        accepted=True, submission_id=accepted.submission_id, elapsed_ms=accepted.elapsed_ms
    )


@routes.add("POST /rooms/{id}/windows/{windowId}/pause")
async def pause_window(call: Call, id: str, window_id: str) -> SeenWindow:
    """Let a window stand still, with the time that is left."""
    return await _control(call, id, window_id, commands.pause)


@routes.add("POST /rooms/{id}/windows/{windowId}/resume")
async def resume_window(call: Call, id: str, window_id: str) -> SeenWindow:
    """Let a paused window go on with the time that was left."""
    return await _control(call, id, window_id, commands.resume)


@routes.add("POST /rooms/{id}/windows/{windowId}/extend")
async def extend_window(call: Call, id: str, window_id: str, body: ExtendBody) -> SeenWindow:
    """Give a window more time."""
    await commands.extend(call.services, id, call.caller, window_id, by_ms=body.by_ms)
    return await _shown(call, id, window_id)


@routes.add("POST /rooms/{id}/windows/{windowId}/close")
async def close_window(call: Call, id: str, window_id: str) -> SeenWindow:
    """Close a window now; what arrived before is counted, and its app is asked what comes of it."""
    return await _control(call, id, window_id, commands.close)


@routes.add("POST /rooms/{id}/windows/{windowId}/settle")
async def settle_window(call: Call, id: str, window_id: str) -> SeenWindow:
    """Settle a window whose app does not answer by the host's own verdicts."""
    return await _control(call, id, window_id, commands.settle)


@routes.add("POST /rooms/{id}/windows/{windowId}/reveal")
async def reveal_window(call: Call, id: str, window_id: str) -> SeenWindow:
    """Show verdicts and standings that a window held back."""
    return await _control(call, id, window_id, commands.reveal)


@routes.add("POST /rooms/{id}/windows/{windowId}/rejudge")
async def rejudge_window(call: Call, id: str, window_id: str, body: RejudgeBody) -> SeenWindow:
    """Correct a window after the fact: by new rules, by verdicts, or by voiding it."""
    await commands.rejudge(
        call.services,
        id,
        call.caller,
        window_id,
        rules=body.rules,
        verdicts=body.verdicts,
        void=body.void,
    )
    return await _shown(call, id, window_id)


async def _control(call: Call, room_id: str, name: str, act: _Control) -> SeenWindow:
    await act(call.services, room_id, call.caller, name)
    return await _shown(call, room_id, name)


async def _shown(call: Call, room_id: str, name: str) -> SeenWindow:
    return await window(call.services, room_id, call.principal, name)
