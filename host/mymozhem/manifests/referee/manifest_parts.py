"""Compare the parts of a manifest other than its schemas, one function for each part."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from pydantic import JsonValue

from mymozhem.contract import JsonObject
from mymozhem.contract import VersionRange as Range
from mymozhem.contract.versions import as_version
from mymozhem.manifests.json_pointer import Part, find, pointer
from mymozhem.manifests.model import ActionSpec, EventSpec, Manifest
from mymozhem.manifests.schema_nodes import Schema

from .change_codes import Values, change
from .compare_schemas import compare_schemas
from .json_values import differences, same
from .model import Change
from .schema_place import SEEN_BY, Place, Side, is_looser

Changes = Iterator[Change]

_ANY_OBJECT: JsonObject = {"type": "object"}
_NO_FIELDS: JsonObject = {"type": "object", "additionalProperties": False, "properties": {}}


def _meta(old: Manifest, new: Manifest) -> Changes:
    before, after = _part(old.document, "meta"), _part(new.document, "meta")
    for name in ("name", "description", "author", "homepage", "icon", "license"):
        if not same(before.get(name), after.get(name)):
            yield _text(("meta", name), f"The app's {name} changed", before, after)


def _editors(old: Manifest, new: Manifest) -> Changes:
    if not same(old.document.get("$schema"), new.document.get("$schema")):
        yield _text(("$schema",), "Only editors read this line", old.document, new.document)


def _format(old: Manifest, new: Manifest) -> Changes:
    before, after = (each.document.get("manifestVersion", 1) for each in (old, new))
    if not same(before, after):
        message = "The manifest is written in another format"
        yield change("PART_UNKNOWN", "/manifestVersion", message, (before, after))


def _id(old: Manifest, new: Manifest) -> Changes:
    if old.id is not None and new.id is not None and old.id != new.id:
        message = f"This is another app: {new.id} instead of {old.id}"
        yield change("ID_CHANGED", "/id", message, (old.id, new.id))


def _contract(old: Manifest, new: Manifest) -> Changes:
    if old.contract.split() == new.contract.split():
        return
    values: Values = (old.contract, new.contract)
    before, after = _majors(old.contract, new.contract)
    if before != after:
        message = "The app supports other major versions of the contract with the host"
        yield change("CONTRACT_MAJOR", "/contract", message, values)
    else:
        message = "The app supports other minor versions of the contract with the host"
        yield change("CONTRACT_RANGE", "/contract", message, values)


def _majors(one: str, other: str) -> tuple[frozenset[int], frozenset[int]]:
    """Return the majors in which each of two ranges has a version, tried at and around the bounds.

    A range holds all majors between two bounds or none, and the one above a bound represents them.
    """
    ranges = [Range.parse(text) for text in (one, other)]
    tried = {as_version("0.0.0"), as_version("0.0.1"), as_version("1.0.0")}
    for _, bound in (part for each in ranges for part in each.parts):
        core = bound.finalize_version()
        tried |= {bound, core, core.bump_patch(), core.bump_minor(), core.bump_major()}
        tried.add(core.replace(minor=0, patch=0))
        if core.major:
            tried.add(core.replace(major=core.major - 1, minor=core.minor + 1))
    first, second = (
        frozenset(version.major for version in tried if str(version) in each) for each in ranges
    )
    return first, second


def _address(old: Manifest, new: Manifest) -> Changes:
    before, after = old.base_url, new.base_url
    if before == after:
        return
    values: Values = (before, after)
    if _host(before) == _host(after):
        message = "The app is reached under another path of the same host"
        yield change("ADDRESS_CHANGED", "/baseUrl", message, values)
        return
    change_of_host = {
        True: "is not reached over the network any more",
        False: "is reached at another host",
    }
    yield change("HOST_CHANGED", "/baseUrl", f"The app {change_of_host[after is None]}", values)


def _host(address: str | None) -> tuple[str, str, int] | None:
    if address is None:
        return None
    url = urlsplit(address)
    port = url.port or {"http": 80, "https": 443}.get(url.scheme, 0)
    return url.scheme, url.hostname or "", port


def _capabilities(old: Manifest, new: Manifest) -> Changes:
    yield from _listed(
        ("capabilities",), old.document.get("capabilities"), new.document.get("capabilities"),
        added=("CAPABILITY_ADDED", "The app takes over {}"),
        removed=("CAPABILITY_REMOVED", "The app does not take over {} any more"),
    )  # fmt: skip


def _permissions(old: Manifest, new: Manifest) -> Changes:
    yield from _listed(
        ("permissions",), old.document.get("permissions"), new.document.get("permissions"),
        added=("PERMISSION_ADDED", "The app's token may do {}"),
        removed=("PERMISSION_REMOVED", "The app's token may not do {} any more"),
    )  # fmt: skip


def _told(old: Manifest, new: Manifest) -> Changes:
    yield from _listed(
        ("changes",), old.document.get("changes"), new.document.get("changes"),
        added=("TOLD_CHANGED", "The app is notified of changes of the kind {}"),
        removed=("TOLD_CHANGED", "The app is not notified of changes of the kind {} any more"),
    )  # fmt: skip


def _webhooks(old: Manifest, new: Manifest) -> Changes:
    message = "The way in which the host calls the app over the network changed"
    yield from _anything("webhooks", "WEBHOOK_CHANGED", message, old, new)


def _policies(old: Manifest, new: Manifest) -> Changes:
    message = "The time that the host waits for the app changed, or what it does if the app fails"
    yield from _anything("policies", "POLICY_CHANGED", message, old, new)


def _needs(old: Manifest, new: Manifest) -> Changes:
    before, after = _part(old.document, "needs"), _part(new.document, "needs")
    for name in dict.fromkeys((*after, *before)):
        yield from _listed(
            ("needs", name), before.get(name, []), after.get(name, []),
            added=("NEEDS_CHANGED", f"With {name}, the app receives {{}}"),
            removed=("NEEDS_CHANGED", f"With {name}, the app does not receive {{}} any more"),
        )  # fmt: skip


def _imports(old: Manifest, new: Manifest) -> Changes:
    before, after = _part(old.document, "imports"), _part(new.document, "imports")
    for name in dict.fromkeys((*after, *before)):
        yield from _listed(
            ("imports", name), before.get(name, []), after.get(name, []),
            added=("IMPORT_ADDED", f"“{name}” can be imported from {{}}"),
            removed=("IMPORT_REMOVED", f"“{name}” cannot be imported from {{}} any more"),
        )  # fmt: skip


def _settings(old: Manifest, new: Manifest) -> Changes:
    yield from _schema(
        old.settings, new.settings, _NO_FIELDS, Place("/settings", "Settings", Side.COMPLETED)
    )


def _registration(old: Manifest, new: Manifest) -> Changes:
    place = Place("/registration", "Questions on joining", Side.GIVEN)
    yield from _schema(old.registration, new.registration, _NO_FIELDS, place)


def _state(old: Manifest, new: Manifest) -> Changes:
    place = Place("/state", "State of the room", Side.GIVEN)
    yield from _schema(old.state, new.state, _ANY_OBJECT, place)


def _actions(old: Manifest, new: Manifest) -> Changes:
    documents = _part(old.document, "actions"), _part(new.document, "actions")
    for name in dict.fromkeys((*new.actions, *old.actions)):
        before, after = old.actions.get(name), new.actions.get(name)
        path = ("actions", name)
        was, now = (each.get(name) for each in documents)
        title = (after and after.title) or (before and before.title) or name
        if before is None:
            yield change("ACTION_ADDED", pointer(path), f"Action “{title}” is new", (None, now))
        elif after is None:
            yield change(
                "ACTION_REMOVED", pointer(path), f"Action “{title}” was removed", (was, None)
            )
        elif isinstance(was, dict) and isinstance(now, dict):
            yield from _action(path, title, (before, was), (after, now))


def _action(
    path: tuple[str, str],
    title: str,
    old: tuple[ActionSpec, JsonObject],
    new: tuple[ActionSpec, JsonObject],
) -> Changes:
    (before, was), (after, now) = old, new
    label = f"Action “{title}”"
    yield from _titles(path, label, was, now)
    yield from _set(
        (*path, "roles"), before.roles, after.roles,
        added=("ROLE_ADDED", f"{label} may be called by {{}}"),
        removed=("ROLE_REMOVED", f"{label} may not be called by {{}} any more"),
    )  # fmt: skip
    yield from _set(
        (*path, "when"), before.when, after.when,
        added=("STATUS_ADDED", f"{label} may be called while the room is {{}}"),
        removed=("STATUS_REMOVED", f"{label} may not be called while the room is {{}} any more"),
    )  # fmt: skip
    for word, code, message in (
        ("confirm", "CONFIRM_CHANGED", "whether people must confirm it changed"),
        ("batch", "BATCH_CHANGED", "whether waiting calls are sent together changed"),
    ):
        if not same(was.get(word, False), now.get(word, False)):
            yield _word(code, (*path, word), f"{label}: {message}", was, now)
    place = Place(pointer((*path, "payload")), label, Side.GIVEN)
    yield from _schema(before.payload, after.payload, _ANY_OBJECT, place)


def _events(old: Manifest, new: Manifest) -> Changes:
    documents = _part(old.document, "events"), _part(new.document, "events")
    for name in dict.fromkeys((*new.events, *old.events)):
        before, after = old.events.get(name), new.events.get(name)
        path = ("events", name)
        was, now = (each.get(name) for each in documents)
        if before is None:
            yield change("EVENT_ADDED", pointer(path), f"Event “{name}” is new", (None, now))
        elif after is None:
            yield change("EVENT_REMOVED", pointer(path), f"Event “{name}” was removed", (was, None))
        elif isinstance(was, dict) and isinstance(now, dict):
            yield from _event(path, (before, was), (after, now))


def _event(
    path: tuple[str, str],
    old: tuple[EventSpec, JsonObject],
    new: tuple[EventSpec, JsonObject],
) -> Changes:
    (before, was), (after, now) = old, new
    label = f"Event “{path[1]}”"
    yield from _titles(path, label, was, now)
    if before.visibility is not after.visibility:
        looser = is_looser(after.visibility, before.visibility)
        code = "VISIBILITY_LOOSER" if looser else "VISIBILITY_STRICTER"
        seen, was_seen = SEEN_BY[after.visibility], SEEN_BY[before.visibility]
        message = f"{label} is seen by {seen}, and was by {was_seen}"
        yield _word(code, (*path, "visibility"), message, was, now)
    place = Place(pointer((*path, "payload")), label, Side.READ)
    yield from _schema(before.payload, after.payload, _ANY_OBJECT, place)


def _migrations(old: Manifest, new: Manifest) -> Changes:
    message = "The migration of settings from version to version changed"
    yield from _anything("migrations", "MIGRATIONS_CHANGED", message, old, new)


def _serves(old: Manifest, new: Manifest) -> Changes:
    before, after = old.serves_text, new.serves_text
    if (before or "").split() != (after or "").split():
        message = "The code serves other versions than before"
        yield change("SERVES_CHANGED", "/serves", message, (before, after))


def _pages(old: Manifest, new: Manifest) -> Changes:
    before, after = _part(old.document, "ui"), _part(new.document, "ui")
    for name in dict.fromkeys((*after, *before)):
        if same(before.get(name), after.get(name)):
            continue
        if name not in before:
            code, message = "PAGE_ADDED", f"The app has a page for the {name}"
        elif name not in after:
            code, message = "PAGE_REMOVED", f"The app has no page for the {name} any more"
        else:
            code, message = "PAGE_CHANGED", f"The app's page for the {name} has another path"
        yield _word(code, ("ui", name), message, before, after)


def _locales(old: Manifest, new: Manifest) -> Changes:
    message = "A translation was changed, added or removed"
    yield from _anything("locales", "TEXT_CHANGED", message, old, new)


#: part of a manifest → the function that compares it; a difference in another part is major
PARTS: Mapping[str, Callable[[Manifest, Manifest], Changes]] = {
    "$schema": _editors,
    "manifestVersion": _format,
    "id": _id,
    "meta": _meta,
    "contract": _contract,
    "baseUrl": _address,
    "capabilities": _capabilities,
    "permissions": _permissions,
    "webhooks": _webhooks,
    "policies": _policies,
    "settings": _settings,
    "registration": _registration,
    "needs": _needs,
    "changes": _told,
    "imports": _imports,
    "actions": _actions,
    "events": _events,
    "state": _state,
    "migrations": _migrations,
    "serves": _serves,
    "ui": _pages,
    "locales": _locales,
}


def _schema(
    old: JsonObject | None, new: JsonObject | None, absent: Schema, place: Place
) -> Changes:
    before, after = (absent if each is None else each for each in (old, new))
    yield from compare_schemas(before, after, place)


def _titles(path: tuple[str, str], label: str, was: JsonObject, now: JsonObject) -> Changes:
    for word in ("title", "description"):
        if not same(was.get(word), now.get(word)):
            yield _text((*path, word), f"{label}: the {word} changed", was, now)


def _anything(part: str, code: str, message: str, old: Manifest, new: Manifest) -> Changes:
    """Yield a change of one kind for every place in which a part differs."""
    before, after = ({part: x.document[part]} if part in x.document else {} for x in (old, new))
    for place in differences(before, after):
        yield change(code, place, message, (_find(before, place), _find(after, place)))


def _find(document: JsonValue, place: str) -> JsonValue:
    try:
        found = find(document, place)
    except KeyError:
        return None
    return found  # type: ignore[return-value]  # a part of a JSON value is one


Kind = tuple[str, str]


def _listed(
    path: tuple[Part, ...], old: JsonValue, new: JsonValue, *, added: Kind, removed: Kind
) -> Changes:
    before, after = (list(map(str, x)) if isinstance(x, list) else [] for x in (old, new))
    for position, name in enumerate(after):
        if name not in before:
            yield change(added[0], pointer((*path, position)), added[1].format(name), (None, name))
    for position, name in enumerate(before):
        if name not in after:
            place = pointer((*path, position))
            yield change(removed[0], place, removed[1].format(name), (name, None))


def _set(
    path: tuple[Part, ...], old: Iterable[str], new: Iterable[str], *, added: Kind, removed: Kind
) -> Changes:
    before, after = sorted(map(str, old)), sorted(map(str, new))
    values: Values = (list[JsonValue](before), list[JsonValue](after))
    for name in after:
        if name not in before:
            yield change(added[0], pointer(path), added[1].format(name), values)
    for name in before:
        if name not in after:
            yield change(removed[0], pointer(path), removed[1].format(name), values)


def _text(
    path: tuple[Part, ...],
    message: str,
    before: Mapping[str, JsonValue],
    after: Mapping[str, JsonValue],
) -> Change:
    return _word("TEXT_CHANGED", path, message, before, after)


def _word(
    code: str,
    path: tuple[Part, ...],
    message: str,
    before: Mapping[str, JsonValue],
    after: Mapping[str, JsonValue],
) -> Change:
    name = str(path[-1])
    return change(code, pointer(path), message, (before.get(name), after.get(name)))


def _part(document: JsonObject, name: str) -> Mapping[str, JsonValue]:
    said = document.get(name)
    return said if isinstance(said, dict) else {}
