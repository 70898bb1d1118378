"""The page about the hook contract, written from its types."""

from enum import Enum
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter

from mymozhem import contract
from mymozhem.contract import (
    CONTRACT_VERSION,
    HOOKS,
    AppHooks,
    Context,
    Hook,
    Strategy,
    effects,
    enums,
    payloads,
)
from mymozhem.contract.effects import MAX_EFFECTS, Effect
from mymozhem.contract.hooks import SILENT_CAPABILITIES
from tests.docs.schema_tables import docstring, fields_table, members

#: in the contract, so that apps can be written for them; the host does not ask or do them yet
HOOKS_TO_COME = frozenset[str]()
EFFECTS_TO_COME = frozenset[str]()
EFFECTS: tuple[type[BaseModel], ...] = get_args(get_args(Effect)[0])
NOT_YET = "**Not in this version:** "

HEAD = f"""# The hook contract, version {CONTRACT_VERSION}

<!-- Written by `python -m tests.docs.write` from the types in `mymozhem.contract`. -->

An app is a module, or an object, with functions marked `@hookimpl`. A function may be plain or a
coroutine function. It takes `context` and `request`, by name, and either may be left out. It
returns its hook's result, or the same as plain JSON. It is a pure function: what decides is in the
request, what is to happen is in the result.

Field names here are those of JSON (`participantId`); in Python the same field is written
`participant_id`. Moments are ISO 8601 with a time zone, spans are milliseconds. Long lists travel
as parallel arrays: the n-th elements of all of them belong together.

Requests are lenient: an app ignores fields that a newer host adds. Results are strict: a field
that the contract does not know makes the whole answer invalid.

The same as JSON Schemas, for programs and for authors in other languages: `manifests/v1/contract/`.

## Hooks at a glance
"""

REFUSING = """
`app_manifest` takes nothing and returns the manifest; it is asked once, when the app is loaded.

**Saying no.** Any asked hook may raise `Refuse(code, message, details)`. The caller gets `409`
with that code and sentence, nothing is applied, and it does not count as a failure of the app. A
refused `prepare_draw` holds the draw, with that code, until an organizer decides.

**When the app fails** (an exception, a wrong answer, no answer in time), the strategy decides. A
manifest may name another of the allowed ones in `policies`, and another deadline from 0.1 to 30 s.

"""

EFFECTS_HEAD = f"""
## Effects

`handle_action`, `on_timer` and `on_room_changed` return effects (so will `close_window`). At most
{MAX_EFFECTS} of them are applied in their order, all or none, in one transaction; what cannot be
applied is refused with `EFFECT_REFUSED`, which names the effect by its index and says why. In JSON
each has the field `effect` with its name.
"""


def contract_page() -> str:
    """Return the page about the contract."""
    shapes = _Shapes()
    parts = [HEAD, _hook_table(), REFUSING, _strategies(), _context(shapes)]
    parts += [_hook(hook, shapes) for hook in HOOKS]
    parts += [EFFECTS_HEAD, *(_effect(effect, shapes) for effect in EFFECTS)]
    parts += [shapes.appendix()]
    return "\n".join(parts).rstrip() + "\n"


class _Shapes:
    """Everything that the page has linked to so far."""

    def __init__(self) -> None:
        self.seen: dict[str, dict[str, Any]] = {}

    def table(self, model: type[BaseModel]) -> str:
        schema = TypeAdapter(model).json_schema(by_alias=True, mode="validation")
        self.seen.update(schema.get("$defs", {}))
        shown = dict(schema)
        if "effect" in schema.get("properties", {}):
            kept = {name: each for name, each in schema["properties"].items() if name != "effect"}
            shown["properties"] = kept
        return fields_table(shown, self.link)

    def link(self, name: str) -> str:
        if name == "JsonValue":
            return "any JSON"
        names = {effect.__name__ for effect in EFFECTS}
        if name in names:
            return f"[`{_effect_name(getattr(contract, name))}`](#effects)"
        return f"[{name}](#{name.lower()})"

    def appendix(self) -> str:
        """Return the shapes that were linked to, then the closed lists."""
        tops = {hook.request.__name__ for hook in HOOKS} | {hook.result.__name__ for hook in HOOKS}
        names = {effect.__name__ for effect in EFFECTS}
        objects, lists = [], []
        for name in sorted(self.seen):
            if name in names or name in tops or name == "JsonValue":
                continue
            found = _named(name)
            if issubclass(found, Enum):
                lists.append(_list(found))
            else:
                table = fields_table(self.seen[name], self.link)
                objects.append(f"### {name}\n\n{docstring(found)}\n\n{table}\n")
        return "\n".join(["\n## Shapes\n", *objects, "## Closed lists\n", *lists])


def _named(name: str) -> type:
    for module in (contract, payloads, effects, enums):
        if hasattr(module, name):
            found: type = getattr(module, name)
            return found
    raise LookupError(name)


def _hook_table() -> str:
    lines = [
        "| hook | capability | deadline | when it fails | may be |",
        "| --- | --- | --- | --- | --- |",
    ]
    for hook in HOOKS:
        link = f"[`{hook.name}`](#{hook.name})"
        others = ", ".join(f"`{each}`" for each in sorted(hook.allowed - {hook.on_failure}))
        lines.append(
            f"| {link} | `{hook.capability}` | {hook.deadline_ms / 1000:g} s | "
            f"`{hook.on_failure}` | {others or 'nothing else'} |"
        )
    silent = ", ".join(f"`{name}`" for name in sorted(SILENT_CAPABILITIES))
    return "\n".join([*lines, "", f"The capabilities {silent} are accepted and call nothing."])


def _strategies() -> str:
    lines = ["| strategy | what happens |", "| --- | --- |"]
    lines += [f"| `{value}` | {said} |" for value, said in members(Strategy)]
    return "\n".join(lines)


def _context(shapes: _Shapes) -> str:
    return f"\n## The context\n\n{docstring(Context)}\n\n{shapes.table(Context)}\n\n## The hooks\n"


def _hook(hook: Hook[BaseModel, BaseModel], shapes: _Shapes) -> str:
    said = docstring(getattr(AppHooks, hook.name))
    coming = (
        f"{NOT_YET}the host does not call this hook yet.\n" if hook.name in HOOKS_TO_COME else ""
    )
    empty = "Returning nothing means the defaults." if hook.empty else "It has to return a result."
    note = "" if hook.asked else " A notification: nobody waits for the result."
    return "\n".join(
        [
            f"### {hook.name}",
            "",
            f"{said} Capability `{hook.capability}`. {empty}{note}",
            "",
            *([coming] if coming else []),
            f"**Request, `{hook.request.__name__}`.** {docstring(hook.request)}",
            "",
            shapes.table(hook.request),
            "",
            f"**Result, `{hook.result.__name__}`.** {docstring(hook.result)}",
            "",
            shapes.table(hook.result),
            "",
        ]
    )


def _effect(effect: type[BaseModel], shapes: _Shapes) -> str:
    name = _effect_name(effect)
    coming = f"{NOT_YET}the host refuses it.\n\n" if name in EFFECTS_TO_COME else ""
    said = f"### {name}\n\n`{effect.__name__}`. {docstring(effect)}"
    return f"{said}\n\n{coming}{shapes.table(effect)}\n"


def _effect_name(effect: type[BaseModel]) -> str:
    return str(effect.model_fields["effect"].default)


def _list(enum: type[Enum]) -> str:
    lines = [f"### {enum.__name__}", "", docstring(enum), "", "| value | means |", "| --- | --- |"]
    return "\n".join([*lines, *(f"| `{value}` | {said} |" for value, said in members(enum)), ""])
