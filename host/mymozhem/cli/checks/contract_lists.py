"""Checks of the closed lists of the contract: enums, hooks, events."""

import inspect
import json
import re
from collections.abc import Iterator
from enum import StrEnum
from importlib.resources import files

from mymozhem.contract import HOOKS, Level, enums, events
from mymozhem.contract.events import HOST_EVENTS, HostEvent
from mymozhem.contract.hooks import CAPABILITIES, SILENT_CAPABILITIES, AppHooks
from mymozhem.resources import resource_root

from . import Check, holds, same

EXPECTATION = "enums.json"
_EVENT = re.compile(r"[a-z]+:[a-z_]+")
_STREAMS = frozenset(Level)


def check_enums() -> Iterator[Check]:
    """Compare every list of the contract with `enums.json`: removing a member breaks apps."""
    text = files(__package__).joinpath(EXPECTATION).read_text(encoding="utf-8")
    expected: dict[str, list[str]] = json.loads(text)
    found = dict(inspect.getmembers(enums, _is_list))
    yield same("enums", sorted(found), sorted(expected))
    for name, values in expected.items():
        yield same(f"{name}: members", [str(member) for member in found[name]], values)
        yield holds(f"{name}: says what it is", found[name].__doc__, "no docstring")


def check_hooks() -> Iterator[Check]:
    """Check the table of hooks against what an app may implement."""
    specified = {name for name in vars(AppHooks) if not name.startswith("_")} - {"app_manifest"}
    yield same("hooks: in the table", sorted(hook.name for hook in HOOKS), sorted(specified))
    carried = {hook.capability for hook in HOOKS}
    yield same("capabilities: each carried by a hook", carried | SILENT_CAPABILITIES, CAPABILITIES)
    for hook in HOOKS:
        allowed = hook.on_failure in hook.allowed
        yield holds(f"{hook.name}: its strategy is one it may have", allowed, hook.on_failure)
        sentence = (getattr(AppHooks, hook.name).__doc__ or "").strip()
        yield holds(f"{hook.name}: one sentence", sentence.endswith("."), sentence)
        longest = 30_000
        yield holds(f"{hook.name}: deadline", 0 < hook.deadline_ms <= longest, "out of bounds")


def check_events() -> Iterator[Check]:
    """Check the catalogue of events against the types, and each event against its schema."""
    classes = {
        each for _, each in inspect.getmembers(events, inspect.isclass) if _is_event(each)
    }  # fmt: skip
    yield same("events: all in the catalogue", set(HOST_EVENTS.values()), classes)
    for name, event in HOST_EVENTS.items():
        yield holds(f"{name}: its name", _EVENT.fullmatch(name), "not subject:happened")
        yield holds(f"{name}: its level", event.level in _STREAMS, f"{event.level} is none")
        yield holds(f"{name}: says what happened", event.__doc__, "no docstring")
        file = f"event.{name.replace(':', '.')}.schema.json"
        shipped = resource_root() / "v1" / "contract" / file
        yield holds(f"{name}: has a schema", shipped.is_file(), f"{file} is missing")


def _is_list(found: object) -> bool:
    return inspect.isclass(found) and issubclass(found, StrEnum) and found is not StrEnum


def _is_event(found: type) -> bool:
    return issubclass(found, HostEvent) and found is not HostEvent
