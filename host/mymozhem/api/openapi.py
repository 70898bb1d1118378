"""The OpenAPI description, made by quart-schema from the models that validate, and corrected.

quart-schema 0.25 does not say that bodies and parameters are required, puts headers of responses in
the wrong place, lets operation ids of different modules collide, and has no fixed order of tags.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Final
from weakref import CallableProxyType

from quart import Quart
from quart_schema import Info, QuartSchema, Tag
from quart_schema.openapi import (
    QUART_SCHEMA_TAG_ATTRIBUTE,
    HttpSecurityScheme,
    OpenAPIProvider,
)
from quart_schema.validation import (
    QUART_SCHEMA_QUERYSTRING_ATTRIBUTE,
    QUART_SCHEMA_REQUEST_ATTRIBUTE,
    QUART_SCHEMA_RESPONSE_ATTRIBUTE,
    DataSource,
)
from werkzeug.routing import Rule

from mymozhem.contract import JsonObject

from .error_handlers import ErrorBody
from .idempotency import Repeat
from .openapi_schemas import (
    Components,
    never_null,
    public_name,
    references,
    renamed,
    response_name,
    true_schema,
)
from .responses import Envelope, ListEnvelope
from .routes import Route, snake

ABOUT: Final = (
    "Rooms, people, prizes, winners and verifiable draws. Successes are `{data, meta}`, errors "
    "`{error: {code, message, details}}`; times are UTC with milliseconds."
)
REASONS: Final = {
    400: "The request is malformed.",
    401: "The token is missing, expired or invalid.",
    403: "The caller is known, but may not do this.",
    404: "Absent, or not visible to this caller.",
    405: "This address does not take that method; see Allow.",
    408: "The request took too long to arrive.",
    409: "Not possible in the present state; reload.",
    410: "It existed once, and is over.",
    412: "It has changed since; see If-Match.",
    413: "The request is larger than the limit.",
    415: "The content type of the body is not supported here.",
    422: "A field breaks its rule; `details.fields` maps its pointer to its problems.",
    431: "The headers of the request are larger than the limit.",
    429: "Too many requests; wait for the seconds of Retry-After.",
    500: "Something broke on our side; search the log for the request id.",
    503: "Not available now; nothing was changed. Try again in a moment.",
}
_WRITES = frozenset({"POST", "PATCH", "DELETE"})
_KEY = "mymozhem.openapi"
#: headers of successes: their names, what they say, and their types
HEADERS: Final = (
    ("X-Request-ID", ("That of the request, or a new one.", "string")),
    ("X-RateLimit-Limit", ("The requests that the caller has in a minute.", "integer")),
    ("X-RateLimit-Remaining", ("The requests that are left in this minute.", "integer")),
    ("X-RateLimit-Reset", ("The Unix time at which the next minute begins.", "integer")),
    ("X-API-Version", ("The version of the API that answers.", "string")),
    ("X-API-Latest-Version", ("The newest version of the API.", "string")),
    ("X-API-Deprecated", ("Whether the end of this version is announced.", "boolean")),
)
_COUNTED = {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}
_VERSIONED = {"X-API-Version", "X-API-Latest-Version", "X-API-Deprecated"}
CHANGED = HTTPStatus.PRECONDITION_FAILED


def install(app: Quart, routes: Iterable[Route], tags: Mapping[str, str]) -> None:
    """Let an app describe its routes on the first request; every route has its view by then."""
    app.config["QUART_SCHEMA_CONVERSION_PREFERENCE"] = "pydantic"
    app.config["QUART_SCHEMA_CONVERT_CASING"] = False
    listed = {route.endpoint: route for route in routes}
    extension = QuartSchema(
        openapi_path=None,
        info=Info(title="mymozhem", version=version("mymozhem"), description=ABOUT),
        tags=[Tag(name=name, description=about) for name, about in tags.items()],
        security_schemes={"bearer": HttpSecurityScheme(scheme="bearer", bearer_format="JWT")},
    )
    # It takes a third of a second, and most hosts never serve it.
    app.extensions[_KEY] = cache(_Provider(app, extension, listed).schema)


def openapi_document(app: Quart) -> JsonObject:
    """Return the description of an app's API, in OpenAPI 3.1.

    The first call takes long: from the event loop, call it in a thread.
    """
    document: JsonObject = app.extensions[_KEY]()
    return document


def statuses_of(route: Route) -> list[int]:
    """Return every status of a route's responses other than its success."""
    found = {400, 405, 408, 431, 500, 503} | route.refuses
    if not route.anonymous:
        found |= {401, 429}
    if route.rule.hidden or "{" in route.path:
        found |= {403, 404}
    if route.rule.needs_token:
        found.add(403)
    if route.query is not None:
        found.add(422)
    if route.method in _WRITES:
        found |= {409, 413}
    if route.takes is not None:
        found |= {413, 415, 422}
    return sorted(found)


class _Provider(OpenAPIProvider):
    """Builds the description in the order of the routes, and corrects it."""

    def __init__(self, app: Quart, extension: QuartSchema, routes: Mapping[str, Route]) -> None:
        super().__init__(app, extension)
        self._routes = routes

    def schema(self) -> dict[str, Any]:
        """Return the whole description, its parts in a stable order."""
        for route in self._routes.values():
            _annotate(self._app, route)
        document = super().schema()
        schemas = document["components"]["schemas"]
        _, errors = self.build_response_object(ErrorBody, None)
        schemas.update(errors)
        schemas["ErrorBody"] = ErrorBody.model_json_schema(
            ref_template="#/components/schemas/{model}"
        )
        schemas["ErrorBody"].pop("$defs", None)
        document["components"]["headers"] = {name: _shown_header(*each) for name, each in HEADERS}
        document["info"]["license"] = {"name": "MIT", "identifier": "MIT"}
        document["servers"] = [{"url": "/", "description": "This host."}]
        document = renamed(document)
        return self._named({**document, "paths": dict(document["paths"])})

    def _named(self, document: dict[str, Any]) -> dict[str, Any]:
        """Name the bodies and the envelopes, and describe every schema as it is."""
        known = Components()
        found = document["components"]["schemas"]
        for route in self._routes.values():
            operation = document["paths"][route.path][route.method.lower()]
            _name_body(known, operation)
            _name_success(known, route, operation)
        asked = _reached(found, known.schemas, _of_bodies(document))
        said = _reached(found, known.schemas, _of_responses(document))
        for name in sorted(asked | said):
            if name in found:
                known.add(name, true_schema(found[name], body=name not in said))
        document["components"]["schemas"] = dict(sorted(known.schemas.items()))
        return document

    def generate_rules(self) -> Iterable[Rule]:
        """Return the rules of our routes, in their order."""
        rules = {rule.endpoint: rule for rule in self._app.url_map.iter_rules()}
        return [rules[endpoint] for endpoint in self._routes]

    def build_paths(self, rule: Rule) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return one path with its corrected operation, and the schemas that it refers to."""
        route = self._routes[rule.endpoint]
        paths, components = super().build_paths(rule)
        (operation,) = next(iter(paths.values())).values()
        methods = {route.method.lower(): _corrected(route, operation)}
        return {route.path: methods}, components | _defined(route)


def _annotate(app: "Quart | CallableProxyType[Quart]", route: Route) -> None:
    """Set the annotations of a route's request and response for quart-schema."""
    view = app.view_functions[route.endpoint]
    setattr(view, QUART_SCHEMA_TAG_ATTRIBUTE, {route.tag})
    if route.takes is not None:
        setattr(view, QUART_SCHEMA_REQUEST_ATTRIBUTE, (route.takes, DataSource.JSON))
    if route.query is not None:
        setattr(view, QUART_SCHEMA_QUERYSTRING_ATTRIBUTE, route.query)
    if route.data is not None:
        envelope: Any = ListEnvelope if route.listed else Envelope
        setattr(view, QUART_SCHEMA_RESPONSE_ATTRIBUTE, {route.status: (envelope[route.data], None)})


def _corrected(route: Route, operation: dict[str, Any]) -> dict[str, Any]:
    body = operation.pop("requestBody", None)
    answers = {str(status): answer for status, answer in operation.pop("responses").items()}
    described = {
        "operationId": route.operation_id,
        "tags": [route.tag],
        "summary": operation.get("summary", ""),
        "description": operation.get("description", "").strip(),
        "parameters": _parameters(route, operation["parameters"]),
    }
    if body is not None:
        described["requestBody"] = _body(route, body)
    described["responses"] = _success(route, answers) | {
        str(status): _refusal(status) for status in statuses_of(route)
    }
    described["security"] = _security(route)
    return described


def _security(route: Route) -> list[dict[str, list[str]]]:
    if route.anonymous:
        return []
    return [{"bearer": []}] if route.rule.needs_token else [{}, {"bearer": []}]


def _body(route: Route, body: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a request: JSON, or one of the media types for uploads."""
    uploads = {media: {"schema": {"type": "string"}} for media in route.uploads}
    content = {**body["content"], **uploads}
    return {**body, "content": content, "required": _needs_body(route)}


def _needs_body(route: Route) -> bool:
    takes = route.takes
    return takes is not None and any(each.is_required() for each in takes.model_fields.values())


def _parameters(route: Route, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = {snake(name): name for name in _names(route.path)}
    parameters = []
    for each in found:
        if each["in"] == "path":
            schema = {"type": "string", "minLength": 1, "maxLength": 128}
            parameters.append({**each, "name": names[each["name"]], "schema": schema})
        else:
            required = "default" not in each["schema"]
            schema = never_null(true_schema(each["schema"]))
            parameters.append({**each, "schema": schema, "required": required})
    return parameters + [_header(*each) for each in _headers(route)]


def _names(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def _headers(route: Route) -> list[tuple[str, str, str]]:
    found = [
        (
            "X-Request-ID",
            "Returned in the response, and written to the log.",
            "^[A-Za-z0-9._-]{1,64}$",
        )
    ]
    if route.method == "POST" and route.repeat is not Repeat.FREE:
        about = "For a day, the same key gives the same response, and one effect."
        found.append(("Idempotency-Key", about, "^[!-~]{1,128}$"))
    if CHANGED in route.refuses:
        found.append(
            ("If-Match", "The ETag of the version that the client read.", r'^(\*|"v[0-9]{1,15}")$')
        )
    return found


def _header(name: str, about: str, pattern: str) -> dict[str, Any]:
    schema = {"type": "string", "pattern": pattern}
    return {"name": name, "in": "header", "required": False, "description": about, "schema": schema}


def _success(route: Route, answers: dict[str, Any]) -> dict[str, Any]:
    if route.produces is not None:
        media = route.produces.partition(";")[0]
        content: dict[str, Any] = {media: {"schema": _shape(route)}}
        told = {"description": "Done.", "content": content, "headers": _response_headers(route)}
        return {str(route.status): told}
    answer = dict(answers[str(route.status)])
    answer["description"] = "Done."
    answer["headers"] = _response_headers(route)
    if route.files:
        answer["content"] = _with_files(answer["content"])
    if CHANGED in route.refuses or route.endpoint == "GET /rooms/{id}":
        etag = {"schema": {"type": "string"}, "description": "For If-Match."}
        answer["headers"] = {"ETag": etag, **answer["headers"]}
    return {str(route.status): answer}


def _with_files(content: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a list: a page of it as JSON, or all of it as a file."""
    part = content["application/json"]["schema"]
    meta = {
        "type": "object",
        "properties": {"total": {"type": "integer"}},
        "required": ["total"],
        "additionalProperties": False,
    }
    properties = {"data": part["properties"]["data"], "meta": meta}
    whole = {"type": "object", "properties": properties, "required": ["data", "meta"]}
    media = {"application/json": {"schema": {"anyOf": [part, whole]}}}
    return media | {"text/csv": {"schema": {"type": "string"}}}


def _refusal(status: int) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}}
    answer: dict[str, Any] = {"description": REASONS[status], "content": content}
    if status in (429, 503):
        answer["headers"] = {
            "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."}
        }
    return answer


def _response_headers(route: Route) -> dict[str, Any]:
    """Return the headers that every success of a route has."""
    counted = set() if route.anonymous else _COUNTED
    versioned = _VERSIONED if route.path.startswith("/api/v") else set()
    return {
        name: {"$ref": f"#/components/headers/{name}"}
        for name, _ in HEADERS
        if name == "X-Request-ID" or name in counted or name in versioned
    }


def _shown_header(about: str, kind: str) -> dict[str, Any]:
    return {"description": about, "schema": {"type": kind}}


def _defined(route: Route) -> dict[str, Any]:
    """Return the schemas that the shape of a response refers to."""
    if not isinstance(route.shape, type):
        return {}
    prefix = public_name(route.shape.__name__) if route.enveloped else ""
    whole = route.shape.model_json_schema(
        ref_template=f"#/components/schemas/{prefix}{{model}}", mode="validation"
    )
    parts: dict[str, Any] = whole.pop("$defs", {})
    named = {prefix + name: schema for name, schema in parts.items()}
    return {**named, route.shape.__name__: whole}


def _shape(route: Route) -> dict[str, Any]:
    """Return the schema of a response that is not made from a view."""
    if isinstance(route.shape, type):
        data = {"$ref": f"#/components/schemas/{route.shape.__name__}"}
        return _envelope(data) if route.enveloped else data
    return dict(route.shape or {"type": "string"})


def _envelope(data: dict[str, Any]) -> dict[str, Any]:
    meta = {"$ref": "#/components/schemas/Meta"}
    properties = {"data": data, "meta": meta}
    return {"type": "object", "properties": properties, "required": ["data", "meta"]}


def _name_body(known: Components, operation: dict[str, Any]) -> None:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is not None and "title" in content["schema"]:
        schema = content["schema"]
        content["schema"] = known.add(
            public_name(schema["title"].partition("[")[0]), true_schema(schema, body=True)
        )


def _name_success(known: Components, route: Route, operation: dict[str, Any]) -> None:
    content = operation["responses"][str(route.status)]["content"].get("application/json")
    if content is None or "$ref" in content["schema"]:
        return
    schema = content["schema"]
    if route.files:
        page, whole = (true_schema(each) for each in schema["anyOf"])
        name = response_name(page["properties"]["data"], listed=True, fallback=route.operation_id)
        refs = [known.add(name, page), known.add(f"{name.removesuffix('Page')}File", whole)]
        content["schema"] = {"anyOf": refs}
        return
    if "data" not in schema.get("properties", {}):
        content["schema"] = true_schema(schema)
        return
    clean = true_schema(schema)
    name = response_name(
        clean["properties"]["data"], listed=route.listed, fallback=route.operation_id
    )
    content["schema"] = known.add(name, clean)


def _of_bodies(document: dict[str, Any]) -> set[str]:
    operations = (each for methods in document["paths"].values() for each in methods.values())
    return {
        name
        for each in operations
        for part in (each.get("requestBody", {}), each["parameters"])
        for name in references(part)
    }


def _of_responses(document: dict[str, Any]) -> set[str]:
    operations = (each for methods in document["paths"].values() for each in methods.values())
    return {name for each in operations for name in references(each["responses"])}


def _reached(found: dict[str, Any], named: dict[str, Any], start: set[str]) -> set[str]:
    """Return the names of all schemas that these refer to, directly or not."""
    seen: set[str] = set()
    waiting = set(start)
    while waiting:
        name = waiting.pop()
        seen.add(name)
        waiting |= set(references(named.get(name) or found[name])) - seen
    return seen
