"""Work that the start of a host defers until it serves requests."""

import asyncio
from importlib import import_module

from mymozhem.contract.wire import build_models

#: modules that are loaded on first use, which takes as long as many requests
LATER = ("jwt", "limits.strategies", "mymozhem.outbound.client")

#: lets the last steps of the start finish first
PAUSE_SECONDS = 0.25


async def warm_up() -> None:
    """Load and build in a thread what the first requests would otherwise wait for; idempotent.

    A request that needs a part earlier loads that part itself.
    """
    await asyncio.sleep(PAUSE_SECONDS)
    await asyncio.to_thread(_load)


def _load() -> None:
    build_models()
    for name in LATER:
        import_module(name)
