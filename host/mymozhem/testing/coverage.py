"""What the kit has reached of an app, and what it never has: the evidence behind its verdict."""

import inspect
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from types import CodeType, FunctionType, ModuleType
from typing import get_args

from mymozhem.contract import HOOKS, Effect, JsonObject
from mymozhem.contract.payloads import TimerRequest

from .app_lookup import App
from .recording_app import RecordedCall
from .results import effects_of
from .simulation import DONE, Tried

_LITERAL = re.compile(r"""["']effect["']\s*:\s*["'](\w+)["']""")
#: codes of attempts that the host itself refuses, before it asks the app
_HOSTS_OWN = frozenset({"FORBIDDEN", "ACTION_NOT_NOW", "UNAUTHENTICATED"})


@dataclass(frozen=True)
class Coverage:
    """What was reached: actions by their outcomes, and calls, effects and events by their names.

    `declared` are the names that the manifest and the code have, by kind, and `reached` those that
    were reached.
    """

    actions: dict[str, Counter[str]] = field(default_factory=dict)
    declared: dict[str, frozenset[str]] = field(default_factory=dict)
    reached: dict[str, frozenset[str]] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Return whether everything was reached."""
        return not any(True for _ in self.gaps())

    def missing(self, kind: str) -> list[str]:
        """Return the names of a kind that were never reached, sorted."""
        return sorted(self.declared.get(kind, frozenset()) - self.reached.get(kind, frozenset()))

    def gaps(self) -> Iterator[str]:
        """Yield a sentence for everything that was never reached."""
        for name in self.missing("actions"):
            outcomes = self.actions.get(name, Counter())
            yield _of_action(name, outcomes)
        for kind, sentence in _SENTENCES.items():
            for name in self.missing(kind):
                yield sentence.format(name=name)

    def as_json(self) -> JsonObject:
        """Return the evidence as JSON: outcomes of actions, and what is missing of each kind."""
        actions: JsonObject = {name: {**counts} for name, counts in self.actions.items()}
        counts: JsonObject = {
            kind: {"declared": len(names), "reached": len(names & self.reached[kind])}
            for kind, names in self.declared.items()
        }
        missing: JsonObject = {kind: [*self.missing(kind)] for kind in self.declared}
        return {"counts": counts, "actions": actions, "missing": missing}


_SENTENCES = {
    "hooks": "{name} was never called, so nothing is known about it.",
    "timers": "The timer {name!r} never fired; `needs` of the manifest names it.",
    "changes": "No change of the kind {name!r} occurred; `changes` of the manifest names it.",
    "events": "The event {name!r} was never emitted; `events` of the manifest declares it.",
    "effects": "The effect {name} was never returned, though the code names it.",
}


def coverage_of(app: App, calls: Iterable[RecordedCall], tried: Sequence[Tried]) -> Coverage:
    """Return what these calls and attempts have reached of an app with a valid manifest."""
    manifest = app.manifest
    reached = _Reached()
    for call in calls:
        reached.note(call)
    actions: dict[str, Counter[str]] = {name: Counter() for name in manifest.actions}
    for each in tried:
        if each.action in actions and each.outcome not in _HOSTS_OWN:
            actions[each.action][each.outcome] += 1
    wants = manifest.needs
    return Coverage(
        actions=actions,
        declared={
            "actions": frozenset(manifest.actions),
            "hooks": frozenset(
                hook.name
                for hook in HOOKS
                if hook.name in app.functions and hook.capability in manifest.capabilities
            ),
            "timers": frozenset(
                name.removeprefix("timer:") for name in wants if name.startswith("timer:")
            ),
            "changes": frozenset(str(each) for each in manifest.changes),
            "events": frozenset(manifest.events),
            "effects": effects_in_code(app.plugin),
        },
        reached={
            "actions": frozenset(name for name, counts in actions.items() if counts[DONE]),
            **{kind: frozenset(names) for kind, names in reached.names.items()},
        },
    )


def effects_in_code(plugin: object) -> frozenset[str]:
    """Return the effects that the code of a Python app names; empty if its code is not here.

    Of an object that is no module, the methods of its class are read.
    """
    if not isinstance(plugin, ModuleType):
        return frozenset(_named_in(type(plugin).__mro__))
    found: set[str] = set()
    for module in _modules(plugin):
        own = [each for each in vars(module).values() if _is_defined_in(each, module)]
        found |= _named_in(own)
        found |= set(_LITERAL.findall(_source(module))) & set(_EFFECTS.values())
    return frozenset(found)


def _is_defined_in(value: object, module: ModuleType) -> bool:
    return getattr(value, "__module__", None) == module.__name__


def _named_in(values: Iterable[object]) -> set[str]:
    """Return the effects that functions, and methods of classes, name in their code."""
    found: set[str] = set()
    for value in values:
        members = vars(value).values() if isinstance(value, type) else (value,)
        for each in members:
            function = inspect.unwrap(each) if isinstance(each, FunctionType) else None
            names = _names(function.__code__) if function is not None else set()
            found |= {_EFFECTS[name] for name in names & _EFFECTS.keys()}
    return found


def _names(code: CodeType) -> set[str]:
    inner = (each for each in code.co_consts if isinstance(each, CodeType))
    return set(code.co_names).union(*map(_names, inner))


class _Reached:
    """Collects what calls have reached."""

    def __init__(self) -> None:
        kinds = ("hooks", "timers", "changes", "events", "effects")
        self.names: dict[str, set[str]] = {kind: set() for kind in kinds}

    def note(self, call: RecordedCall) -> None:
        self.names["hooks"].add(call.hook.name)
        request = call.hook.request.model_validate_json(call.request)
        if isinstance(request, TimerRequest):
            self.names["timers"].add(request.name)
        change = getattr(request, "change", None)
        if change is not None:
            self.names["changes"].add(str(change.kind))
        for effect in effects_of(call):
            self.names["effects"].add(effect.effect)
            if effect.effect == "emit":
                self.names["events"].add(effect.type)


def _effect_names() -> dict[str, str]:
    """Return the effects' names by the names of their classes."""
    union = get_args(Effect)[0]
    return {each.__name__: str(each.model_fields["effect"].default) for each in get_args(union)}


_EFFECTS = _effect_names()


def _modules(plugin: ModuleType) -> list[ModuleType]:
    """Return the loaded modules of an app: those of its package, or itself."""
    name = plugin.__name__
    if not hasattr(plugin, "__path__"):
        return [plugin]
    return [
        module
        for each, module in sorted(sys.modules.items())
        if each == name or each.startswith(f"{name}.")
    ]


def _source(module: ModuleType) -> str:
    try:
        return inspect.getsource(module)
    except (OSError, TypeError):
        return ""


def _of_action(name: str, outcomes: "Counter[str]") -> str:
    help_ = (
        f"Give payloads that work: `examples` in its schema, a sample room of the demo, or "
        f"conformance(…, payloads={{{name!r}: […]}})."
    )
    if not outcomes:
        return f"The action {name!r} was never tried: no valid payload could be made. {help_}"
    codes = ", ".join(f"{code} ({count} times)" for code, count in outcomes.most_common(3))
    return f"The action {name!r} was only ever refused: {codes}. {help_}"
