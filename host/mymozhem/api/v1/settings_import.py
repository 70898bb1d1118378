"""Import settings from text: in a JSON body, or uploaded."""

from typing import Annotated

from pydantic import JsonValue
from quart import request

from mymozhem.api.query_models import ImportQuery
from mymozhem.api.request_models import ImportSettingBody
from mymozhem.api.request_parsing import read_body
from mymozhem.api.request_pipeline import RequestContext
from mymozhem.api.routes import Routes
from mymozhem.errors import Invalid, UnsupportedMediaType
from mymozhem.rooms.app_settings.import_text import import_setting
from mymozhem.rooms.app_settings.import_values import Imported, TextImport
from mymozhem.rooms.views.base import View

routes = Routes("rooms", "Rooms: create, find, change and play them.")
#: larger than the limit of the text, because JSON escapes it and adds fields
IMPORT_BYTES = 1536 * 1024
UPLOADS = ("text/plain", "text/csv")
Upload = Annotated[bytes, *UPLOADS]


class LineProblemView(View):
    """A line that could not be read; lines count from 1."""

    line: int
    code: str
    message: str


class ImportView(View):
    """The result of an import.

    `value` is only present in a preview. `imported` is only present if the value is a list: it
    counts its items.
    """

    setting: str
    saved: bool
    problems: list[LineProblemView]
    imported: int | None = None
    value: JsonValue = None


@routes.add("POST /rooms/{id}/import/{setting}", max_bytes=IMPORT_BYTES, takes=ImportSettingBody)
async def import_a_setting(
    context: RequestContext, id: str, setting: str, query: ImportQuery, raw: Upload
) -> ImportView:
    """Let the room's app parse text, and store the result as a setting.

    The text is a field of a JSON body, or the whole body as text/plain or text/csv; its format is
    then in the query. Lines that cannot be read are reported and left out.
    """
    wish = _uploaded(setting, query, raw) if _is_upload() else _pasted(setting, query, raw)
    return _seen(await import_setting(context.services, id, context.caller, wish), wish)


def _is_upload() -> bool:
    if request.mimetype in UPLOADS:
        return True
    if request.mimetype in ("application/json", ""):
        return False
    message = f"Send JSON, or the text itself as {' or '.join(UPLOADS)}."
    raise UnsupportedMediaType(message)


def _pasted(setting: str, query: ImportQuery, raw: bytes) -> TextImport:
    if query.model_fields_set:
        problems = {f"/{name}": ["Give it in the body."] for name in sorted(query.model_fields_set)}
        raise Invalid(fields=problems)
    body = read_body(request, raw, ImportSettingBody)
    return TextImport(setting=setting, **dict(body))


def _uploaded(setting: str, query: ImportQuery, raw: bytes) -> TextImport:
    if query.format is None:
        raise Invalid(fields={"/format": ["Name the format of the text."]})
    return TextImport(
        setting=setting,
        format=query.format,
        text=raw,
        mode=query.mode,
        preview=query.preview,
        strict=query.strict,
        charset=request.mimetype_params.get("charset"),
    )


def _seen(done: Imported, wish: TextImport) -> ImportView:
    problems = [
        LineProblemView(line=each.line, code=each.code, message=each.message)
        for each in done.problems
    ]
    seen = ImportView(setting=done.setting, saved=done.saved, problems=problems)
    more: dict[str, JsonValue] = {}
    if done.imported is not None:
        more["imported"] = done.imported
    if wish.preview:
        more["value"] = done.value
    return seen.model_copy(update=more)
