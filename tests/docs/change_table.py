"""Which fields a `Change` carries for which kind, read from the calls in the code that make one."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic.alias_generators import to_camel

import mymozhem.rooms
from mymozhem.contract import Change, ChangeKind
from tests.docs.schema_tables import members

ROOMS = Path(mymozhem.rooms.__file__).parent
Function = ast.FunctionDef | ast.AsyncFunctionDef

#: fields that `rooms/jobs/change_payload.py` adds when the call is made; of these, some may be null
COMPLETED = {ChangeKind.JOINED: {"participant"}, ChangeKind.WINNER: {"key"}}


@dataclass(frozen=True)
class Made:
    """One kind of change that the code makes: what happened, and the fields that come with it."""

    kind: ChangeKind
    what: frozenset[str]
    always: frozenset[str]
    sometimes: frozenset[str]


@cache
def changes() -> tuple[Made, ...]:
    """Return the changes that the code of rooms makes, one for each kind and set of fields."""
    found: dict[tuple[ChangeKind, frozenset[str], frozenset[str]], frozenset[str]] = {}
    for call, function in _calls("Change"):
        given = {each.arg: each.value for each in call.keywords if each.arg}
        kind = given.pop("kind", None)
        if not (isinstance(kind, ast.Attribute) and isinstance(kind.value, ast.Name)):
            continue  # a change of another sort
        what = frozenset(_texts(given.pop("what"), function))
        maybe = frozenset(to_camel(name) for name, value in given.items() if _may_be_none(value))
        sure = frozenset(map(to_camel, given)) - maybe
        key = ChangeKind[kind.attr], sure, maybe
        found[key] = found.get(key, frozenset()) | what
    return tuple(Made(kind, what, sure, maybe) for (kind, sure, maybe), what in found.items())


def change_table() -> str:
    """Return a row for each kind: what it is, what may have happened, and which fields it has."""
    order = [to_camel(name) for name in Change.model_fields]
    lines = ["| `kind` | changed | `what` | fields |", "| --- | --- | --- | --- |"]
    for value, said in members(ChangeKind):
        made = [each for each in changes() if each.kind == value]
        if not made:
            lines.append(f"| `{value}` | {said} | | not sent in this version |")
        for each in made:
            what = ", ".join(f"`{name}`" for name in sorted(each.what))
            known = each.always | each.sometimes | COMPLETED.get(each.kind, set())
            fields = [_field(name, each) for name in order if name in known]
            lines.append(f"| `{value}` | {said} | {what} | {', '.join(fields) or 'none'} |")
    return "\n".join(lines)


def _field(name: str, made: Made) -> str:
    is_sometimes = name in made.sometimes or name in COMPLETED.get(made.kind, set())
    return f"`{name}`" + (" or null" if is_sometimes else "")


@cache
def _functions() -> tuple[tuple[ast.Module, Function], ...]:
    modules = [ast.parse(path.read_text()) for path in sorted(ROOMS.rglob("*.py"))]
    return tuple(
        (module, node)
        for module in modules
        for node in ast.walk(module)
        if isinstance(node, Function)
    )


def _calls(name: str) -> Iterator[tuple[ast.Call, Function]]:
    """Yield the calls of something by its name, each with the function that it stands in."""
    for _, function in _functions():
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and _name(node.func) == name:
                yield node, function


def _name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _texts(value: ast.expr, function: Function) -> Iterator[str]:
    """Yield the texts that an argument may be; those of a parameter stand in the callers."""
    match value:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=body, orelse=orelse):
            yield from _texts(body, function)
            yield from _texts(orelse, function)
        case ast.Name(id=name):
            for call, caller in _calls(function.name):
                yield from _texts(_argument(call, function, name), caller)
        case _:
            message = f"what is {ast.unparse(value)} in {function.name}?"
            raise ValueError(message)


def _argument(call: ast.Call, function: Function, name: str) -> ast.expr:
    named = {each.arg: each.value for each in call.keywords}
    places: Sequence[str] = [each.arg for each in function.args.args]
    return named[name] if name in named else call.args[places.index(name)]


def _may_be_none(value: ast.expr) -> bool:
    match value:
        case ast.IfExp(body=body, orelse=orelse):
            return any(isinstance(e, ast.Constant) and e.value is None for e in (body, orelse))
    return False
