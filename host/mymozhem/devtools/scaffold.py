"""Creates the project of a new app: the template's files with the app's names in them."""

import json
from enum import StrEnum
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from mymozhem.errors import Conflict

from .project_names import Names

_SUFFIX = ".tmpl"
#: a file with this name would take effect in the template itself
_HIDDEN = {"gitignore": ".gitignore"}


class Language(StrEnum):
    """The language of a remote app; its project needs nothing of the platform."""

    PYTHON = "python"
    TYPESCRIPT = "typescript"


def write_project(
    names: Names, folder: Path, *, remote: Language | None = None
) -> tuple[Path, ...]:
    """Write a project into an empty or missing folder; return its files, sorted.

    It is a plugin, or a remote app in a language. Raises `Conflict` if the folder is not empty;
    nothing is changed then.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Conflict(
            f"{folder} is there already, and not empty: choose another name, or another folder "
            "with --into.",
            code="FOLDER_TAKEN",
        )
    words = {
        "id": names.id,
        "slug": names.slug,
        "module": names.module,
        "distribution": names.distribution,
        "title": names.title,
        "host": _hosts(version("mymozhem")),
    }
    home = files(__package__)
    if remote is None:
        return tuple(sorted(_written(home / "template", folder, words)))
    written = _written(home / f"template_{remote}", folder, words)
    manifest = home / "template" / "src" / "__module__" / "manifest.json.tmpl"
    target = folder / "manifest.json"
    target.write_text(_remote_manifest(filled(manifest.read_text(encoding="utf-8"), words)))
    return tuple(sorted([*written, target]))


def _remote_manifest(text: str) -> str:
    """Return the manifest of the plugin's template as that of a remote app."""
    document = json.loads(text)
    remote = {"baseUrl": "https://app.example.org", "webhooks": "/hooks"}
    return json.dumps({**document, **remote}, indent=2, ensure_ascii=False) + "\n"


def _hosts(installed: str) -> str:
    """Return the range of platform versions for a project, from the installed one on."""
    major, minor, *_ = installed.split(".")
    return f">={major}.{minor},<{int(major) + 1}"


def filled(text: str, words: dict[str, str]) -> str:
    """Return a text with each `{{name}}` replaced by its word."""
    for name, word in words.items():
        text = text.replace(f"{{{{{name}}}}}", word)
    return text


def _written(template: Traversable, folder: Path, words: dict[str, str]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for entry in template.iterdir():
        name = entry.name.removesuffix(_SUFFIX).replace("__module__", words["module"])
        target = folder / _HIDDEN.get(name, name)
        if entry.is_dir():
            written += _written(entry, target, words)
        elif entry.name.endswith(_SUFFIX):
            target.write_text(filled(entry.read_text(encoding="utf-8"), words), encoding="utf-8")
            written.append(target)
    return written
