"""Questions that arrive together are answered together: one read for a whole hall of phones."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from contextvars import Context
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

#: questions that one read answers
MOST = 200


class SharedReads(Generic[K, V]):
    """Answers questions in turns: those that come while one is under way share the next one.

    A turn begins after all of its questions were asked, so nobody sees what was true before. An
    exception among the answers is raised to those who asked for it, one of the turn to all. `idle`
    is called when nobody waits any more.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[K]], Awaitable[Mapping[K, V | Exception]]],
        *,
        most: int = MOST,
        idle: Callable[[], object] | None = None,
    ) -> None:
        self._answer = answer
        self._most = most
        self._idle = idle
        self._waiting: dict[K, asyncio.Future[V]] = {}
        self._turns: asyncio.Task[None] | None = None

    async def ask(self, key: K) -> V:
        """Return the answer to a question; whoever goes away does not end it for the others."""
        return await asyncio.shield(self.put(key))

    def put(self, key: K) -> "asyncio.Future[V]":
        """Put a question and return its answer to be; it is everybody's, so never cancel it."""
        future = self._waiting.get(key)
        if future is None:
            future = self._waiting[key] = asyncio.get_running_loop().create_future()
        if self._turns is None or self._turns.done():
            # In a context of its own: the turn belongs to no single request.
            self._turns = asyncio.create_task(self._take_turns(), context=Context())
        return future

    async def _take_turns(self) -> None:
        while self._waiting:
            keys = list(self._waiting)[: self._most]
            asked = {key: self._waiting.pop(key) for key in keys}
            try:
                answers = await self._answer(keys)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is theirs who asked
                _fail(asked.values(), error)
            else:
                _give(asked, answers)
        if self._idle is not None:
            self._idle()


def _give(asked: Mapping[K, "asyncio.Future[V]"], answers: Mapping[K, V | Exception]) -> None:
    for key, future in asked.items():
        answer = answers[key]
        if isinstance(answer, Exception):
            _fail([future], answer)
        elif not future.done():
            future.set_result(answer)


def _fail(futures: "Iterable[asyncio.Future[V]]", error: Exception) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(error)
            future.exception()  # seen: whoever asked may be gone
