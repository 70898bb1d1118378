"""Every error code that the host's source raises, with its status and its sentence."""

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType

import mymozhem
from mymozhem.api import error_handlers as answers
from mymozhem.api import request_parsing
from mymozhem.dispatch.outcome import FailureKind
from mymozhem.errors import MymozhemError
from tests.docs.schema_tables import members

#: no request meets them: they end a command, or a start
_NOT_OVER_HTTP = frozenset(
    {
        "ALREADY_RUNNING",
        "DATABASE_URL_REFUSED",
        "KEYS_REFUSED",
        "NO_SEPARATE_USER",
        "SEAL_BROKEN",
        "VERSION_IMMUTABLE",
    }
)
_SKIPPED = ("mymozhem.cli", "mymozhem.migrations", "mymozhem.demo", "mymozhem.testing",
            "mymozhem.__main__")  # fmt: skip


@dataclass(frozen=True, order=True)
class Code:
    """A code, the status that it comes with, and a sentence that is said with it."""

    status: int
    code: str
    sentence: str


@cache
def codes() -> tuple[Code, ...]:
    """Return every code once, by status and name."""
    found: dict[str, Code] = {}
    for each in [*_failures(), *_defaults(), *_raised(), *_from_server(), *_unfit()]:
        if each.code not in _NOT_OVER_HTTP:
            found.setdefault(each.code, each)
    return tuple(sorted(found.values()))


def _modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(mymozhem.__path__, "mymozhem."):
        if not found.name.startswith(_SKIPPED):
            yield importlib.import_module(found.name)


def _defaults() -> Iterator[Code]:
    """Yield the code that each class has by itself."""
    list(_modules())
    for kind in _below(MymozhemError):
        if "default_code" in vars(kind) and kind.__module__.startswith("mymozhem."):
            yield Code(kind.status, kind.default_code, _first_line(kind))


def _below(kind: type[MymozhemError]) -> Iterator[type[MymozhemError]]:
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)


def _raised() -> Iterator[Code]:
    """Yield the codes that stand where errors are raised."""
    for module in _modules():
        tree = ast.parse(inspect.getsource(module))
        for scope in ast.walk(tree):
            if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
                yield from _in_function(module, scope)


def _in_function(
    module: ModuleType, scope: ast.FunctionDef | ast.AsyncFunctionDef
) -> Iterator[Code]:
    said = [
        (node.lineno, node.targets[0].id, _text(node.value))
        for node in ast.walk(scope)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    ]
    for node in ast.walk(scope):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                kind = getattr(module, name, None)
        code = _code_of(node)
        if code is None or not isinstance(node, ast.Call):
            continue
        if not (inspect.isclass(kind) and issubclass(kind, MymozhemError)):
            continue
        first = node.args[0] if node.args else None
        sentence = _text(first)
        if isinstance(first, ast.Name):
            above = [
                (line, text) for line, name, text in said if name == first.id and line < node.lineno
            ]
            sentence = max(above, default=(0, ""))[1]
        yield Code(kind.status, code, sentence or _first_line(kind))


def _code_of(node: ast.AST) -> str | None:
    if isinstance(node, ast.Call):
        for keyword in node.keywords:
            if keyword.arg == "code" and isinstance(keyword.value, ast.Constant):
                return str(keyword.value.value)
    return None


def _text(node: ast.AST | None) -> str:
    """Return a text of the source; what it puts in at run time as `…`."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part) if isinstance(part, ast.Constant) else "…" for part in parts)
    return ""


def _from_server() -> Iterator[Code]:
    for status, (code, sentence) in answers._CODES.items():  # noqa: SLF001 - it is the table
        yield Code(status, code, sentence)


def _failures() -> Iterator[Code]:
    """Yield what a caller reads when an app failed."""
    for code, sentence in members(FailureKind):
        yield Code(503, code, sentence[:1].upper() + sentence[1:] + ".")


def _unfit() -> Iterator[Code]:
    """Yield what is said of JSON that is well-formed and cannot be stored."""
    for code in sorted(request_parsing._UNFIT):  # noqa: SLF001 - it is the list
        yield Code(422, code, "A value cannot be stored; `details.fields` says where and why.")


def _first_line(kind: type) -> str:
    return (kind.__doc__ or "").split("\n", 1)[0]
