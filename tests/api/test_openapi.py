"""The description of the API: valid, complete, stable."""

from dataclasses import replace

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from mymozhem.api import mount
from mymozhem.api.openapi import openapi_document
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
                assert schema == {"$ref": "#/components/schemas/ErrorBody"}, path


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
