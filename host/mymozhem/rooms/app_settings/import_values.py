"""Values of a text import: the request, the parsed value, and the resulting settings."""

import re
from dataclasses import dataclass
from enum import StrEnum

from pydantic import JsonValue

from mymozhem.contract import ImportProblem, JsonObject
from mymozhem.contract.hooks import IMPORT_SETTINGS
from mymozhem.errors import Invalid, NotFound, TooLarge
from mymozhem.manifests.model import Manifest

from .update import complete_settings

MAX_TEXT_BYTES = 1024 * 1024
#: what no text of ours may hold; see `mymozhem.manifests.strict_json`
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


class ImportMode(StrEnum):
    """How the parsed value is stored."""

    REPLACE = "replace"  #: it is the setting
    APPEND = "append"  #: its items follow those that the setting has; for lists


@dataclass(frozen=True)
class TextImport:
    """Text for a setting, in a format that the manifest names for it; see `readable` for bytes.

    `preview` stores nothing; `strict` stores nothing if a line could not be parsed.
    """

    setting: str
    format: str
    text: str | bytes
    mode: ImportMode = ImportMode.REPLACE
    preview: bool = False
    strict: bool = False


@dataclass(frozen=True)
class Imported:
    """The result of an import; `problems` name the lines that the app could not parse.

    `value` is the parsed value, as far as organizers may see the setting; None unless a preview was
    requested. `imported` counts its items, None if it is no list.
    """

    setting: str
    value: JsonValue
    imported: int | None
    problems: tuple[ImportProblem, ...]
    saved: bool


def readable(given: str | bytes) -> str:
    """Return text in a form that an app may receive; TooLarge over 1 MiB.

    Bytes are read as UTF-8, with or without a byte order mark. Other bytes and control characters
    become U+FFFD, so that the app can report their line.
    """
    data = given if isinstance(given, bytes) else given.encode(errors="replace")
    if len(data) > MAX_TEXT_BYTES:
        message = f"The text has {len(data)} bytes; at most {MAX_TEXT_BYTES} are read."
        raise TooLarge(message)
    return _CONTROL.sub("\ufffd", data.decode("utf-8-sig", errors="replace"))


def require_known_import(manifest: Manifest, wish: TextImport) -> None:
    """Raise NotFound, which names the known ones, for an unknown setting or format."""
    taken = IMPORT_SETTINGS.capability in manifest.capabilities
    known = manifest.imports if taken else {}
    formats = known.get(wish.setting, ())
    if wish.format in formats:
        return
    if formats:
        message = f"{wish.setting!r} is imported from {', '.join(formats)}; name one of these."
    else:
        others = f"; there are imports of {', '.join(sorted(known))}" if known else ""
        message = f"The app has no import of {wish.setting!r}{others}."
    raise NotFound(message, code="IMPORT_UNKNOWN", details={"formats": list(formats)})


def settings_with(
    manifest: Manifest, before: JsonObject, wish: TextImport, value: JsonValue
) -> JsonObject:
    """Return complete, valid settings with the parsed value; see `complete_settings`.

    Raises Invalid if a value should be appended to something that is no list.
    """
    if wish.mode is ImportMode.APPEND:
        there = before.get(wish.setting, [])
        if not isinstance(there, list) or not isinstance(value, list):
            fields = {"/mode": ["Only to a list something can be appended."]}
            raise Invalid(code="IMPORT_NOT_A_LIST", fields=fields)
        value = [*there, *value]
    return complete_settings(manifest, before | {wish.setting: value})
