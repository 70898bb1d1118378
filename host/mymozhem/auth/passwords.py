"""Hash passwords with Argon2id off the event loop, in a few threads."""

import asyncio
import base64
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from mymozhem.errors import Busy, Invalid

MIN_LENGTH = 10
MAX_LENGTH = 128
THREADS = 2
"""The maximum of concurrent hashes; each takes 64 MiB and about a tenth of a second."""

MAX_WAITING = 64

_Result = TypeVar("_Result")


class Passwords:
    """Hashes and verifies passwords; one per process, so that its threads are bounded.

    The hasher's default costs are those of RFC 9106, section 4, for machines with little memory.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")
        self._places = BoundedSemaphore(THREADS + MAX_WAITING)
        self._nobody = _hash_of_nothing(self._hasher)

    async def hash(self, password: str) -> str:
        """Return a new hash, including its salt; two calls give different hashes that both match.

        Raises `Invalid` for a password of less than 10 or more than 128 characters, and
        `Unavailable` if too many calls wait.
        """
        normal = _normal(password)
        if normal is None or not MIN_LENGTH <= len(normal) <= MAX_LENGTH:
            problem = f"Choose a password of {MIN_LENGTH} to {MAX_LENGTH} characters."
            raise Invalid("The password cannot be used.", fields={"password": [problem]})
        return await self._in_turn(lambda: self._hasher.hash(normal))

    async def matches(self, password: str, hashed: str | None) -> bool:
        """Return whether a password matches a hash.

        Takes the same time with a hash as without, so that the time does not reveal whether an
        account exists. Raises `Unavailable` if too many calls wait.
        """
        normal = _normal(password)
        possible = normal is not None and len(normal) <= MAX_LENGTH
        tried = normal if normal is not None and possible else ""
        right = await self._in_turn(lambda: self._verify(hashed or self._nobody, tried))
        return right and possible and hashed is not None

    def close(self) -> None:
        """Stop the threads after the hashes in progress. Idempotent."""
        self._pool.shutdown(wait=False)

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_turn(self, work: Callable[[], _Result]) -> _Result:
        if not self._places.acquire(blocking=False):
            raise Busy(
                "Too many people are signing in at this moment; try again in a few seconds.",
                code="SIGN_IN_BUSY",
            )
        future = self._pool.submit(work)
        # Released when the thread ends: a cancelled caller leaves the work behind.
        future.add_done_callback(lambda _: self._places.release())
        return await asyncio.wrap_future(future)


def _normal(password: str) -> str | None:
    """Return a password in NFKC, the same from every keyboard; None if it cannot be encoded."""
    if len(password) > MAX_LENGTH * 4:
        return None
    try:
        password.encode()
    except UnicodeEncodeError:
        return None
    return unicodedata.normalize("NFKC", password)


def _hash_of_nothing(hasher: PasswordHasher) -> str:
    """Return a hash, of the same cost, without a known password; no hash is computed."""
    salt, tag = secrets.token_bytes(hasher.salt_len), secrets.token_bytes(hasher.hash_len)
    costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${costs}${_base64(salt)}${_base64(tag)}"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).rstrip(b"=").decode()
