"""Checks an app's documents: the manifest's texts, the README, the changelog."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from pydantic import JsonValue

from mymozhem.contract import JsonObject
from mymozhem.contract.byte_order_marks import text_of

from .report import Finding, Level, found

AREA = "documentation"
_TEXTS = ("title", "description")
_CHANGES = "CHANGELOG.md"


def look_at_texts(document: JsonObject) -> Iterator[Finding]:
    """Yield the findings about the texts of a valid manifest."""
    untitled = tuple(_lacking(document, "title"))
    yield found(AREA, "Every setting, action and event has a title.", untitled)
    silent = tuple(_lacking(document, "description"))
    sentence = "Every setting, action and event says what it is for."
    yield found(AREA, sentence, silent, otherwise=Level.REMARK)
    locales = _object(document, "locales")
    if locales:
        missing = tuple(_untranslated(document, locales))
        yield found(AREA, "Every text is there in every language.", missing)


def look_at_project(document: JsonObject, folder: Path) -> Iterator[Finding]:
    """Yield the findings about the files of an app's project."""
    yield found(AREA, "A README says what the app does.", tuple(_of_readme(folder)))
    readme = _readme(folder)
    if readme is not None:
        sentence = "The README names every setting, action and event."
        yield found(AREA, sentence, tuple(_unnamed(document, readme)), otherwise=Level.REMARK)
    if not (folder / _CHANGES).is_file():
        unsaid = f"There is no {_CHANGES}: say what changed, the newest version first."
        yield Finding(AREA, Level.REMARK, "The changelog describes each version.", (unsaid,))
    versions = tuple(_of_versions(document, folder))
    yield found(AREA, "Package, manifest and changes name one version.", versions)


def _declared(document: JsonObject) -> Iterator[tuple[str, JsonValue]]:
    """Yield every setting, action and event by its JSON Pointer."""
    settings = _object(_object(document, "settings"), "properties")
    for part, named in (
        ("/settings/properties", settings),
        ("/actions", _object(document, "actions")),
        ("/events", _object(document, "events")),
    ):
        for name, said in named.items():
            yield f"{part}/{_escaped(name)}", said


def _lacking(document: JsonObject, text: str) -> Iterator[str]:
    for pointer, said in _declared(document):
        if not (isinstance(said, dict) and said.get(text)):
            yield f"{pointer} has no {text}."


def _untranslated(document: JsonObject, locales: JsonObject) -> Iterator[str]:
    needed = {pointer for pointer, said in _declared(document) for pointer in _texts(said, pointer)}
    for language, known in sorted(locales.items()):
        for pointer in sorted(needed - (known.keys() if isinstance(known, dict) else set())):
            yield f"{language} lacks {pointer}."


def _texts(said: JsonValue, pointer: str) -> Iterator[str]:
    """Yield the pointers of titles and descriptions in a part of a manifest, at any depth."""
    if not isinstance(said, dict):
        return
    for name, child in said.items():
        here = f"{pointer}/{_escaped(name)}"
        if name in _TEXTS and isinstance(child, str):
            yield here
        yield from _texts(child, here)


def _of_readme(folder: Path) -> Iterator[str]:
    text = _readme(folder)
    if text is None:
        yield "There is no README.md: say what the app does, and how to install it."
    elif not text.strip():
        yield "README.md is empty."


def _unnamed(document: JsonObject, readme: str) -> Iterator[str]:
    for pointer, _ in _declared(document):
        name = pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
        if f"`{name}`" not in readme:
            yield f"README.md does not mention `{name}`."


def _of_versions(document: JsonObject, folder: Path) -> Iterator[str]:
    version = _object(document, "meta").get("version")
    project = tomllib.loads(text_of((folder / "pyproject.toml").read_bytes()))
    packaged = project.get("project", {}).get("version")
    if packaged is not None and packaged != version:
        yield f"pyproject.toml says {packaged}, and the manifest {version}."
    changes = folder / _CHANGES
    if not changes.is_file():
        return
    heads = re.findall(r"^## \[?v?([0-9][^\]\s]*)", text_of(changes.read_bytes()), re.MULTILINE)
    if heads[:1] != [version]:
        newest = f"begins with {heads[0]}" if heads else "names no version"
        yield f"{_CHANGES} {newest}: begin it with a line “## {version}”."


def _readme(folder: Path) -> str | None:
    for name in ("README.md", "README.rst", "README.txt", "README"):
        if (folder / name).is_file():
            return text_of((folder / name).read_bytes())
    return None


def _object(parent: JsonObject, name: str) -> JsonObject:
    said = parent.get(name)
    return said if isinstance(said, dict) else {}


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
