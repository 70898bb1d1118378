"""The versions of the API and their end dates: one table for headers, pages and responses.

A version is active, then in maintenance (only fixes, no additions) for at least six months, then
deprecated with three months' notice, then gone: each of its addresses responds 410 with a link.
Sources: RFC 9745 (Deprecation), RFC 8594 (Sunset).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from enum import StrEnum

from quart import Quart, Response, request

from mymozhem.errors import Gone

from .dependencies import ApiDependencies
from .error_handlers import respond
from .request_pipeline import HostSource

#: the minimum number of days in maintenance, and of days deprecated
LEAST_MAINTENANCE = 182
LEAST_NOTICE = 91

_VERSIONED = re.compile(r"/api/(v[1-9][0-9]*)(?:/|$)")


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _in_order(days: Iterable[date | None]) -> bool:
    """Return whether each day that is set follows the one before, with no stage left out."""
    listed = list(days)
    known = [day for day in listed if day is not None]
    return listed[: len(known)] == known and known == sorted(set(known))


def _require(holds: bool, message: str) -> None:  # noqa: FBT001  one fact
    if not holds:
        raise ValueError(message)


class Stage(StrEnum):
    """The stage of a version of the API in its life cycle."""

    ACTIVE = "active"  #: recommended for new clients
    MAINTENANCE = "maintenance"  #: receives fixes, but no additions
    DEPRECATED = "deprecated"  #: works; every response says when it ends
    SUNSET = "sunset"  #: over: 410


class ApiVersionGone(Gone):
    """This version of the API is over; `details.guide` says how to move on."""

    default_code = "API_VERSION_SUNSET"


@dataclass(frozen=True)
class ApiVersion:
    """A version of the API, and the days (UTC) on which its stages begin; None: not decided yet.

    `guide` is the address of a page that says how to move to the next version, absolute or a path
    on this host. Raises `ValueError` for days that give less notice than promised.
    """

    name: str
    active: date
    maintenance: date | None = None
    deprecated: date | None = None
    sunset: date | None = None
    guide: str | None = None

    def __post_init__(self) -> None:
        days = (self.active, self.maintenance, self.deprecated, self.sunset)
        _require(_in_order(days), f"{self.name}: each stage follows the one before")
        if self.maintenance and self.deprecated:
            least = self.maintenance + timedelta(days=LEAST_MAINTENANCE)
            _require(self.deprecated >= least, f"{self.name}: six months of maintenance at least")
        if self.deprecated and self.sunset:
            least = self.deprecated + timedelta(days=LEAST_NOTICE)
            _require(self.sunset >= least, f"{self.name}: three months of notice at least")
        _require(self.deprecated is None or self.guide is not None, f"{self.name}: where to go?")

    def stage(self, today: date) -> Stage:
        """Return the stage on a day."""
        begun = {
            Stage.SUNSET: self.sunset,
            Stage.DEPRECATED: self.deprecated,
            Stage.MAINTENANCE: self.maintenance,
        }
        passed = (stage for stage, day in begun.items() if day is not None and day <= today)
        return next(passed, Stage.ACTIVE)

    def is_deprecated(self, today: date) -> bool:
        """Return whether the end of the version is announced, or past."""
        return self.stage(today) in {Stage.DEPRECATED, Stage.SUNSET}

    def headers(self, today: date, base: str) -> Mapping[str, str]:
        """Return the headers that announce the end of a version; empty if no end is set.

        `base` is this host's address, the prefix of a guide that is a path.
        """
        if not self.is_deprecated(today) or self.deprecated is None:
            return {}
        guide = self.link(base)
        said = {
            "Deprecation": f"@{int(_midnight(self.deprecated).timestamp())}",
            "X-API-Deprecation": "true",
            "X-API-Migration-Guide": guide,
            "Link": f'<{guide}>; rel="deprecation"; type="text/html"',
        }
        if self.sunset is not None:
            said["Sunset"] = format_datetime(_midnight(self.sunset), usegmt=True)
            said["X-API-Sunset-Date"] = self.sunset.isoformat()
            said["Link"] += f', <{guide}>; rel="sunset"; type="text/html"'
        return said

    def link(self, base: str) -> str:
        """Return the address of the guide, or that of the API's description if there is none."""
        guide = self.guide or "/docs"
        return base + guide if guide.startswith("/") else guide


#: every version that exists or existed; the newest last
API_VERSIONS: tuple[ApiVersion, ...] = (ApiVersion("v1", active=date(2026, 11, 1)),)


def install(app: Quart, host: HostSource, versions: Iterable[ApiVersion] = API_VERSIONS) -> None:
    """Name the version in every response, and its end; let an ended version respond 410."""
    known = {each.name: each for each in versions}
    newest = list(known)[-1]

    def asked() -> ApiVersion | None:
        found = _VERSIONED.match(request.path)
        return known.get(found[1]) if found else None

    async def require_supported() -> Response | None:
        version, found = asked(), host()
        if version is None or version.sunset is None or found is None:
            return None
        if version.stage(_today(found)) is not Stage.SUNSET:
            return None
        message = f"Version {version.name} of this API is over; {newest} is the newest."
        guide = version.link(_base(found))
        details = {"version": version.name, "newest": newest, "guide": guide}
        return respond(ApiVersionGone(message, details=details))

    async def tell(response: Response) -> Response:
        version, found = asked(), host()
        if version is None or found is None:
            return response
        today = _today(found)
        response.headers.update(
            {
                "X-API-Version": version.name,
                "X-API-Latest-Version": newest,
                "X-API-Deprecated": str(version.is_deprecated(today)).lower(),
            }
        )
        if version.deprecated is not None:
            response.headers.update(version.headers(today, _base(found)))
        return response

    app.before_request(require_supported)
    app.after_request(tell)


def _today(host: ApiDependencies) -> date:
    return host.services.clock.now().astimezone(UTC).date()


def _base(host: ApiDependencies) -> str:
    return host.services.settings.effective_public_url
