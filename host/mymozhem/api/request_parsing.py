"""Parse request bodies and queries strictly, and validate them by their models."""

from collections.abc import Iterable
from typing import TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema
from quart import Request
from werkzeug.datastructures import MultiDict

from mymozhem.errors import BadRequest, Invalid, MymozhemError, TooLarge, UnsupportedMediaType
from mymozhem.manifests.strict_json import StrictJsonError, check_text, loads

from .error_handlers import invalid

T = TypeVar("T", bound=BaseModel)
#: codes of JSON that is well-formed, but that we do not store
_UNFIT = frozenset({"LONE_SURROGATE", "CONTROL_CHARACTER", "NUMBER_RANGE"})


class Body(BaseModel):
    """A JSON object from a client; unknown fields are refused."""

    model_config = ConfigDict(
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        strict=True,
        defer_build=True,
    )


class _NotNull:
    """Marks a field of a body that may be left out, but not be null."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(_require_value, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        described = handler(schema)
        options = [each for each in described.get("anyOf", ()) if each != {"type": "null"}]
        return options[0] if len(options) == 1 else described


NOT_NULL = _NotNull()


def _require_value(given: object) -> object:
    if given is None:
        code = "null"
        raise PydanticCustomError(code, "Give a value, or leave the field out.")
    return given


class Query(BaseModel):
    """The query of a URL; a name that is unknown or repeated is refused."""

    model_config = ConfigDict(
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        defer_build=True,
    )


def given_fields(body: Body, names: Iterable[str], *, may_be_null: str) -> dict[str, object]:
    """Return the fields of a PATCH that the caller gave, by their names in Python.

    `Invalid` with a pointer for each that is null, except `may_be_null`.
    """
    given = {name: getattr(body, name) for name in names if name in body.model_fields_set}
    nulls = (name for name, value in given.items() if value is None and name != may_be_null)
    problems = {
        f"/{wire_name(type(body), name)}": ["Give a value, or leave it out."] for name in nulls
    }
    if problems:
        raise Invalid(fields=problems)
    return given


def wire_name(model: type[Body], name: str) -> str:
    """Return the name of a field in JSON."""
    return model.model_fields[name].alias or to_camel(name)


async def read_bytes(request: Request, *, max_bytes: int) -> bytes:
    """Return the body; TooLarge over the limit, without reading the rest of it."""
    if (request.content_length or 0) > max_bytes:
        raise TooLarge
    data = bytearray()
    async for part in request.body:
        data += part
        if len(data) > max_bytes:
            raise TooLarge
    return bytes(data)


def read_body(request: Request, data: bytes, model: type[T]) -> T:
    """Return a body as its model; a missing body counts as an empty object.

    BadRequest if it is no JSON, UnsupportedMediaType if its content type is not JSON, `Invalid`
    with a pointer for each problem.
    """
    if not data:
        data = b"{}"
    elif request.mimetype != "application/json":
        raise UnsupportedMediaType
    try:
        loads(data, max_bytes=len(data))
    except StrictJsonError as error:
        raise refused(error) from error
    try:
        return model.model_validate_json(data, by_alias=True, by_name=False)
    except ValidationError as error:
        raise invalid(error) from None


def read_query(arguments: "MultiDict[str, str]", model: type[T]) -> T:
    """Return a query as its model; `Invalid` for an unknown or repeated name."""
    given = {}
    for name, values in arguments.lists():
        if len(values) != 1:
            raise Invalid(fields={f"/{name[:100]}": ["Give it once."]})
        given[name] = values[0]
    try:
        check_text(dict(given))
        return model.model_validate(given, by_alias=True, by_name=False)
    except StrictJsonError as error:
        raise refused(error) from error
    except ValidationError as error:
        raise invalid(error) from None


def refused(error: StrictJsonError) -> MymozhemError:
    """Convert an error of the strict parser into one of ours."""
    if error.code in _UNFIT:
        return Invalid(code=error.code, fields={error.pointer or "/": [error.message]})
    message = f"The body is no JSON that can be accepted: {error.message}."
    return BadRequest(message, code="MALFORMED_JSON", details={"problem": error.code})
