"""Values of a text import: the request, the parsed value, and the resulting settings."""

import re
from dataclasses import dataclass
from enum import StrEnum

from pydantic import JsonValue

from mymozhem.contract import ImportProblem, JsonObject
from mymozhem.contract.hooks import IMPORT_SETTINGS
from mymozhem.errors import Invalid, NotFound, TooLarge
from mymozhem.manifests.model import Manifest
from mymozhem.rooms.core.uploaded_text import decode_text

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

    `charset` is the encoding that an upload names, if any. `preview` stores nothing; `strict`
    stores nothing if a line could not be parsed.
    """

    setting: str
    format: str
    text: str | bytes
    mode: ImportMode = ImportMode.REPLACE
    preview: bool = False
    strict: bool = False
    charset: str | None = None


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


def require_small(text: str | bytes) -> None:
    """Raise TooLarge if a text has more than 1 MiB."""
    size = len(text if isinstance(text, bytes) else text.encode(errors="replace"))
    if size > MAX_TEXT_BYTES:
        message = f"The text has {size} bytes; at most {MAX_TEXT_BYTES} are read."
        raise TooLarge(message)


def readable(wish: TextImport, locale: str) -> str:
    """Return text in a form that an app may receive; TooLarge over 1 MiB.

    `decode_text` decodes bytes, by the language of the room. Bytes that have no meaning and control
    characters become U+FFFD, so that the app can report their line.
    """
    given = wish.text
    if isinstance(given, bytes):
        text = decode_text(given, charset=wish.charset, locale=locale).text
    else:
        text = given.encode(errors="replace").decode("utf-8-sig")
    require_small(text)
    return _CONTROL.sub("\ufffd", text)


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
