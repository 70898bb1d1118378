"""Dispatch results that arrive by callback to the part of the host that waits for them."""

from collections.abc import Sequence
from typing import Protocol

from mymozhem.contract.envelopes import ReplyEnvelope
from mymozhem.errors import NotFound


class Callbacks(Protocol):
    """A receiver of results of calls that an app accepted with 202."""

    async def accept(
        self, app_id: str, capability: str, delivery_id: str, body: ReplyEnvelope
    ) -> None:
        """Accept a result; idempotent.

        Raises `NotFound` if no call of this app with this id and capability waits or waited,
        `Conflict` if it was settled in another way meanwhile.
        """
        ...


class AllCallbacks:
    """Several receivers, called one after the other: at most one of them knows an id."""

    def __init__(self, those: Sequence[Callbacks] = ()) -> None:
        self._those = tuple(those)

    async def accept(
        self, app_id: str, capability: str, delivery_id: str, body: ReplyEnvelope
    ) -> None:
        """Pass a result to the receiver that waits for it; raises: see `Callbacks.accept`."""
        for each in self._those:
            try:
                await each.accept(app_id, capability, delivery_id, body)
            except NotFound:
                continue
            return
        message = "No call of this app with this id waits for a result."
        raise NotFound(message, code="CALLBACK_NOT_FOUND")
