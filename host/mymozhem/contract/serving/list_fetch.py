"""GET of a list by its signed URL: no proxies, no redirects, no files, bounded in size and time."""

import time
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from http.client import HTTPException
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, Request, UnknownHandler

from .thread_pool import Threads

#: a million entries of a draw fit
MAX_LIST_BYTES = 256 * 1024 * 1024
_CHUNK = 64 * 1024

#: takes a URL and the remaining seconds, returns the bytes of the list
Fetch = Callable[[str, float], Awaitable[bytes]]


class FetchFailed(Exception):
    """A list could not be fetched; the message says why."""


def fetch_in(threads: Threads, *, max_bytes: int = MAX_LIST_BYTES) -> Fetch:
    """Return a `Fetch` that reads at most `max_bytes`, in a thread; it raises `FetchFailed`."""

    async def fetch(url: str, seconds: float) -> bytes:
        return await threads.run(partial(_get, url, seconds, max_bytes))

    return fetch


def _get(url: str, seconds: float, max_bytes: int) -> bytes:
    end = time.monotonic() + seconds
    body = bytearray()
    try:
        with _OPENER.open(Request(url), timeout=max(seconds, 0.001)) as reply:  # noqa: S310  below
            if reply.status != HTTPStatus.OK:
                raise FetchFailed(f"the list was answered with status {reply.status}")
            while chunk := reply.read1(_CHUNK):
                body += chunk
                if len(body) > max_bytes:
                    raise FetchFailed(f"the list is larger than {max_bytes} bytes")
                if time.monotonic() > end:
                    raise FetchFailed("the list took too long to arrive")
    except (OSError, HTTPException, ValueError) as error:
        raise FetchFailed(f"the list could not be fetched ({type(error).__name__})") from error
    return bytes(body)


def _opener() -> OpenerDirector:
    """Return an opener for http and https only, without redirects."""
    opener = OpenerDirector()
    for handler in (HTTPHandler(), HTTPSHandler(), UnknownHandler()):
        opener.add_handler(handler)
    return opener


_OPENER = _opener()
