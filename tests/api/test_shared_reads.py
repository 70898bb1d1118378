"""Questions that arrive together are answered together, and never by what was true before."""

import asyncio
from collections.abc import Sequence

import pytest

from mymozhem.concurrency.coalescing import SharedReads
from mymozhem.errors import NotFound


class Answers:
    """Answers each key with the number of its turn; holds each turn until it is let go."""

    def __init__(self) -> None:
        self.turns: list[list[str]] = []
        self.go = asyncio.Semaphore(0)

    async def __call__(self, keys: Sequence[str]) -> dict[str, str | Exception]:
        self.turns.append(list(keys))
        turn = len(self.turns)
        await self.go.acquire()
        if "fire" in keys:
            raise ConnectionError
        return {key: NotFound() if key == "none" else f"{key} in turn {turn}" for key in keys}


async def asked(shared: SharedReads[str, str], *keys: str) -> list["asyncio.Task[str]"]:
    tasks = [asyncio.create_task(shared.ask(key)) for key in keys]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_what_comes_during_a_turn_is_answered_by_the_next_one():
    answers = Answers()
    shared = SharedReads(answers)
    first = await asked(shared, "a", "b", "a")
    later = await asked(shared, "a", "c")
    answers.go.release()
    answers.go.release()
    assert await asyncio.gather(*first) == ["a in turn 1", "b in turn 1", "a in turn 1"]
    assert await asyncio.gather(*later) == ["a in turn 2", "c in turn 2"]
    assert answers.turns == [["a", "b"], ["a", "c"]]


async def test_an_error_reaches_those_alone_who_asked_for_it():
    answers = Answers()
    shared = SharedReads(answers)
    good, bad = await asked(shared, "a", "none")
    answers.go.release()
    assert await good == "a in turn 1"
    with pytest.raises(NotFound):
        await bad


async def test_a_turn_that_fails_fails_for_all_and_the_next_one_works():
    answers = Answers()
    shared = SharedReads(answers)
    tasks = await asked(shared, "a", "fire")
    answers.go.release()
    for task in tasks:
        with pytest.raises(ConnectionError):
            await task
    (again,) = await asked(shared, "a")
    answers.go.release()
    assert await again == "a in turn 2"


async def test_who_goes_away_does_not_end_it_for_the_others():
    answers = Answers()
    shared = SharedReads(answers)
    gone, stays = await asked(shared, "a", "a")
    gone.cancel()
    answers.go.release()
    assert await stays == "a in turn 1"
