"""Manifests of older versions, from documents, files or wheels; no code runs."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import semver
from pydantic import JsonValue, ValidationError

from mymozhem.contract.byte_order_marks import as_utf_8
from mymozhem.manifests.model import Manifest
from mymozhem.manifests.strict_json import StrictJsonError, loads
from mymozhem.manifests.validate import MAX_MANIFEST_BYTES

Older = Mapping[str, JsonValue] | str | Path


class NotOlder(ValueError):
    """This is not the manifest of an older version of the app; the message says why."""


def older_manifest(given: Older, newest: Manifest, *, app_id: str) -> Manifest:
    """Return the manifest of an older version of the app that `newest` is of; raises `NotOlder`.

    A path leads to a manifest, or to a wheel with a `manifest.json` in one of its packages.
    """
    name = "a manifest" if isinstance(given, Mapping) else str(given)
    document = dict(given) if isinstance(given, Mapping) else _read(Path(given), app_id)
    try:
        manifest = Manifest.of(document, registered_as=app_id)
        is_older = _version(manifest) < _version(newest)
    except (ValidationError, ValueError) as error:
        raise NotOlder(f"{name} is no manifest: {error}") from error
    if manifest.id != app_id:
        raise NotOlder(f"{name} is of {manifest.id}, not of {app_id}")
    if not is_older:
        raise NotOlder(f"{name} is of {manifest.version}, not older than {newest.version}")
    return manifest


def _read(path: Path, app_id: str) -> dict[str, JsonValue]:
    if not path.exists():
        raise NotOlder(f"there is no {path}")
    if not zipfile.is_zipfile(path):
        return _document(path.read_bytes(), path)
    with zipfile.ZipFile(path) as wheel:
        names = [name for name in wheel.namelist() if Path(name).name == "manifest.json"]
        found = [_document(wheel.read(name), path) for name in names]
    own = [each for each in found if each.get("id", app_id) == app_id]
    if len(own) != 1:
        message = f"{path} holds {len(own)} files manifest.json of {app_id}; give the manifest"
        raise NotOlder(message)
    return own[0]


def _document(data: bytes, path: Path) -> dict[str, JsonValue]:
    try:
        document = loads(as_utf_8(data), max_bytes=MAX_MANIFEST_BYTES)
    except StrictJsonError as error:
        raise NotOlder(f"{path} is no manifest: {error}") from error
    if not isinstance(document, dict):
        raise NotOlder(f"{path} is no manifest: it is no object")
    return document


def _version(manifest: Manifest) -> semver.Version:
    return semver.Version.parse(manifest.version)
