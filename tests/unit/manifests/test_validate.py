"""A manifest is valid, or every fault of it is named with its place and a hint."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mymozhem.contract import HOOKS, ChangeKind, Level, RoomStatus, Strategy
from mymozhem.contract.canonical_json import digest
from mymozhem.contract.hooks import CAPABILITIES
from mymozhem.manifests.enums import Addressee, Need, Permission
from mymozhem.manifests.format_checks import MANIFEST_SCHEMA
from mymozhem.manifests.validate import validate_manifest
from mymozhem.resources import resource_root

ROOT = Path(__file__).parents[3]
SHARED = Path(os.environ.get("MYMOZHEM_SHARED_DATA") or ROOT / "../shared/data")
EXAMPLES = Path(str(resource_root())) / "v1" / "examples"
INVALID = json.loads((EXAMPLES / "invalid.index.json").read_text(encoding="utf-8"))

MINIMAL = {"meta": {"name": "A", "version": "1.0.0", "description": ""}, "permissions": []}


def codes(document, **registration):
    report = validate_manifest(document, **registration)
    return [(problem.pointer, problem.code) for problem in report.problems]


@pytest.mark.parametrize("file", sorted((EXAMPLES / "valid").iterdir()), ids=lambda file: file.stem)
def test_a_valid_example_is_valid(file):
    report = validate_manifest(file.read_bytes())
    assert report.problems == ()
    assert report.valid
    assert report.manifest is not None
    assert report.manifest.digest == digest(json.loads(file.read_bytes()))


@pytest.mark.parametrize("entry", INVALID, ids=lambda entry: entry["file"])
def test_an_invalid_example_has_the_problems_beside_it_and_a_hint_for_each(entry):
    report = validate_manifest((EXAMPLES / "invalid" / entry["file"]).read_bytes())
    assert not report.valid
    told = [{"pointer": each.pointer, "code": each.code} for each in report.problems]
    assert sorted(told, key=str) == sorted(entry["problems"], key=str)
    assert all(each.message and each.hint for each in report.problems)


def test_every_invalid_example_is_in_the_index():
    files = {file.name for file in (EXAMPLES / "invalid").iterdir()}
    assert files == {entry["file"] for entry in INVALID}


@pytest.mark.parametrize("name", ["seed-lottery-1.0.0", "seed-quiz-1.0.0"])
def test_a_manifest_of_the_first_format_is_valid_as_it_stands(name):
    file = SHARED / "manifests" / f"{name}.json"
    if not file.exists():
        pytest.skip("the shared manifests are not here")
    report = validate_manifest(file.read_bytes(), registered_as="app_first_v1")
    assert report.problems == ()
    assert report.manifest is not None
    assert report.manifest.is_remote


def enum_at(*path):
    found = MANIFEST_SCHEMA
    for name in path:
        found = found[name]
    return set(found["enum"])


@pytest.mark.parametrize(
    ("path", "known"),
    [
        (("$defs", "capability"), CAPABILITIES),
        (("properties", "permissions", "items"), set(Permission)),
        (("properties", "changes", "items"), set(ChangeKind)),
        (("properties", "needs", "additionalProperties", "items"), set(Need)),
        (("$defs", "policy", "properties", "onFailure"), set(Strategy)),
        (("$defs", "action", "properties", "roles", "items"), set(Addressee)),
        (("$defs", "action", "properties", "when", "then"), set(RoomStatus)),
        (("$defs", "event", "properties", "visibility"), set(Level)),
    ],
    ids=lambda given: ".".join(given) if isinstance(given, tuple) else "known",
)
def test_the_schema_lists_what_the_code_knows(path, known):
    assert enum_at(*path) == set(known)


@pytest.mark.parametrize(
    ("document", "registered_as", "expected"),
    [
        (MINIMAL, "raffle", []),
        ({**MINIMAL, "id": "raffle"}, "raffle", []),
        ({**MINIMAL, "id": "raffle"}, "tombola", [("/id", "ID_MISMATCH")]),
        (MINIMAL, "../etc", [("", "ID")]),
        (MINIMAL, "raffle\n", [("", "ID")]),
        (MINIMAL, "winner", [("/id", "ID_RESERVED")]),
        ({**MINIMAL, "events": {"raffle:a": {}}}, "raffle", []),
        (
            {**MINIMAL, "events": {"raffle:a": {}}}, "tombola",
            [("/events/raffle:a", "EVENT_NAMESPACE")],
        ),
    ],
)  # fmt: skip
def test_the_id_is_that_of_the_registration(document, registered_as, expected):
    assert codes(document, registered_as=registered_as) == expected


@pytest.mark.parametrize(
    ("base", "valid"),
    [
        ("https://example.com", True),
        ("https://example.com:8443/app", True),
        ("http://localhost:9001", True),
        ("http://127.1.2.3", True),
        ("http://[::1]:80", True),
        ("http://example.com", False),
        ("http://127.0.0.1.example.com", False),
        ("https://a:b@example.com", False),
        ("https://example.com/?a", False),
        ("https://example.com/#a", False),
        ("https://example.com/../a", False),
        ("https://", False),
        ("https://example.com:99999", False),
        ("ftp://example.com", False),
        ("javascript:alert(1)", False),
        ("//example.com", False),
    ],
)
def test_an_address_is_https_save_on_this_machine(base, valid):
    found = set(codes({**MINIMAL, "baseUrl": base}))
    assert found == (set() if valid else {("/baseUrl", "BASE_URL")})


def test_a_strategy_is_judged_by_the_table():
    for hook in HOOKS:
        rows = [other.allowed for other in HOOKS if other.capability == hook.capability]
        for strategy in set(Strategy) - {Strategy.FALLBACK}:
            policy = {hook.capability: {"onFailure": strategy.value}}
            allowed = any(strategy in row for row in rows)
            assert validate_manifest({**MINIMAL, "policies": policy}).valid is allowed


def test_a_silent_capability_needs_no_path():
    remote = {**MINIMAL, "baseUrl": "https://example.com", "webhooks": {}}
    assert codes({**remote, "capabilities": ["roomSettings", "prizeFund"]}) == []
    missing = codes({**remote, "capabilities": ["roomSettings", "health"]})
    assert missing == [("/capabilities/1", "WEBHOOK_MISSING")]


def test_a_default_is_judged_as_it_would_be_stored():
    group = {"type": "object", "required": ["b"], "default": {}}
    group["properties"] = {"b": {"type": "integer", "default": 1}}
    assert codes({**MINIMAL, "settings": {"properties": {"a": group}}}) == []
    group["properties"]["b"]["default"] = "one"
    assert codes({**MINIMAL, "settings": {"properties": {"a": group}}}) == [
        ("/settings/properties/a/default/b", "DEFAULT_INVALID"),
        ("/settings/properties/a/properties/b/default", "DEFAULT_INVALID"),
    ]


def test_limits_hold_for_all_schemas_of_a_manifest_together():
    payload = {"properties": {f"p{n}": {} for n in range(20)}}
    actions = {f"a{n}": {"payload": payload} for n in range(100)}
    assert codes({**MINIMAL, "actions": actions}) == [("", "SCHEMA_TOO_LARGE")]
    patterned = {f"a{n}": {"payload": {"pattern": "a"}} for n in range(101)}
    assert codes({**MINIMAL, "actions": patterned}) == [("", "PATTERNS_TOO_MANY")]


CROWDS = {
    "names": {"needs": {f"x{n}": ["a"] for n in range(15_000)}},
    "events": {"events": {f"x{n}:y": {"a": 1} for n in range(10_000)}},
    "fields": {f"x{n}": 1 for n in range(15_000)},
    "a list": {"permissions": [f"x{n}" for n in range(20_000)]},
    "lists in lists": {"changes": [[0] * 200 for _ in range(200)]},
}


@pytest.mark.parametrize("crowd", CROWDS.values(), ids=CROWDS)
def test_a_crowd_is_refused_before_each_of_it_is_looked_at(crowd):
    [(_, code)] = codes({**MINIMAL, **crowd})
    assert code == "TOO_MANY"


def test_a_crowd_of_translations_is_told_in_part():
    report = validate_manifest(
        {**MINIMAL, "locales": {"en": {f"/x{n}": "" for n in range(14_000)}}}
    )
    assert len(report.problems) == 200


def test_a_name_that_all_pointers_would_repeat_is_refused():
    below = {f"b{n}": {"type": "integer"} for n in range(1_900)}
    settings = {"properties": {"a" * 100_000: {"properties": below}}}
    assert codes({**MINIMAL, "settings": settings}) == [("/settings", "NAME_TOO_LONG")]


def test_a_default_too_long_for_the_work_it_makes_is_refused():
    setting = {"allOf": [{"pattern": "x$"}] * 60, "default": "a" * 200_000}
    found = codes({**MINIMAL, "settings": {"properties": {"a": setting}}})
    assert found == [("/settings", "DEFAULTS_TOO_LARGE")]


NOISE = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 40_000) | st.sampled_from(["", "a", "1.0.0", "/"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "a",
                    "type",
                    "properties",
                    "$ref",
                    "default",
                    "payload",
                    "path",
                    "timeout",
                    "items",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(MANIFEST_SCHEMA["properties"])), NOISE))
def test_no_document_raises(document):
    for candidate in (document, {**MINIMAL, **document}):
        report = validate_manifest(candidate)
        assert report.valid is (report.problems == ())
        assert all(problem.code != "INVALID" for problem in report.problems)


def with_settings(**schema):
    return {
        "meta": {"name": "Raffle", "version": "1.0.0", "description": "Draws."},
        "permissions": [],
        "settings": {"type": "object", "properties": {"count": schema}},
    }


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("minimun", "write minimum"),
        ("MinLength", "write minLength"),
        ("additionalProperty", "write additionalProperties"),
        ("x-visability", "write x-visibility"),
        ("widget", "leave it out, or put `x-` before a name of your own"),
    ],
)
def test_an_unknown_keyword_is_pointed_out_in_a_valid_manifest(word, hint):
    report = validate_manifest(with_settings(type="integer", **{word: 1}))
    assert report.valid
    [remark] = report.remarks
    pointer = f"/settings/properties/count/{word}"
    assert (remark.pointer, remark.code, remark.hint) == (pointer, "KEYWORD_UNKNOWN", hint)


def test_names_that_are_no_keywords_are_not_pointed_out():
    assert (
        validate_manifest(with_settings(**{"x-acme-colour": 1, "enum": [{"widget": 1}]})).remarks
        == ()
    )
    everything = (EXAMPLES / "valid" / "everything.json").read_bytes()
    assert validate_manifest(everything).remarks == ()


def test_only_the_first_unknown_keywords_are_listed():
    many = with_settings(**{f"unknown{number}": 1 for number in range(500)})
    assert len(validate_manifest(many).remarks) == 20


def closed(**properties):
    return {"type": "object", "additionalProperties": False, "properties": properties}


ONE, TWO = closed(x={"type": "integer", "default": 1}), closed(y={"type": "integer", "default": 2})
OPEN = {"properties": ONE["properties"]}
DRAFT_07 = "http://json-schema.org/draft-07/schema#"


@pytest.mark.parametrize(
    ("settings", "places"),
    [
        ({"allOf": [ONE, TWO]}, ["/allOf/0/properties/x/default", "/allOf/1/properties/y/default"]),
        ({"allOf": [{"$ref": "#/$defs/one"}], **closed(), "$defs": {"one": OPEN}},
         ["/$defs/one/properties/x/default"]),
        ({"allOf": [OPEN, {"unevaluatedProperties": False}]}, ["/allOf/0/properties/x/default"]),
        ({"properties": {"in": {"allOf": [OPEN, closed(z={})], "required": ["z"]}}},
         ["/properties/in/allOf/0/properties/x/default"]),
        ({"properties": {"list": {"items": {"allOf": [OPEN, closed(z={})]}}}},
         ["/properties/list/items/allOf/0/properties/x/default"]),
        ({**OPEN, "allOf": [{"properties": {"x": {"type": "string"}}}]},
         ["/properties/x/default"]),
        ({**OPEN, "allOf": [{"additionalProperties": {"type": "string"}}]},
         ["/properties/x/default"]),
        ({**OPEN, "allOf": [{"properties": {"x": False}}]}, ["/properties/x/default"]),
        ({**OPEN, "propertyNames": {"minLength": 2}}, ["/properties/x/default"]),
        ({**OPEN, "maxProperties": 0}, [""]),
        ({**OPEN, "not": {"required": ["x"]}}, [""]),
    ],
)  # fmt: skip
def test_defaults_that_no_settings_could_have_are_refused(settings, places):
    expected = [(f"/settings{place}", "DEFAULT_INVALID") for place in places]
    assert codes({**MINIMAL, "settings": settings}) == expected


@pytest.mark.parametrize(
    "settings",
    [
        {"allOf": [OPEN, {"properties": TWO["properties"]}], "unevaluatedProperties": False},
        {"allOf": [{**closed(x={}), **ONE}, closed(x={"type": "number"})]},
        {"allOf": [OPEN, {"patternProperties": {"^x": {}}, "additionalProperties": False}]},
        {**OPEN, "anyOf": [closed(z={}), {}]},
        {**OPEN, "not": {"required": ["x", "z"]}},
        {**OPEN, "maxProperties": 1, "propertyNames": {"$ref": "#/$defs/n"}, "$defs": {"n": {}}},
        {"properties": {"list": {"contains": closed(z={}), "items": OPEN}}},
        {"allOf": [OPEN], "unevaluatedProperties": {"type": "string"}},
        {"$schema": DRAFT_07, "properties": {"in": {"$ref": "#/definitions/one", **closed()}},
         "definitions": {"one": OPEN}},
    ],
)  # fmt: skip
def test_defaults_that_some_settings_have_are_valid(settings):
    assert codes({**MINIMAL, "settings": settings}) == []


def test_only_settings_are_completed_by_defaults():
    assert codes({**MINIMAL, "state": {"allOf": [ONE, TWO]}}) == []
