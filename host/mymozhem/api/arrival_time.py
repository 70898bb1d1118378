"""The arrival time of requests, taken before they are processed.

If hundreds of requests arrive together, the handler of the last one starts late, but submissions
are timed by their receipt. The end of the request counts: it arrives when the last part of its body
arrives.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from quart import Quart, Request

from mymozhem.clock import Clock

from .dependencies import ApiDependencies

if TYPE_CHECKING:
    from hypercorn.typing import (
        ASGIFramework,
        ASGIReceiveCallable,
        ASGIReceiveEvent,
        ASGISendCallable,
        Scope,
    )

_KEY = "mymozhem.received"


def install(app: Quart, host: Callable[[], ApiDependencies | None]) -> None:
    """Let an app record when requests arrive, by the clock of the host that serves them."""

    def clock() -> Clock | None:
        found = host()
        return None if found is None else found.services.clock

    app.asgi_app = _Noted(app.asgi_app, clock)  # type: ignore[method-assign]  # the way that Quart documents


def received(request: Request, clock: Clock) -> float:
    """Return the monotonic time, in seconds, at which the whole request had arrived."""
    noted = cast("dict[str, float]", request.scope)
    return noted[_KEY] if _KEY in noted else clock.monotonic()


class _Noted:
    def __init__(self, app: "ASGIFramework", clock: Callable[[], Clock | None]) -> None:
        self._app = app
        self._clock = clock

    async def __call__(
        self, scope: "Scope", receive: "ASGIReceiveCallable", send: "ASGISendCallable"
    ) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        noted = dict(scope)

        async def noting() -> "ASGIReceiveEvent":
            message = await receive()
            clock = self._clock()
            if clock and message["type"] == "http.request" and not message.get("more_body"):
                noted[_KEY] = clock.monotonic()
            return message

        # Take the time here: the app may read the message later, among other requests.
        waiting = [await noting()]

        async def replayed() -> "ASGIReceiveEvent":
            return waiting.pop() if waiting else await noting()

        await self._app(cast("Scope", noted), replayed, send)
