"""Layer 2 of validation: whether the parts of a manifest make sense, separately and together.

Every rule reads the document as received and skips parts of the wrong shape, which layer 1 reports.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import semver
from pydantic import JsonValue

from mymozhem.contract import HOOKS, VersionRange
from mymozhem.contract.events import HOST_EVENTS
from mymozhem.contract.versions import CONTRACT_VERSIONS, spoken

from .json_pointer import find, pointer
from .model import DEFAULT_CONTRACT
from .policy_checks import policy_problems
from .problems import Problem
from .remote_checks import remote_problems
from .settings_migrations.semantic_checks import migration_problems
from .text_checks import text_problems

ID = re.compile(r"[a-z][a-z0-9_-]{1,62}")

#: ids under which the host writes its own events
RESERVED_IDS = frozenset(event.split(":")[0] for event in HOST_EVENTS) | {"window"}

_TEXTS = re.compile(r"/(title|description|name|confirm|placeholder|group|unit|labels/[^/]+)$")


@dataclass(frozen=True)
class Facts:
    """A document, and the id under which it is registered, if that is known."""

    document: Mapping[str, JsonValue]
    registered_as: str | None

    @property
    def app_id(self) -> str | None:
        """Return the registered id if known, otherwise the document's own."""
        own = self.document.get("id")
        return self.registered_as or (own if isinstance(own, str) else None)

    def part(self, *path: str) -> Mapping[str, JsonValue]:
        """Return the object at a path; an empty one if it is missing."""
        found: JsonValue = dict(self.document)
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else {}

    def text(self, *path: str) -> str | None:
        """Return the text at a path; None if it is missing."""
        said = self.part(*path[:-1]).get(path[-1])
        return said if isinstance(said, str) else None


def semantic_problems(
    document: Mapping[str, JsonValue], *, registered_as: str | None
) -> Iterator[Problem]:
    """Yield the parts of a manifest that are well-formed but make no sense."""
    facts = Facts(document, registered_as)
    for rule in _RULES:
        yield from rule(facts)
    yield from remote_problems(document)
    yield from policy_problems(document)
    yield from migration_problems(document)
    yield from text_problems(document)


def _identity(facts: Facts) -> Iterator[Problem]:
    known, own = facts.registered_as, facts.text("id")
    if known is not None and not ID.fullmatch(known):
        message = "the app cannot be registered under this id"
        yield Problem("", "ID", message, "start with a small letter; 2 to 63 a-z, 0-9, - and _")
    if known is not None and own is not None and own != known:
        message = f"the app is registered under {known!r}"
        yield Problem("/id", "ID_MISMATCH", message, f"write {known!r}, or leave the id out")
    if facts.app_id in RESERVED_IDS:
        message = "the host's own events have this name"
        yield Problem("/id", "ID_RESERVED", message, "take another id")


def _versions(facts: Facts) -> Iterator[Problem]:
    version = facts.text("meta", "version")
    if version is not None and not semver.Version.is_valid(version):
        message = "this is no semantic version"
        yield Problem("/meta/version", "VERSION_NOT_SEMVER", message, "write one such as 1.0.0")
        return
    served, written = _range(facts.text("serves"))
    if written and served is None:
        yield _no_range("/serves")
    elif served is not None and version is not None and version.partition("+")[0] not in served:
        message = f"the range leaves out the manifest's own version {version}"
        yield Problem("/serves", "SERVES_NOT_ITSELF", message, "widen the range")


def _contract(facts: Facts) -> Iterator[Problem]:
    text = facts.text("contract") or DEFAULT_CONTRACT
    found, _ = _range(text)
    if found is None:
        yield _no_range("/contract")
    elif spoken(text) is None:
        known = " and ".join(reversed(CONTRACT_VERSIONS))
        message = f"the host speaks the versions {known} of the contract"
        yield Problem("/contract", "CONTRACT_UNSUPPORTED", message, f"write {DEFAULT_CONTRACT!r}")


def _needs(facts: Facts) -> Iterator[Problem]:
    hooks = {hook.name for hook in HOOKS}
    actions = facts.part("actions")
    for name in facts.part("needs"):
        kind, _, named = name.partition(":")
        place = pointer(["needs", name])
        if named and kind == "action" and named not in actions:
            message = f"there is no action {named!r}"
            yield Problem(place, "NEED_UNKNOWN", message, "name one of the manifest's actions")
        if not named and name not in hooks:
            message = f"there is no hook {name!r}"
            yield Problem(place, "NEED_UNKNOWN", message, f"known are {', '.join(sorted(hooks))}")


def _imports(facts: Facts) -> Iterator[Problem]:
    known = facts.part("settings", "properties")
    for name in facts.part("imports"):
        if name not in known:
            message = f"there is no setting {name!r}"
            hint = "name a property of the settings schema"
            yield Problem(pointer(["imports", name]), "IMPORT_UNKNOWN", message, hint)


def _events(facts: Facts) -> Iterator[Problem]:
    events = facts.part("events")
    spaces = sorted({name.partition(":")[0] for name in events})
    app_id = facts.app_id or (spaces[0] if spaces else None)
    for name in events:
        space = name.partition(":")[0]
        if space != app_id or space in RESERVED_IDS:
            message = f"an app's events start with its id, {app_id}:"
            hint = f"write {app_id}:{name.partition(':')[2] or name}"
            yield Problem(pointer(["events", name]), "EVENT_NAMESPACE", message, hint)


def _locales(facts: Facts) -> Iterator[Problem]:
    for language in facts.part("locales"):
        for place in facts.part("locales", language):
            if not _TEXTS.search(place) or not isinstance(_found(facts.document, place), str):
                yield Problem(
                    pointer(["locales", language, place]),
                    "LOCALE_POINTER",
                    "there is no title, description or label at this place of the manifest",
                    "write a JSON Pointer to one, such as /meta/name",
                )


def _found(document: Mapping[str, JsonValue], place: str) -> object:
    try:
        return find(document, place)
    except (KeyError, ValueError):
        return None


def _range(text: str | None) -> tuple[VersionRange | None, bool]:
    if text is None:
        return None, False
    try:
        return VersionRange.parse(text), True
    except ValueError:
        return None, True


def _no_range(place: str) -> Problem:
    return Problem(place, "VERSION_RANGE", "this is no range of versions", "write one: >=1.0 <2.0")


_RULES: tuple[Callable[[Facts], Iterator[Problem]], ...] = (
    _identity,
    _versions,
    _contract,
    _needs,
    _imports,
    _events,
    _locales,
)
