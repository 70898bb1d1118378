"""Results of calls about rooms that apps took on with 202, and sent later."""

from pydantic_core import to_json

from mymozhem.contract.envelopes import ReplyEnvelope

from .late_answers import LateAnswers


class RoomCallbacks:
    """Takes results for calls that wait in rooms."""

    def __init__(self, answers: LateAnswers) -> None:
        self._answers = answers

    async def accept(
        self, app_id: str, capability: str, delivery_id: str, body: ReplyEnvelope
    ) -> None:
        """Take a result; the same one again changes nothing.

        Raises `NotFound` where no call of this app's waits under this id, `Invalid` where it is no
        answer to it.
        """
        del capability  # a call's id says it all
        refused = body.outcome == "refuse"
        await self._answers.accept_callback(
            app_id, delivery_id, to_json(body.data), refused=refused
        )
