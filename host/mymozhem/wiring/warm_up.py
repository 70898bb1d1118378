"""Deferred work of a start, done as soon as the host serves."""

import asyncio
from importlib import import_module

from mymozhem.contract.wire import build_models

#: modules that are loaded when they are first needed, which takes as long as many requests
LATER = ("jwt", "mymozhem.outbound.client")

#: the last steps of the start come first
PAUSE_SECONDS = 0.25


async def warm_up() -> None:
    """Load and build, in a thread, what the first requests would otherwise wait for; idempotent.

    If a request needs a part earlier, the request loads it.
    """
    await asyncio.sleep(PAUSE_SECONDS)
    await asyncio.to_thread(_load)


def _load() -> None:
    build_models()
    for name in LATER:
        import_module(name)
