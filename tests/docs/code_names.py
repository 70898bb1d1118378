"""Paths, names and commands of the code that a page of prose mentions, and which do not exist.

What stands in backticks in the prose of a page is

a path        `rooms/effects.py`, `tests/api/`: below the repository, or below `host/mymozhem`
a name        `perform`, `Dispatcher.call`: defined in the host, or in a file that the page names
a command     `make lint`, `python -m tests.docs.write`: a target of the Makefile, a module

Names that share the cell of a table with paths have to be defined in one of these files.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from tests.docs.blocks import ROOT, blocks, prose

HOST = ROOT / "host" / "mymozhem"
_CODE = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(r"[\w.*{},-]+(?:/[\w.*{},-]+)*(?:/|\.(?:py|md|toml|lock|json))|\.ci/[\w-]+")
_NAME = re.compile(r"_*[A-Za-z]\w*(?:\.\w+)*")
_MAKE = re.compile(r"\bmake ([a-z][a-z-]*)")
_MODULE = re.compile(r"python -m ((?:tests|mymozhem)(?:\.\w+)+)")


def missing(page: Path, *, known: Iterable[str] = ()) -> list[str]:
    """Return what a page mentions and the code does not have; `known` are words of other things."""
    text = prose(page)
    paths = [code for code in _CODE.findall(text) if _PATH.fullmatch(code)]
    files = [file for path in paths for file in files_of(path)]
    words = {*known, *defined(HOST.rglob("*.py")), *defined(files)}
    found = [path for path in paths if not files_of(path)]
    found += [name for name in _names(text) if name not in words and not _is_module(name)]
    found += list(_missing_in_cells(text, set(known)))
    return sorted({*found, *_missing_commands(page)})


def files_of(path: str) -> list[Path]:
    """Return the files that a path names, below the repository or below the host's package."""
    for root in (ROOT, HOST):
        found = sorted(root.glob(path.rstrip("/")))
        if found:
            return [
                file
                for each in found
                for file in (sorted(each.rglob("*")) if each.is_dir() else [each])
                if file.is_file()
            ]
    return []


def defined(files: Iterable[Path]) -> set[str]:
    """Return every name that files of Python define, and `Class.member` and `module.name`."""
    return {name for file in files if file.suffix == ".py" for name in _defined_in(file)}


@cache
def _defined_in(file: Path) -> frozenset[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    module = file.parent.name if file.stem == "__init__" else file.stem
    found = {module}
    for name in _members(tree):
        found |= {name, f"{module}.{name}"}
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=owner):
                found |= {f"{owner}.{name}" for name in _members(node)}
                found |= set(_members(node))
            case ast.FunctionDef(args=args) | ast.AsyncFunctionDef(args=args):
                found |= {each.arg for each in [*args.posonlyargs, *args.args, *args.kwonlyargs]}
    return frozenset(found)


def _members(scope: ast.Module | ast.ClassDef) -> Iterator[str]:
    """Yield what a module or a class defines: functions, classes, values, attributes of self."""
    for node in scope.body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name):
                yield name
            case ast.Assign(targets=targets):
                yield from (each.id for each in targets if isinstance(each, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name


def _names(text: str) -> Iterator[str]:
    for code in _CODE.findall(text):
        if _NAME.fullmatch(code) and not _PATH.fullmatch(code):
            yield code


def _missing_in_cells(text: str, known: set[str]) -> Iterator[str]:
    for line in text.splitlines():
        for cell in line.split("|") if line.startswith("|") else ():
            paths = [code for code in _CODE.findall(cell) if _PATH.fullmatch(code)]
            files = [file for path in paths for file in files_of(path)]
            if files:
                there = defined(files)
                yield from (
                    f"{name} in {', '.join(paths)}"
                    for name in _names(cell)
                    if name not in there | known
                )


def _missing_commands(page: Path) -> Iterator[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    shell = "\n".join(block.text for block in blocks(page) if block.language == "sh")
    commands = "\n".join([*_CODE.findall(prose(page)), shell])
    yield from (f"make {each}" for each in _MAKE.findall(commands) if each not in targets)
    yield from (each for each in _MODULE.findall(commands) if not _is_module(each))


def _is_module(name: str) -> bool:
    path = name.removeprefix("mymozhem.").replace(".", "/")
    return any((root / f"{path}.py").is_file() or (root / path).is_dir() for root in (ROOT, HOST))
