"""The app of windows that are killed and raced for: slow, and it says what it was asked."""

import asyncio

from mymozhem.contract import (
    ActionRequest,
    CloseWindowRequest,
    JsonObject,
    JudgeRequest,
    hookimpl,
)

#: how long it thinks about a window and about a submission, in seconds
CLOSING, JUDGING = 0.15, 0.02

#: what it gives for a submission that it finds right
POINTS = 2

ACCEPTS: JsonObject = {"properties": {"n": {"type": "integer"}}, "required": ["n"]}
RULES: JsonObject = {"properties": {"n": {"multipleOf": 2}}}


class SlowWindowApp:
    """Opens what it is told to; whoever answered first gets a point as a window is settled."""

    @hookimpl
    def app_manifest(self) -> JsonObject:
        return {
            "id": "asker",
            "meta": {"name": "Asker", "version": "1.0.0", "description": "Asks and counts."},
            "capabilities": ["actions", "windows", "answerValidation"],
            "permissions": [],
            "actions": {"do": {"payload": {"type": "object"}}},
            "events": {"asker:settled": {"visibility": "public", "payload": {"type": "object"}}},
        }

    @hookimpl
    def handle_action(self, request: ActionRequest) -> JsonObject:
        return {"effects": request.payload["effects"]}

    @hookimpl
    async def close_window(self, request: CloseWindowRequest) -> JsonObject:
        await asyncio.sleep(CLOSING)
        payload: JsonObject = {"window": request.window.id, "ids": list(request.submissions.id)}
        effects: list[JsonObject] = [
            {"effect": "emit", "type": "asker:settled", "payload": payload}
        ]
        effects.extend(
            {"effect": "adjust", "participantId": first, "points": 1, "reason": "first"}
            for first in request.submissions.participant_id[:1]
        )
        return {"effects": [*effects]}

    @hookimpl
    async def judge_submission(self, request: JudgeRequest) -> JsonObject:
        await asyncio.sleep(JUDGING)
        payload = request.submission.payload
        assert isinstance(payload, dict)
        right = payload["n"] % 2 == 0  # type: ignore[operator]  # an integer, by `accepts`
        return {"verdict": "right" if right else "wrong", "points": POINTS * right}
