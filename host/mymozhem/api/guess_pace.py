"""The pace of guesses at short codes, once too many have been wrong."""

import asyncio

#: seconds between two guesses that are compared
EVERY = 0.02
#: seconds that an attempt waits at most; later ones are refused
LONGEST = 5.0


class GuessPace:
    """Lets attempts pass one after the other; used from one event loop."""

    def __init__(self, *, every: float = EVERY) -> None:
        self._every = every
        self._next = 0.0

    async def wait(self) -> bool:
        """Wait for the next free turn; return False, at once, if it is too far away."""
        now = asyncio.get_running_loop().time()
        turn = max(now, self._next)
        if turn - now > LONGEST:
            return False
        self._next = turn + self._every
        await asyncio.sleep(turn - now)
        return True
