"""Places for costly requests: taken when the request has arrived, released when it has ended.

A response that is sent in parts ends long after its handler, so the place is released by a wrapper
around the whole application.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum, auto
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from quart import Quart, Request

from mymozhem.auth.principal import AnyPrincipal, Principal
from mymozhem.concurrency.costly_pool import Places
from mymozhem.contract import PersonKind

if TYPE_CHECKING:
    from hypercorn.typing import (
        ASGIFramework,
        ASGIReceiveCallable,
        ASGISendCallable,
        Scope,
    )

_KEY = "mymozhem.places"
_GUESTS = "guests"


class Costly(StrEnum):
    """Why a request is costly."""

    COMPUTING = auto()  #: it compares or checks manifests, settings or states
    TRANSFER = auto()  #: it reads or writes long lists


#: the costly requests; of lists, only those that download all of it
COSTLY: Mapping[str, Costly] = MappingProxyType(
    {
        "POST /apps/validate-manifest": Costly.COMPUTING,
        "GET /apps/{appId}/diff": Costly.COMPUTING,
        "POST /apps": Costly.COMPUTING,
        "PATCH /apps/{appId}": Costly.COMPUTING,
        "POST /apps/{appId}/upgrade-rooms": Costly.COMPUTING,
        "POST /rooms/{id}/upgrade-manifest": Costly.COMPUTING,
        "POST /rooms/{id}/rollback-manifest": Costly.COMPUTING,
        "POST /rooms/{id}/copy": Costly.COMPUTING,
        "POST /rooms/{id}/import/{setting}": Costly.TRANSFER,
        "POST /rooms/{id}/participants/import": Costly.TRANSFER,
        "GET /rooms/{id}/export": Costly.TRANSFER,
        "GET /rooms/{id}/standings": Costly.TRANSFER,
        "GET /rooms/{id}/windows/{windowId}/submissions": Costly.TRANSFER,
        "GET /users/me/export": Costly.TRANSFER,
    }
)


class CostlyPlaces:
    """The places of one host, by kind."""

    def __init__(self) -> None:
        self._places = {
            Costly.COMPUTING: Places(most=8, per_caller=2),
            Costly.TRANSFER: Places(most=6, per_caller=2),
        }

    def hold(self, kind: Costly, request: Request, principal: AnyPrincipal | None) -> None:
        """Take a place until the request has ended; raises `Busy` if there is none.

        Guests share the places of one caller: anybody can become many guests.
        """
        scope = cast("dict[str, list[Callable[[], None]]]", request.scope)
        scope.setdefault(_KEY, []).append(self._places[kind].take(_who(principal)))


def install(app: Quart) -> None:
    """Let an app release the places of a request when it has ended, however it ended."""
    app.asgi_app = _Releasing(app.asgi_app)  # type: ignore[method-assign]  # the way that Quart documents


def _who(principal: AnyPrincipal | None) -> str:
    is_guest = isinstance(principal, Principal) and principal.kind is PersonKind.GUEST
    return _GUESTS if principal is None or is_guest else principal.subject


class _Releasing:
    def __init__(self, app: "ASGIFramework") -> None:
        self._app = app

    async def __call__(
        self, scope: "Scope", receive: "ASGIReceiveCallable", send: "ASGISendCallable"
    ) -> None:
        held: list[Callable[[], None]] = []
        cast("dict[str, object]", scope)[_KEY] = held
        try:
            await self._app(scope, receive, send)
        finally:
            for release in held:
                release()
