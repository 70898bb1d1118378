"""An app that opens windows as it is told, and answers about them as their `data` says."""

from collections.abc import Callable

from sqlalchemy import select

from mymozhem.contract import (
    ActionRequest,
    CloseWindowRequest,
    JsonObject,
    JudgeRequest,
    JudgeResult,
    RoomChangeRequest,
    Verdict,
    hookimpl,
)
from mymozhem.rooms.actions.perform import perform
from mymozhem.rooms.coordination.join_batches import JoinResult
from mymozhem.rooms.coordination.submission_batches import AcceptedSubmission
from mymozhem.rooms.tables.rooms import RoomRow
from mymozhem.rooms.tables.windows import SubmissionRow, WindowRow
from mymozhem.rooms.windows.queries import find_window
from mymozhem.rooms.windows.submit import submit
from tests.support.host import HostHarness, principal

#: right is {"n": 4}
RULES: JsonObject = {"properties": {"n": {"const": 4}}}
ACCEPTS: JsonObject = {
    "type": "object",
    "required": ["n"],
    "additionalProperties": False,
    "properties": {"n": {"type": "integer"}, "text": {"type": "string", "maxLength": 100}},
}


class WindowApp:
    """`closing` stands in for `close_window`, `judging` for `judge_submission`; both may raise."""

    version = "1.0.0"
    policies: JsonObject = {}

    def __init__(self) -> None:
        self.closed: list[CloseWindowRequest] = []
        self.judged: list[JudgeRequest] = []
        self.told: list[tuple[str, str | None]] = []
        self.closing: Callable[[CloseWindowRequest], object] = lambda _: None
        self.judging: Callable[[JudgeRequest], object] = lambda _: JudgeResult(
            verdict=Verdict.RIGHT, points=1
        )

    @hookimpl
    def app_manifest(self) -> JsonObject:
        return {
            "id": "desk",
            "meta": {"name": "Desk", "version": self.version, "description": "Opens windows."},
            "capabilities": ["actions", "windows", "answerValidation", "roomChanges"],
            "permissions": [],
            "policies": self.policies,
            "changes": ["window"],
            "needs": {"action:recall": ["submissions"]},
            "actions": {"do": {"payload": {"type": "object"}}, "recall": {}},
            "events": {"desk:said": {"visibility": "public", "payload": {"type": "object"}}},
        }

    @hookimpl
    def handle_action(self, context, request: ActionRequest):
        if request.action == "recall":
            rows = [
                [row.window_id, row.payload, row.verdict, row.points]
                for row in context.submissions.rows()
            ]
            return {"effects": [{"effect": "reply", "data": rows}]}
        return {"effects": request.payload["effects"]}

    @hookimpl
    def close_window(self, request: CloseWindowRequest):
        self.closed.append(request)
        return self.closing(request)

    @hookimpl
    def judge_submission(self, request: JudgeRequest):
        self.judged.append(request)
        return self.judging(request)

    @hookimpl
    def on_room_changed(self, request: RoomChangeRequest) -> None:
        self.told.append((request.change.what, request.change.window_id))


def opening(name: str = "w", **wishes: object) -> JsonObject:
    """Return an effect that opens a window for ten seconds."""
    return {
        "effect": "openWindow",
        "id": name,
        "accepts": ACCEPTS,
        "durationMs": 10_000,
        **wishes,
    }


async def do(host: HostHarness, room: RoomRow, *effects: JsonObject) -> None:
    """Have the app ask for effects."""
    await perform(host.services, room.id, host.organizer, "do", {"effects": list(effects)})


async def send(
    host: HostHarness,
    room: RoomRow,
    guest: JoinResult,
    payload: object,
    name: str = "w",
    **more: object,
) -> AcceptedSubmission:
    """Submit as a guest."""
    return await submit(host.services, room.id, principal(guest), name, payload, **more)


async def window_of(host: HostHarness, room: RoomRow, name: str = "w") -> WindowRow:
    """Return a window as it is stored."""
    async with host.services.database.read() as session:
        return await find_window(session, room.id, name)


async def submissions_of(host: HostHarness, window: WindowRow) -> list[SubmissionRow]:
    """Return everything that was submitted, in commit order."""
    async with host.services.database.read() as session:
        query = select(SubmissionRow).where(SubmissionRow.window_id == window.id)
        return list((await session.scalars(query.order_by(SubmissionRow.ordinal))).all())
