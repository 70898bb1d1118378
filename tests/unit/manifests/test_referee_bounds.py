"""Whatever two manifests say, the referee is done in seconds, and says it in megabytes.

Each pair here took minutes, or gigabytes, before it was bounded.
"""

import json
import time

import pytest

from mymozhem.manifests.referee import as_json, compare
from mymozhem.manifests.validate import validate_manifest

MEGABYTES = 2**20

#: CPU seconds, so that other work on the machine does not count
SECONDS = 30.0


@pytest.fixture(autouse=True)
def _within_seconds():
    began = time.process_time()
    yield
    assert time.process_time() - began < SECONDS


def diff(said):
    """Return what differs between two manifests, which `said` makes of 0 and of 1."""
    reports = [
        validate_manifest(
            {
                "id": "any",
                "meta": {"name": "Any", "version": f"1.{turn}.0", "description": ""},
                "permissions": [],
                **said(turn),
            }
        )
        for turn in (0, 1)
    ]
    assert [each.problems for each in reports] == [(), ()]
    return compare(*(each.manifest for each in reports))


def closed(properties, **more):
    return {"type": "object", "additionalProperties": False, "properties": properties, **more}


def codes(found):
    return {each.code for each in found.changes}


def bytes_of(found):
    return len(json.dumps(as_json(found)))


def test_majors_of_the_contract_are_not_counted_one_by_one():
    last = ("2.0", "2000000000000.0")
    assert codes(diff(lambda turn: {"contract": f">=1.0 <{last[turn]}"})) == {"CONTRACT_MAJOR"}


def test_majors_between_bounds_that_lie_apart_are_majors_too():
    gap = ("!=5.0.0", "!=6.0.0")
    assert codes(diff(lambda turn: {"contract": f">=1.0 <9.0 {gap[turn]}"})) == {"CONTRACT_RANGE"}
    less = ("<9.0", "<8.0")
    assert codes(diff(lambda turn: {"contract": f">=1.0 {less[turn]}"})) == {"CONTRACT_MAJOR"}


def test_a_required_name_is_told_where_it_stands_without_all_the_others():
    found = diff(lambda turn: {"state": {"required": [f"{turn}{n}" for n in range(5_000)]}})
    assert len(found.changes) == 10_000
    assert bytes_of(found) < 4 * MEGABYTES
    added = next(each for each in found.changes if each.code == "REQUIRED_ADDED")
    assert (added.before, added.after) == (None, "10")
    assert added.pointer == "/state/required/0"


def test_a_long_title_is_not_repeated_for_all_that_is_below_it():
    def said(turn):
        below = {f"p{n}": {"type": "integer", "maximum": n + turn} for n in range(1_000)}
        return {"settings": closed({"all": closed(below, title="t" * 100_000)})}

    found = diff(said)
    assert len(found.changes) == 1_000
    assert bytes_of(found) < MEGABYTES
    assert "“ttt" in found.changes[0].message


def test_thousands_of_keywords_that_nobody_knows_are_looked_at_once():
    found = diff(lambda turn: {"settings": {f"k{n}": turn for n in range(20_000)}})
    assert len(found.changes) == 20_000
    assert codes(found) == {"KEYWORD_UNKNOWN"}


def test_what_many_fields_refer_to_is_compared_once():
    def said(turn):
        shared = {"enum": [f"v{n}" for n in range(15_000 + turn)]}
        fields = {f"p{n}": {"$ref": "#/$defs/shared"} for n in range(1_500)}
        return {"settings": {"$defs": {"shared": shared}, **closed(fields)}}

    assert codes(diff(said)) == {"KEYWORD_UNKNOWN", "SAME_MEANING"}


def test_defaults_are_proved_without_what_they_do_not_refer_to():
    def said(turn):
        shared = {"enum": [f"v{n}" for n in range(15_000)]}
        fields = {f"p{n}": {"type": "integer", "default": turn} for n in range(1_500)}
        return {"settings": {"$defs": {"shared": shared}, **closed(fields)}}

    assert codes(diff(said)) == {"DEFAULT_CHANGED"}


def test_defaults_that_would_take_long_to_prove_are_not_guessed():
    def said(turn):
        shared = {"enum": [f"v{n}" for n in range(15_000)]}
        field = {"$ref": "#/$defs/shared", "default": f"v{turn}"}
        return {
            "settings": {"$defs": {"shared": shared}, **closed({f"p{n}": field for n in range(90)})}
        }

    found = diff(said)
    assert "DEFAULT_UNPROVEN" in codes(found)
    proved = {"/settings/properties/p0", "/settings/properties/p1"}
    told = {each.pointer for each in found.changes if each.code == "DEFAULT_UNPROVEN"}
    assert proved.isdisjoint(told)
