"""Results that come later: who takes them, and how the right one is found."""

from collections.abc import Sequence
from typing import Protocol

from mymozhem.contract.envelopes import ReplyEnvelope
from mymozhem.errors import NotFound


class Callbacks(Protocol):
    """Something that waits for results of calls which an app took on with 202."""

    async def accept(
        self, app_id: str, capability: str, delivery_id: str, body: ReplyEnvelope
    ) -> None:
        """Take a result; the same one again changes nothing.

        Raises `NotFound` where nothing of this app's waits, or waited, under this id for this
        capability, `Conflict` where it was settled in another way meanwhile.
        """
        ...


class AllCallbacks:
    """Several that wait, asked one after the other: an id is known to one of them at most."""

    def __init__(self, those: Sequence[Callbacks] = ()) -> None:
        self._those = tuple(those)

    async def accept(
        self, app_id: str, capability: str, delivery_id: str, body: ReplyEnvelope
    ) -> None:
        """Hand a result to the one that waits for it; raises as `Callbacks.accept`."""
        for each in self._those:
            try:
                await each.accept(app_id, capability, delivery_id, body)
            except NotFound:
                continue
            return
        message = "No call of this app waits under this id for a result."
        raise NotFound(message, code="CALLBACK_NOT_FOUND")
