"""The referee says of every change what class it is, and who has to agree."""

import json
import random
from copy import deepcopy
from pathlib import Path

import pytest

from mymozhem.manifests.json_pointer import find, parts
from mymozhem.manifests.model import Manifest
from mymozhem.manifests.referee import (
    Bump,
    Change,
    Consenter,
    Diff,
    as_json,
    compare,
    least_version,
)
from mymozhem.manifests.referee.change_codes import RULES
from mymozhem.manifests.validate import validate_manifest

ROOT = Path(__file__).parents[3]
MANIFESTS = sorted(
    [
        *ROOT.glob("plugins/*/src/*/manifest.json"),
        *ROOT.glob("docs/examples/*/src/*/manifest.json"),
        *ROOT.glob("docs/examples/*/manifest.json"),
        *ROOT.glob("manifests/v1/examples/valid/*.json"),
    ]
)
GONE = object()
BASE = {
    "id": "raffle",
    "meta": {"name": "Raffle", "version": "1.0.0", "description": "One prize."},
    "baseUrl": "https://raffle.example.com/app",
    "webhooks": "/hooks",
    "capabilities": ["actions", "winnerSelection"],
    "permissions": ["rooms:read"],
    "needs": {"prepare_draw": ["winners"]},
    "changes": ["status"],
    "imports": {"names": ["csv", "json"]},
    "policies": {"winnerSelection": {"timeout": 3000}},
    "settings": {
        "type": "object",
        "additionalProperties": False,
        "required": ["rows"],
        "properties": {
            "rows": {"type": "integer", "minimum": 1, "maximum": 10, "default": 3, "title": "Rows"},
            "names": {"type": "array", "maxItems": 5, "items": {"type": "string"}},
            "mode": {"enum": ["a", "b"], "default": "a", "x-visibility": "public"},
            "pace": {"type": "number", "x-live": True, "exclusiveMinimum": 0},
            "secret": {"type": "string", "x-visibility": "private", "maxLength": 9},
            "code": {"type": "string", "pattern": "^[a-z]*$"},
            "kind": {"anyOf": [{"type": "string", "title": "Text"}, {"type": "null"}]},
            "shared": {"$ref": "#/$defs/short"},
        },
        "$defs": {"short": {"type": "string", "maxLength": 5}, "unused": {"maxLength": 5}},
    },
    "registration": {
        "type": "object",
        "additionalProperties": False,
        "properties": {"table": {"type": "string", "maxLength": 5}},
    },
    "actions": {
        "call": {
            "title": "Call",
            "roles": ["ORGANIZER", "MODERATOR"],
            "when": ["ACTIVE", "DRAFT"],
            "payload": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"number": {"type": "integer"}},
            },
        },
        "shout": {},
    },
    "events": {
        "raffle:called": {
            "visibility": "organizer",
            "payload": {
                "type": "object",
                "required": ["number"],
                "properties": {
                    "number": {"type": "integer", "maximum": 90},
                    "how": {"enum": ["by hand", "by itself"]},
                },
            },
        },
        "raffle:free": {},
    },
    "state": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "public": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"last": {"type": "integer"}},
            }
        },
    },
    "migrations": [{"from": "<1", "to": "1.0.0", "steps": [{"op": "remove", "path": "/old"}]}],
    "serves": ">=1.0 <2",
    "ui": {"stage": "ui/stage.html"},
    "locales": {"de": {"/meta/name": "Tombola"}},
}


def manifest(document):
    report = validate_manifest(document)
    assert report.manifest is not None, report.problems
    return report.manifest


def edited(edits, version="1.0.1"):
    document = deepcopy(BASE)
    for place, value in {"/meta/version": version, **edits}.items():
        *path, last = parts(place)
        inside = document
        for part in path:
            inside = inside.setdefault(part, {})
        if value is GONE:
            del inside[last]
        else:
            inside[last] = deepcopy(value)
    return document


S = "/settings/properties"
PATCH, MINOR, MAJOR = Bump.PATCH, Bump.MINOR, Bump.MAJOR

CASES = {
    # patch
    "a name": ({"/meta/name": "Tombola"}, {"TEXT_CHANGED"}),
    "a description": ({"/meta/description": "Two prizes."}, {"TEXT_CHANGED"}),
    "an icon": ({"/meta/icon": "a.svg"}, {"TEXT_CHANGED"}),
    "a homepage": ({"/meta/homepage": "https://example.com"}, {"TEXT_CHANGED"}),
    "a title of a setting": ({f"{S}/rows/title": "Lines"}, {"TEXT_CHANGED"}),
    "a hint for the form": ({f"{S}/rows/x-ui": {"order": 1}}, {"TEXT_CHANGED"}),
    "examples": ({f"{S}/rows/examples": [3]}, {"TEXT_CHANGED"}),
    "a title inside anyOf": (
        {f"{S}/kind/anyOf": [{"type": "string", "title": "Words"}, {"type": "null"}]},
        {"TEXT_CHANGED"},
    ),
    "a title of an action": ({"/actions/call/title": "Go"}, {"TEXT_CHANGED"}),
    "a description of an event": ({"/events/raffle:free/description": "x"}, {"TEXT_CHANGED"}),
    "a translation": ({"/locales/de/~1meta~1name": "Verlosung"}, {"TEXT_CHANGED"}),
    "a line for editors": ({"/$schema": "x.json"}, {"TEXT_CHANGED"}),
    "a question before": ({"/actions/call/confirm": "Sure?"}, {"CONFIRM_CHANGED"}),
    "another path": ({"/baseUrl": "https://raffle.example.com/b"}, {"ADDRESS_CHANGED"}),
    "another path of a webhook": ({"/webhooks": "/other"}, {"WEBHOOK_CHANGED"}),
    "another order of capabilities": (
        {"/capabilities": ["winnerSelection", "actions"]},
        {"SAME_MEANING"},
    ),
    "a format spelled out": ({"/manifestVersion": 1}, {"SAME_MEANING"}),
    "a contract spelled out": ({"/contract": ">=1.0 <2.0"}, {"SAME_MEANING"}),
    "roles spelled out": ({"/actions/shout/roles": ["ORGANIZER"]}, {"SAME_MEANING"}),
    "a payload spelled out": (
        {"/actions/shout/payload": {"type": "object"}},
        {"SAME_MEANING"},
    ),
    "an id left out": ({"/id": GONE}, {"SAME_MEANING"}),
    "another order of values": ({f"{S}/mode/enum": ["b", "a"]}, {"SAME_MEANING"}),
    "a dialect spelled out": (
        {"/settings/$schema": "https://json-schema.org/draft/2020-12/schema"},
        {"SAME_MEANING"},
    ),
    "a limit written otherwise": (
        {f"{S}/rows/minimum": GONE, f"{S}/rows/exclusiveMinimum": 0},
        {"SAME_MEANING"},
    ),
    "a limit that counts for nothing": ({f"{S}/rows/maxLength": 3}, {"SAME_MEANING"}),
    "a shared schema that nobody uses": ({"/settings/$defs/unused": {}}, {"SAME_MEANING"}),
    "a page elsewhere": ({"/ui/stage": "ui/other.html"}, {"PAGE_CHANGED"}),
    # minor
    "a new optional setting": ({f"{S}/extra": {"type": "string"}}, {"FIELD_ADDED"}),
    "a new public setting": (
        {f"{S}/extra": {"type": "string", "x-visibility": "public"}},
        {"FIELD_ADDED"},
    ),
    "a new required setting with a default": (
        {f"{S}/extra": {"type": "integer", "default": 1}, "/settings/required": ["rows", "extra"]},
        {"FIELD_ADDED", "REQUIRED_WITH_DEFAULT"},
    ),
    "a new required group whose fields have defaults": (
        {
            f"{S}/extra": {"type": "object", "properties": {"a": {"default": 1}}},
            "/settings/required": ["rows", "extra"],
        },
        {"FIELD_ADDED", "REQUIRED_WITH_DEFAULT"},
    ),
    "a wider range": ({f"{S}/rows/maximum": 20}, {"LIMIT_WIDER"}),
    "a range without an end": ({f"{S}/rows/maximum": GONE}, {"LIMIT_WIDER"}),
    "more entries": ({f"{S}/names/maxItems": 6}, {"LIMIT_WIDER"}),
    "one more value": ({f"{S}/mode/enum": ["a", "b", "c"]}, {"VALUES_WIDER"}),
    "any value": ({f"{S}/mode/enum": GONE}, {"VALUES_WIDER"}),
    "one more type": ({f"{S}/secret/type": ["string", "null"]}, {"TYPE_WIDER"}),
    "fractions as well": ({f"{S}/rows/type": "number"}, {"TYPE_WIDER"}),
    "a field that may be missing": ({"/settings/required": []}, {"REQUIRED_DROPPED"}),
    "other fields": ({"/settings/additionalProperties": True}, {"OTHERS_ACCEPTED"}),
    "another default": ({f"{S}/rows/default": 4}, {"DEFAULT_CHANGED"}),
    "a default that was none": ({f"{S}/secret/default": "x"}, {"DEFAULT_CHANGED"}),
    "a setting that may change": ({f"{S}/rows/x-live": True}, {"LIVE_ADDED"}),
    "a stricter visibility": ({f"{S}/mode/x-visibility": "organizer"}, {"VISIBILITY_STRICTER"}),
    "a visibility left out": ({f"{S}/mode/x-visibility": GONE}, {"VISIBILITY_STRICTER"}),
    "a stricter event": (
        {"/events/raffle:called/visibility": "private"},
        {"VISIBILITY_STRICTER"},
    ),
    "a new capability": (
        {"/capabilities": ["actions", "winnerSelection", "health"]},
        {"CAPABILITY_ADDED"},
    ),
    "a new action": ({"/actions/jump": {}}, {"ACTION_ADDED"}),
    "a new event": ({"/events/raffle:new": {}}, {"EVENT_ADDED"}),
    "one more role": (
        {"/actions/call/roles": ["ORGANIZER", "MODERATOR", "PARTICIPANT"]},
        {"ROLE_ADDED"},
    ),
    "one more status": ({"/actions/call/when": ["ACTIVE", "DRAFT", "COMPLETED"]}, {"STATUS_ADDED"}),
    "calls together": ({"/actions/call/batch": True}, {"BATCH_CHANGED"}),
    "a new optional field of a payload": (
        {"/actions/call/payload/properties/why": {"type": "string"}},
        {"FIELD_ADDED"},
    ),
    "a new field of an event": (
        {"/events/raffle:called/payload/properties/who": {"type": "string"}},
        {"FIELD_ADDED"},
    ),
    "a new value in an event": (
        {"/events/raffle:called/payload/properties/how/enum": ["by hand", "by itself", "x"]},
        {"VALUES_WIDER"},
    ),
    "a narrower event": (
        {"/events/raffle:called/payload/properties/number/maximum": 80},
        {"PROMISE_STRONGER"},
    ),
    "an event without other fields": (
        {"/events/raffle:called/payload/additionalProperties": False},
        {"PROMISE_STRONGER"},
    ),
    "a field of an event that is always there": (
        {"/events/raffle:called/payload/required": ["number", "how"]},
        {"PROMISE_STRONGER"},
    ),
    "a permission removed": ({"/permissions": []}, {"PERMISSION_REMOVED"}),
    "more is shown": ({"/needs/prepare_draw": ["winners", "prizes"]}, {"NEEDS_CHANGED"}),
    "less is told": ({"/changes": []}, {"TOLD_CHANGED"}),
    "one more format": ({"/imports/names": ["csv", "json", "xml"]}, {"IMPORT_ADDED"}),
    "another patience": ({"/policies/winnerSelection/timeout": 4000}, {"POLICY_CHANGED"}),
    "another range served": ({"/serves": ">=0.9 <2"}, {"SERVES_CHANGED"}),
    "no migrations": ({"/migrations": GONE}, {"MIGRATIONS_CHANGED"}),
    "a new page": ({"/ui/player": "ui/player.html"}, {"PAGE_ADDED"}),
    "another range of the contract": ({"/contract": ">=1.0 <1.9"}, {"CONTRACT_RANGE"}),
    "a new field of the state": (
        {"/state/properties/public/properties/next": {"type": "integer"}},
        {"FIELD_ADDED"},
    ),
    "a new question": ({"/registration/properties/diet": {"type": "string"}}, {"FIELD_ADDED"}),
    "no more questions about the state": ({"/state": GONE}, {"OTHERS_ACCEPTED", "FIELD_REMOVED"}),
    # major
    "a setting removed": ({f"{S}/secret": GONE}, {"FIELD_REMOVED"}),
    "a setting renamed": (
        {f"{S}/secret": GONE, f"{S}/key": BASE["settings"]["properties"]["secret"]},
        {"FIELD_REMOVED", "FIELD_ADDED"},
    ),
    "another type": ({f"{S}/secret/type": "integer"}, {"TYPE_NARROWER"}),
    "whole numbers only": ({f"{S}/pace/type": "integer"}, {"TYPE_NARROWER"}),
    "a required setting without a default": (
        {f"{S}/extra": {"type": "integer"}, "/settings/required": ["rows", "extra"]},
        {"FIELD_ADDED", "REQUIRED_ADDED"},
    ),
    "a required setting that loses its default": ({f"{S}/rows/default": GONE}, {"DEFAULT_DROPPED"}),
    "a narrower range": ({f"{S}/rows/maximum": 9}, {"LIMIT_NARROWER"}),
    "a limit where was none": ({f"{S}/pace/maximum": 9}, {"LIMIT_NARROWER"}),
    "a step between numbers": ({f"{S}/pace/multipleOf": 0.5}, {"LIMIT_NARROWER"}),
    "entries that must differ": ({f"{S}/names/uniqueItems": True}, {"LIMIT_NARROWER"}),
    "shorter entries": ({f"{S}/names/items/maxLength": 3}, {"LIMIT_NARROWER"}),
    "one value less": ({f"{S}/mode/enum": ["a"]}, {"VALUES_NARROWER"}),
    "other values": ({f"{S}/mode/enum": ["a", "c"]}, {"VALUES_NARROWER"}),
    "values where were none": ({f"{S}/secret/enum": ["x"]}, {"VALUES_NARROWER"}),
    "a setting that may not change": ({f"{S}/pace/x-live": False}, {"LIVE_DROPPED"}),
    "an action removed": ({"/actions/shout": GONE}, {"ACTION_REMOVED"}),
    "an event removed": ({"/events/raffle:free": GONE}, {"EVENT_REMOVED"}),
    "a capability removed": ({"/capabilities": ["actions"]}, {"CAPABILITY_REMOVED"}),
    "a role removed": ({"/actions/call/roles": ["ORGANIZER"]}, {"ROLE_REMOVED"}),
    "a status removed": ({"/actions/call/when": "ACTIVE"}, {"STATUS_REMOVED"}),
    "a payload that old clients cannot send": (
        {"/actions/call/payload/required": ["number"]},
        {"REQUIRED_ADDED"},
    ),
    "a default does not help a payload": (
        {
            "/actions/call/payload/required": ["number"],
            "/actions/call/payload/properties/number/default": 1,
        },
        {"REQUIRED_ADDED", "DEFAULT_CHANGED"},
    ),
    "a payload where any was taken": (
        {"/actions/shout/payload": {"type": "object", "properties": {"a": {"type": "string"}}}},
        {"FIELD_CLAIMED"},
    ),
    "a field of an event removed": (
        {"/events/raffle:called/payload/properties/how": GONE},
        {"FIELD_REMOVED"},
    ),
    "a field of an event that may be missing": (
        {"/events/raffle:called/payload/required": []},
        {"PROMISE_WEAKER"},
    ),
    "another type in an event": (
        {"/events/raffle:called/payload/properties/number/type": "number"},
        {"PROMISE_WEAKER"},
    ),
    "a wider event": (
        {"/events/raffle:called/payload/properties/number/maximum": 99},
        {"PROMISE_WEAKER"},
    ),
    "a field of the state removed": (
        {"/state/properties/public/properties/last": GONE},
        {"FIELD_REMOVED"},
    ),
    "a question that must be answered": ({"/registration/required": ["table"]}, {"REQUIRED_ADDED"}),
    "settings where were others": (
        {"/settings/additionalProperties": {"type": "string"}},
        {"OTHERS_ACCEPTED"},
    ),
    "a format that is not read any more": ({"/imports/names": ["csv"]}, {"IMPORT_REMOVED"}),
    "a page removed": ({"/ui/stage": GONE}, {"PAGE_REMOVED"}),
    "no settings at all": (
        {"/settings": GONE, "/imports": GONE},
        {"FIELD_REMOVED", "REQUIRED_DROPPED", "IMPORT_REMOVED", "SAME_MEANING"},
    ),
    "another major of the contract as well": ({"/contract": ">=1.0 <3.0"}, {"CONTRACT_MAJOR"}),
    # major, because unknown
    "another pattern": ({f"{S}/code/pattern": "^[a-f]*$"}, {"KEYWORD_UNKNOWN"}),
    "a pattern where was none": ({f"{S}/secret/pattern": "^a"}, {"KEYWORD_UNKNOWN"}),
    "another format": ({f"{S}/secret/format": "email"}, {"KEYWORD_UNKNOWN"}),
    "another alternative": (
        {f"{S}/kind/anyOf": [{"type": "string"}, {"type": "integer"}]},
        {"KEYWORD_UNKNOWN"},
    ),
    "one of": ({f"{S}/rows/oneOf": [{"type": "integer"}]}, {"KEYWORD_UNKNOWN"}),
    "not": ({f"{S}/rows/not": {"const": 7}}, {"KEYWORD_UNKNOWN"}),
    "if": ({"/settings/if": {"required": ["code"]}}, {"KEYWORD_UNKNOWN"}),
    "what a reference refers to": (
        {"/settings/$defs/short/maxLength": 9},
        {"KEYWORD_UNKNOWN", "SAME_MEANING"},
    ),
    "another reference": ({f"{S}/shared/$ref": "#/$defs/unused"}, {"KEYWORD_UNKNOWN"}),
    "fields by pattern": ({"/settings/patternProperties": {"^x": {}}}, {"KEYWORD_UNKNOWN"}),
    "fields that need others": (
        {"/settings/dependentRequired": {"code": ["rows"]}},
        {"KEYWORD_UNKNOWN"},
    ),
    "a word that nobody knows": ({f"{S}/rows/x-strange": 1}, {"KEYWORD_UNKNOWN"}),
    "another dialect": (
        {"/settings/$schema": "http://json-schema.org/draft-07/schema#"},
        {"KEYWORD_UNKNOWN"},
    ),
    # consent
    "a permission added": ({"/permissions": ["rooms:read", "rooms:write"]}, {"PERMISSION_ADDED"}),
    "another host": ({"/baseUrl": "https://raffle.example.org/app"}, {"HOST_CHANGED"}),
    "another port": ({"/baseUrl": "https://raffle.example.com:8443/app"}, {"HOST_CHANGED"}),
    "no host": ({"/baseUrl": GONE, "/webhooks": GONE}, {"HOST_CHANGED", "WEBHOOK_CHANGED"}),
    "a looser setting": ({f"{S}/secret/x-visibility": "organizer"}, {"VISIBILITY_LOOSER"}),
    "a setting shown to all": ({f"{S}/rows/x-visibility": "public"}, {"VISIBILITY_LOOSER"}),
    "an event shown to all": (
        {"/events/raffle:called/visibility": "public"},
        {"VISIBILITY_LOOSER"},
    ),
}  # fmt: skip
CLASS = {rule.code: rule for rule in RULES}


@pytest.mark.parametrize(("edits", "codes"), CASES.values(), ids=CASES)
def test_every_change_has_its_class(edits, codes):
    found = compare(manifest(BASE), manifest(edited(edits)))
    assert {each.code for each in found.changes} == codes
    assert found.required is max((CLASS[code].bump for code in codes), key=lambda b: b.rank)
    for each in found.changes:
        rule = CLASS[each.code]
        assert (each.bump, each.known, each.consent) == (rule.bump, rule.known, rule.consent)


SECTIONS = {
    "a name": PATCH,
    "a new optional setting": MINOR,
    "a setting removed": MAJOR,
    "another pattern": MAJOR,
}


def test_the_rows_above_have_the_class_of_their_heading():
    heading = None
    for name, (_, codes) in CASES.items():
        heading = SECTIONS.get(name, heading)
        if name == "a permission added":
            break
        if name in {"no more questions about the state", "settings where were others"}:
            continue  # told below, each by a test of its own
        assert max(CLASS[code].bump.rank for code in codes) == heading.rank, name
        unknown = not all(CLASS[code].known for code in codes)
        assert unknown is (heading is MAJOR and list(CASES).index(name) >= FIRST_UNKNOWN), name


FIRST_UNKNOWN = list(CASES).index("another pattern")


def change(edits, **base):
    before = edited(base, "1.0.0")
    after = edited({**base, **edits})
    return compare(manifest(before), manifest(after))


def test_consents_name_who_has_to_agree():
    found = change({"/permissions": ["rooms:read", "rooms:write"], f"{S}/mode/x-visibility": GONE})
    assert [each.consent for each in found.consents] == [Consenter.OPERATOR]
    found = change({f"{S}/secret/x-visibility": "public", "/baseUrl": "https://x.example.com"})
    assert {each.consent for each in found.consents} == set(Consenter)


def test_a_visibility_that_moves_into_what_is_not_compared_needs_consent_too():
    secret = {"allOf": [{"type": "string", "x-visibility": "private"}]}
    open_ = {"allOf": [{"type": "string", "x-visibility": "public"}]}
    found = change({f"{S}/secret": open_}, **{f"{S}/secret": secret})
    assert [each.code for each in found.changes] == ["KEYWORD_UNKNOWN"]
    assert [each.consent for each in found.consents] == [Consenter.ORGANIZER]


def test_the_strictest_of_several_words_on_visibility_is_not_dropped_in_silence():
    both = {"$ref": "#/$defs/short", "x-visibility": "organizer"}
    shared = {"type": "string", "x-visibility": "public"}
    base = {f"{S}/shared": both, "/settings/$defs/short": shared}
    found = change({f"{S}/shared/x-visibility": GONE}, **base)
    assert [each.code for each in found.changes] == ["VISIBILITY_LOOSER"]


def test_a_private_setting_that_is_gone_but_may_stay_needs_consent():
    found = change({f"{S}/secret": GONE, "/settings/additionalProperties": True})
    assert [each.consent for each in found.consents] == [Consenter.ORGANIZER]


def test_a_new_setting_where_others_could_stand_is_narrower():
    open_ = {"/settings/additionalProperties": True}
    assert change({f"{S}/extra": {"type": "string"}}, **open_).required is MAJOR
    assert change({f"{S}/extra": {"title": "Extra"}}, **open_).required is MINOR
    texts = {"/settings/additionalProperties": {"type": "string", "maxLength": 5}}
    assert change({f"{S}/extra": {"type": "string"}}, **texts).required is MINOR
    assert change({f"{S}/extra": {"type": "string", "maxLength": 4}}, **texts).required is MAJOR
    public = {"title": "Extra", "x-visibility": "public"}
    assert change({f"{S}/extra": public}, **open_).consents[0].consent is Consenter.ORGANIZER


def test_a_new_default_under_what_may_refuse_it_is_not_proved():
    needs = {"/settings/dependentRequired": {"secret": ["code"]}}
    found = change({f"{S}/secret/default": "x"}, **needs)
    unknown = found.changes[0]
    assert (unknown.code, unknown.known) == ("DEFAULT_UNPROVEN", False)
    assert unknown.pointer == "/settings/dependentRequired"
    assert change({f"{S}/secret/maxLength": 10}, **needs).required is MINOR


def test_a_new_setting_that_a_pattern_let_through_is_narrower():
    by_pattern = {"/settings/patternProperties": {"^ext": {"type": "integer"}}}
    assert change({f"{S}/extra": {"type": "string"}}, **by_pattern).required is MAJOR


def test_what_is_filled_in_is_tried_on_the_real_engine():
    counted = {"/settings/maxProperties": 8, "/settings/additionalProperties": True}
    found = change({f"{S}/secret/default": "x"}, **counted)
    assert "DEFAULT_UNPROVEN" in {each.code for each in found.changes}
    few = {"/settings/maxProperties": 8}
    assert change({f"{S}/secret/default": "x"}, **few).required is MINOR
    old = Manifest.of(BASE)
    new = Manifest.of(edited({f"{S}/secret/default": "longer than nine"}))
    assert "DEFAULT_INVALID" in {each.code for each in compare(old, new).changes}


def test_numbers_are_what_they_are_in_json():
    assert change({f"{S}/rows/minimum": 1.0}).changes == ()
    found = change({f"{S}/mode/enum": [1.0, "a"]}, **{f"{S}/mode/enum": [1, "a"]})
    assert found.changes == ()
    found = change({f"{S}/mode/enum": [True, "a"]}, **{f"{S}/mode/enum": [1, "a"]})
    assert [each.code for each in found.changes] == ["VALUES_NARROWER"]


def test_no_schema_means_no_settings_and_any_state():
    without = {"/settings": GONE, "/imports": GONE}
    found = change({"/settings": {"type": "object", "properties": {}}}, **without)
    assert {each.code for each in found.changes} == {"SAME_MEANING"}
    found = change({"/settings": {"type": "object"}}, **without)
    assert found.changes[0].code == "OTHERS_ACCEPTED"
    closed = {"type": "object", "additionalProperties": False, "properties": {"a": {}}}
    assert change({"/settings": closed}, **without).required is MINOR
    found = change({"/state": closed}, **{"/state": GONE})
    assert {each.code for each in found.changes} == {"OTHERS_REFUSED", "FIELD_ADDED"}
    assert found.required is MAJOR


def test_a_step_between_whole_numbers_may_be_divided():
    steps = {f"{S}/rows/multipleOf": 6, f"{S}/rows/default": 6, f"{S}/rows/maximum": 60}
    assert change({f"{S}/rows/multipleOf": 3}, **steps).required is MINOR
    assert change({f"{S}/rows/multipleOf": 1}, **steps).required is MINOR
    assert change({f"{S}/rows/multipleOf": 2.0}, **steps).required is MINOR
    assert change({f"{S}/rows/multipleOf": 12, f"{S}/rows/default": 12}, **steps).required is MAJOR
    assert not change({f"{S}/rows/multipleOf": 1.5}, **steps).changes[0].known


def test_another_id_is_another_app():
    new = edited({"/id": "tombola", "/events": GONE})
    assert "ID_CHANGED" in {each.code for each in compare(manifest(BASE), manifest(new)).changes}


def test_a_sentence_calls_a_setting_by_its_title():
    [told] = change({f"{S}/rows/maximum": 9}).changes
    assert told.message == "Settings, “Rows”: the largest number is 9 instead of 10"
    assert (told.pointer, told.before, told.after) == (f"{S}/rows/maximum", 10, 9)


def test_the_gravest_changes_come_first():
    found = change({"/meta/name": "T", f"{S}/rows/maximum": 9, f"{S}/extra": {"type": "string"}})
    assert [each.bump for each in found.changes] == [MAJOR, MINOR, PATCH]


def test_the_version_itself_is_no_change():
    old, new = (edited({"/serves": GONE}, version) for version in ("1.0.0", "7.0.0"))
    found = compare(manifest(old), manifest(new))
    assert (found.changes, found.required, found.sufficient) == ((), Bump.NONE, True)


def test_a_class_is_at_least_another():
    assert [bump.rank for bump in Bump] == [0, 1, 2, 3]
    assert MINOR.at_least(PATCH)
    assert MINOR.at_least(MINOR)
    assert not MINOR.at_least(MAJOR)


VERSIONS = [
    ("1.0.0", "1.0.1", "patch"),
    ("1.0.1", "1.1.0", "minor"),
    ("1.1.0", "2.0.0", "major"),
    ("1.2.3", "1.10.0", "minor"),
    ("1.0.0", "1.0.0", None),
    ("1.1.0", "1.0.9", None),
    ("1.0.0", "1.0.0+build.2", None),
    ("1.0.0", "1.0.0-rc.1", None),
    ("0.1.0", "0.1.1", "minor"),
    ("0.1.0", "0.2.0", "major"),
    ("0.0.1", "0.0.2", "major"),
    ("0.0.1", "0.1.0", "major"),
    ("0.9.0", "1.0.0", "major"),
    ("1.0.0", "1.1.0-rc.1", "minor"),
    ("1.0.0", "2.0.0-alpha", "major"),
    ("1.1.0-rc.1", "1.1.0-rc.2", "minor"),
    ("1.1.0-rc.1", "1.1.0", "minor"),
    ("2.0.0-rc.1", "2.0.0", "major"),
    ("1.0.1-rc.1", "1.0.1", "patch"),
    ("0.2.0-rc.1", "0.2.0", "major"),
    ("0.2.1-rc.1", "0.2.1", "minor"),
    ("0.0.3-rc.1", "0.0.3", "major"),
    ("1.1.0-rc.1", "1.2.0", "minor"),
]


@pytest.mark.parametrize(("old", "new", "declared"), VERSIONS)
def test_a_version_declares_how_far_it_moves(old, new, declared):
    assert Diff(old, new, ()).declared == declared


def of(bump):
    return Change("/x", "X", bump, known=True, message="")


@pytest.mark.parametrize(
    ("old", "new", "required", "sufficient", "least"),
    [
        ("1.0.0", "1.0.1", PATCH, True, "1.0.1"),
        ("1.0.0", "1.0.1", MINOR, False, "1.1.0"),
        ("1.0.0", "1.1.0", MINOR, True, "1.1.0"),
        ("1.0.0", "1.1.0", MAJOR, False, "2.0.0"),
        ("0.1.0", "0.1.1", MINOR, True, "0.1.1"),
        ("0.1.0", "0.1.1", MAJOR, False, "0.2.0"),
        ("0.0.1", "0.0.2", MAJOR, True, "0.0.2"),
        ("1.0.0", "1.0.0", PATCH, False, "1.0.1"),
        ("1.0.0", "0.9.0", PATCH, False, "1.0.1"),
    ],
)
def test_a_version_suffices_or_another_is_named(old, new, required, sufficient, least):
    assert Diff(old, new, (of(required),)).sufficient is sufficient
    assert least_version(old, required) == least


def test_the_same_version_suffices_for_the_same_content_only():
    assert Diff("1.0.0", "1.0.0", ()).sufficient
    assert not Diff("1.0.0", "0.9.0", ()).sufficient
    assert not Diff("1.0.0", "1.0.0", (of(PATCH),)).sufficient


def test_programs_read_the_same_as_json():
    found = as_json(change({f"{S}/rows/maximum": 9}))
    assert found == {
        "oldVersion": "1.0.0",
        "newVersion": "1.0.1",
        "required": "major",
        "declared": "patch",
        "sufficient": False,
        "changes": [
            {
                "pointer": f"{S}/rows/maximum",
                "code": "LIMIT_NARROWER",
                "class": "major",
                "known": True,
                "message": "Settings, “Rows”: the largest number is 9 instead of 10",
                "consent": None,
                "before": 10,
                "after": 9,
            }
        ],
    }
    assert json.loads(json.dumps(found)) == found


# --------------------------------------------------------------------------- real manifests


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.parent.name + "/" + path.name)
def test_a_real_manifest_and_itself_differ_in_nothing(path):
    document = json.loads(path.read_text(encoding="utf-8"))
    assert compare(manifest(document), manifest(deepcopy(document))).changes == ()


def places(value, path=()):
    yield path
    if isinstance(value, dict):
        for name, part in value.items():
            yield from places(part, (*path, name))
    if isinstance(value, list):
        for position, part in enumerate(value):
            yield from places(part, (*path, position))


def mutated(document, path):
    """Return the document without a part, and with another word in its place."""
    for other in (GONE, "other", 7):
        copy = deepcopy(document)
        inside = copy
        for part in path[:-1]:
            inside = inside[part]
        if other is GONE:
            del inside[path[-1]]
        elif type(inside[path[-1]]) is type(other) and inside[path[-1]] != other:
            inside[path[-1]] = other
        else:
            continue
        yield copy


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.parent.name + "/" + path.name)
def test_nothing_that_differs_in_a_real_manifest_is_passed_over(path):
    document = json.loads(path.read_text(encoding="utf-8"))
    found_places = [each for each in places(document) if each and each != ("meta", "version")]
    random.Random(5).shuffle(found_places)
    old, tried = manifest(document), 0
    for place in found_places[:15]:
        for other in mutated(document, place):
            report = validate_manifest(other)
            if report.manifest is None:
                continue
            tried += 1
            for found in (compare(old, report.manifest), compare(report.manifest, old)):
                assert found.changes, place
                assert not any(each.code == "PART_UNKNOWN" for each in found.changes), place
                for each in found.changes:
                    assert stands(each, document, other), (place, each)
    assert tried


def stands(change, *documents):
    for document in documents:
        try:
            find(document, change.pointer)
        except KeyError:
            continue
        return True
    return False


def test_a_part_that_no_rule_knows_is_major():
    old, new = Manifest.of(BASE), Manifest.of({**BASE, "strange": 1})
    for found in (compare(old, new), compare(new, old)):
        [told] = found.changes
        assert (told.pointer, told.code, told.known) == ("/strange", "PART_UNKNOWN", False)
        assert found.required is MAJOR
    new = Manifest.of(edited({"/actions/call/strange": True}))
    assert compare(old, new).required is MAJOR


# ------------------------------------------------------------------------------------ the page


def test_the_page_holds_the_same_table():
    page = (ROOT / "docs" / "reference" / "referee.md").read_text(encoding="utf-8")
    for rule in RULES:
        bump = f"{rule.bump}, because unknown" if not rule.known else str(rule.bump)
        consent = rule.consent or ""
        assert f"| `{rule.code}` | {bump} | {consent} | {rule.meaning} |".replace("  ", " ") in page
    assert page.count("\n| `") >= len(RULES)


def test_every_code_stands_in_the_table_once():
    assert len({rule.code for rule in RULES}) == len(RULES)
