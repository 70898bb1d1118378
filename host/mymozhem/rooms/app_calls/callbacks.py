"""Callbacks: results of calls that apps accepted with 202 and sent later."""

from pydantic_core import to_json

from mymozhem.contract.envelopes import ReplyEnvelope

from .late_answers import LateAnswers


class RoomCallbacks:
    """Accepts results of calls that wait in rooms."""

    def __init__(self, answers: LateAnswers) -> None:
        self._answers = answers

    async def accept(
        self, app_id: str, capability: str, delivery_id: str, body: ReplyEnvelope
    ) -> None:
        """Accept a result; idempotent.

        Raises `NotFound` if no call of this app waits under this id, and `Invalid` if the result
        does not fit it.
        """
        del capability  # a call's id says it all
        refused = body.outcome == "refuse"
        await self._answers.accept_callback(
            app_id, delivery_id, to_json(body.data), refused=refused
        )
