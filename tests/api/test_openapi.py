"""The description of the API: valid, complete, stable."""

import re
from dataclasses import replace

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from mymozhem.api import mount
from mymozhem.api.openapi import openapi_document
from mymozhem.api.openapi_schemas import Components, NameTaken, references
from mymozhem.api.v1 import ROUTES, TAGS
from mymozhem.app import create_app
from mymozhem.auth.access_table import ACCESS
from mymozhem.config import Settings
from tests.support.api_host import ApiHost


def described(tmp_path):
    return openapi_document(create_app(Settings(data_dir=tmp_path, environment="test")))


def operations(document):
    return [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_the_document_is_valid_openapi_3_1(tmp_path):
    document = described(tmp_path)
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def test_every_row_of_access_is_described_once(tmp_path):
    found = {f"{method.upper()} {path}" for path, method, _ in operations(described(tmp_path))}
    assert found == {f"{route.method} {route.path}" for route in ROUTES}
    assert {route.endpoint for route in ROUTES} == set(ACCESS)


def test_operation_ids_are_unique_and_tags_keep_their_order(tmp_path):
    document = described(tmp_path)
    ids = [operation["operationId"] for *_, operation in operations(document)]
    assert len(ids) == len(set(ids))
    assert [tag["name"] for tag in document["tags"]] == list(TAGS)


def test_two_builds_give_the_same_document(tmp_path):
    assert described(tmp_path) == described(tmp_path)


def test_required_things_are_marked_as_required(tmp_path):
    paths = described(tmp_path)["paths"]
    login = paths["/api/v1/auth/login"]["post"]
    assert login["requestBody"]["required"] is True
    room = paths["/api/v1/rooms/{id}"]["get"]
    required = {each["name"]: each["required"] for each in room["parameters"]}
    assert required == {"id": True, "X-Request-ID": False}


def test_every_error_has_the_one_body(tmp_path):
    for path, _, operation in operations(described(tmp_path)):
        for status, answer in operation["responses"].items():
            if not status.startswith("2"):
                schema = answer["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/ErrorResponse"}, path


def schemas_of(document, part):
    """Return all schemas inside a part of the document, with the names of their components."""
    names = references(part)
    seen = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen[name] = document["components"]["schemas"][name]
            waiting += references(seen[name])
    return seen


def defaults(schema, path=""):
    """Yield the paths of all defaults in a schema."""
    if isinstance(schema, list):
        for place, each in enumerate(schema):
            yield from defaults(each, f"{path}/{place}")
    elif isinstance(schema, dict):
        if "default" in schema and not path.endswith("/properties"):
            yield path, schema["default"]
        for name, each in schema.items():
            yield from defaults(each, f"{path}/{name}")


def test_no_field_that_is_left_out_has_a_default(tmp_path):
    document = described(tmp_path)
    assert [path for path, value in defaults(document) if value is None] == []
    for path, method, operation in operations(document):
        for schema in schemas_of(document, operation.get("requestBody", {})).values():
            assert list(defaults(schema)) == [], (path, method)
            required = set(schema.get("required", ()))
            assert required <= set(schema.get("properties", {}))


def test_a_body_says_null_only_where_null_is_taken(tmp_path):
    schemas = described(tmp_path)["components"]["schemas"]
    nullable = {
        (name, field)
        for name in ("RoomPatch", "PrizePatch", "UserPatch", "ParticipantPatch")
        for field, schema in schemas[name]["properties"].items()
        if {"type": "null"} in schema.get("anyOf", ())
    }
    assert nullable == {
        ("RoomPatch", "capacity"), ("PrizePatch", "imageUrl"), ("UserPatch", "avatar")
    }  # fmt: skip


async def test_null_is_refused_as_the_document_says(host: ApiHost):
    room = await host.room()
    path = f"/rooms/{room['id']}"
    for field in ("name", "isPublic", "status", "appSettings"):
        heard = await host.organizer.patch(path, {field: None})
        said = heard.body["error"]["details"]["fields"]
        assert (heard.status, set(said)) == (422, {f"/{field}"})
    assert (await host.organizer.patch(path, {"capacity": None})).status == 200


def test_bodies_and_envelopes_have_names_of_the_product(tmp_path):
    document = described(tmp_path)
    for path, _, operation in operations(document):
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        success = next(each for status, each in operation["responses"].items() if status < "3")
        answer = success["content"].get("application/json")
        for found in filter(None, (body, answer)):
            schema = found["schema"]
            named = "$ref" in schema or all("$ref" in each for each in schema.get("anyOf", [{}]))
            assert named or path in {"/openapi.json", "/api/v1/lists/{listId}"}, path
    names = set(document["components"]["schemas"])
    assert {"Room", "RoomPatch", "RoomPage", "NewRoom", "DrawRecord", "JsonWebKeys"} <= names
    assert not [each for each in names if each.endswith(("View", "Body")) or "[" in each]
    rooms = document["components"]["schemas"]["RoomPage"]["properties"]["data"]
    assert rooms == {"type": "array", "items": {"$ref": "#/components/schemas/Room"}}


def test_every_response_has_a_schema_and_its_headers(tmp_path):
    for path, _, operation in operations(described(tmp_path)):
        for status, answer in operation["responses"].items():
            for media in answer["content"].values():
                assert media["schema"], path
            if status.startswith("2"):
                assert "X-Request-ID" in answer["headers"], path
        assert {"405", "408"} <= set(operation["responses"]), path


def test_the_document_says_where_how_and_under_which_licence(tmp_path):
    document = described(tmp_path)
    assert document["servers"][0]["url"] == "/"
    assert document["info"]["license"]["identifier"] == "MIT"
    assert document["paths"]["/health/live"]["get"]["security"] == []
    assert document["paths"]["/api/v1/rooms"]["post"]["security"] == [{"bearer": []}]
    assert document["paths"]["/api/v1/rooms"]["get"]["security"] == [{}, {"bearer": []}]


def test_operation_ids_follow_one_pattern(tmp_path):
    ids = {operation["operationId"] for *_, operation in operations(described(tmp_path))}
    assert {"createRoom", "importSetting", "listRooms", "upgradeAppRooms"} <= ids
    assert not [each for each in ids if not re.fullmatch(r"[a-z]+([A-Z][a-z]+)*", each)]


def test_two_schemas_of_one_name_stop_the_description():
    known = Components()
    known.add("Room", {"type": "object"})
    assert known.add("Room", {"type": "object"}) == {"$ref": "#/components/schemas/Room"}
    with pytest.raises(NameTaken, match="Room"):
        known.add("Room", {"type": "string"})


def test_a_route_without_a_row_does_not_start():
    extra = replace(ROUTES[0], endpoint="GET /secrets")
    with pytest.raises(mount.AccessIncomplete, match="GET /secrets"):
        mount.require_complete([*ROUTES, extra])


def test_a_row_without_a_route_does_not_start():
    with pytest.raises(mount.AccessIncomplete, match="POST /auth/login"):
        mount.require_complete([each for each in ROUTES if each.endpoint != "POST /auth/login"])


async def test_the_pages_load_nothing_from_elsewhere(host: ApiHost):
    for path in ("//", "//docs"):
        page = await host.nobody.get(path)
        assert page.status == 200
        text = page.raw.decode()
        assert "<script" not in text
        assert 'src="' not in text
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]


async def test_a_list_shows_the_fields_that_are_asked_for_alone(host: ApiHost):
    await host.room()
    heard = await host.organizer.get("/rooms?fields=id,name&sort=-name")
    assert [set(each) for each in heard.data] == [{"id", "name"}]
