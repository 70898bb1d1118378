"""Checks of the API: routes against the access table, the OpenAPI document, and the settings."""

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from mymozhem.api.openapi import openapi_document
from mymozhem.api.v1 import ROUTES
from mymozhem.app import create_app
from mymozhem.auth.access_table import ACCESS
from mymozhem.config import Settings

from . import Check, holds, same

_METHODS = frozenset({"get", "post", "patch", "put", "delete"})


def check_access() -> Iterator[Check]:
    """Check that every route has a row, every row a route, and that no row is empty."""
    routes = [route.endpoint for route in ROUTES]
    yield same("routes: each once", [name for name, n in Counter(routes).items() if n > 1], [])
    for endpoint in routes:
        yield holds(f"{endpoint}: has a row", endpoint in ACCESS, "no row in the table of access")
    for endpoint, rule in ACCESS.items():
        yield holds(f"{endpoint}: is served", endpoint in routes, "a row without a route")
        yield holds(f"{endpoint}: lets somebody in", rule.callers, "nobody may call it")


def check_openapi() -> Iterator[Check]:
    """Check the OpenAPI document: one operation for each route, and no broken reference."""
    with tempfile.TemporaryDirectory(prefix="mymozhem-check-") as folder:
        settings = Settings(data_dir=Path(folder), database_url=None, environment="test")
        document = openapi_document(create_app(settings))
    yield holds("openapi: 3.1", str(document["openapi"]).startswith("3.1"), "another version")
    operations = dict(_operations(document))
    routes = {f"{route.method} {route.path}" for route in ROUTES}
    yield same("openapi: describes every route", sorted(operations), sorted(routes))
    ids = Counter(each.get("operationId") for each in operations.values())
    yield same("openapi: ids are unique", [name for name, n in ids.items() if n > 1], [])
    for name, operation in operations.items():
        yield from _described(name, operation)
    yield from _schemas(document)
    missing = sorted(ref for ref in set(_references(document)) if not _leads(document, ref))
    yield same("openapi: every reference leads somewhere", missing, [])


def check_settings() -> Iterator[Check]:
    """Check that every setting has a description and a default."""
    for name, field in Settings.model_fields.items():
        sentence = field.description or ""
        yield holds(f"setting {name}: is documented", sentence.endswith("."), "no sentence")
        yield holds(f"setting {name}: has a default", not field.is_required(), "none")


def _described(name: str, operation: Mapping[str, Any]) -> Iterator[Check]:
    yield holds(f"{name}: has a summary", operation.get("summary"), "none")
    answers = operation.get("responses", {})
    good = [status for status in answers if status.startswith("2")]
    yield holds(f"{name}: says what success is", good, "no 2xx")
    yield holds(f"{name}: says how it fails", {"400", "500"} <= answers.keys(), "no 400 or 500")


def _schemas(document: Mapping[str, Any]) -> Iterator[Check]:
    for name, schema in document["components"]["schemas"].items():
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            yield Check(f"openapi {name}: a schema", error.message)
        else:
            yield Check(f"openapi {name}: a schema", None)


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in _METHODS:
                yield f"{method.upper()} {path}", operation


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for each in node.values():
            yield from _references(each)
    elif isinstance(node, list):
        for each in node:
            yield from _references(each)


def _leads(document: Mapping[str, Any], reference: str) -> bool:
    node: Any = document
    for part in reference.removeprefix("#/").split("/"):
        if not isinstance(node, dict) or part not in node:
            return False
        node = node[part]
    return reference.startswith("#/")
