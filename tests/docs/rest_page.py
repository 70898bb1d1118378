"""The tables of the page about the API: who may call what, and every error code."""

from mymozhem.api.api_versions import API_VERSIONS, Stage
from mymozhem.api.v1 import ROUTES
from mymozhem.auth.access_table import ACCESS, Access
from tests.docs.error_codes import codes
from tests.docs.marked import Parts
from tests.docs.schema_tables import members

_ORDER = list(Access)


def access_table() -> str:
    """Return a row for each route: what it does and whom it lets in."""
    said = {route.endpoint: (route.handler.__doc__ or "").split("\n", 1)[0] for route in ROUTES}
    lines = ["| route | does | lets in |", "| --- | --- | --- |"]
    for endpoint, rule in ACCESS.items():
        callers = ", ".join(sorted(rule.callers, key=_ORDER.index))
        lines.append(f"| `{endpoint}` | {said[endpoint]} | {callers} |")
    return "\n".join(lines)


def callers_table() -> str:
    """Return what each word in the table of access means."""
    lines = ["| word | who that is |", "| --- | --- |"]
    return "\n".join([*lines, *(f"| {value} | {meaning} |" for value, meaning in members(Access))])


def codes_table() -> str:
    """Return a row for each error code."""
    lines = ["| status | code | what it says |", "| --- | --- | --- |"]
    lines += [f"| {each.status} | `{each.code}` | {each.sentence} |" for each in codes()]
    return "\n".join(lines)


def versions_table() -> str:
    """Return a row for each version of the API: the day on which each stage begins."""
    stages = list(Stage)
    lines = [
        f"| version | {' | '.join(stages)} | guide |",
        f"| --- |{' --- |' * (len(stages) + 1)}",
    ]
    for each in API_VERSIONS:
        days = (each.active, each.maintenance, each.deprecated, each.sunset)
        shown = " | ".join(day.isoformat() if day else "" for day in days)
        lines.append(f"| `{each.name}` | {shown} | {each.guide or ''} |")
    lines += ["", "| stage | means |", "| --- | --- |"]
    return "\n".join([*lines, *(f"| {value} | {meaning} |" for value, meaning in members(Stage))])


def rest_parts() -> Parts:
    """Return the parts of the page that follow from the code."""
    return {
        "versions": versions_table,
        "access": access_table,
        "callers": callers_table,
        "codes": codes_table,
    }
