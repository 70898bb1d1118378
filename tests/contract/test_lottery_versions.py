"""Drafts of the first lottery are carried to the second one and back, and lose nothing of both."""

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mymozhem.manifests.model import Manifest
from mymozhem.manifests.settings import apply_defaults
from mymozhem.manifests.settings_migrations.apply import down, route, route_down, up
from mymozhem.manifests.validate import validate_manifest
from mymozhem.manifests.validators import compile_schema

WHEEL = Path(__file__).parents[1] / "releases" / "mymozhem_lottery-1.0.0-py3-none-any.whl"


def first_document() -> dict[str, Any]:
    with ZipFile(WHEEL) as wheel:
        return json.loads(wheel.read("mymozhem_lottery/manifest.json"))


FIRST = Manifest.of(first_document(), registered_as="lottery")
SECOND = validate_manifest(
    files("mymozhem_lottery").joinpath("manifest.json").read_bytes(), registered_as="lottery"
).manifest
assert SECOND is not None

presence = st.fixed_dictionaries(
    {"onlyPresent": st.booleans(), "presentWithinSeconds": st.integers(10, 86_400)}
)
drafts = st.builds(
    lambda one, other: one | other,
    presence,
    st.fixed_dictionaries(
        {},
        optional={
            "theme": st.sampled_from(["new-year", "generic"]),
            "drawDate": st.just("2030-12-31T20:00:00Z"),
            "allowMultipleWins": st.booleans(),
            "excludedPeople": st.lists(st.text("abc", min_size=1, max_size=3), unique=True),
            "selectionMethod": st.sampled_from(["vrs", "rfc3797"]),
            "ticketCount": st.integers(1, 1_000_000),
        },
    ),
)


def problems(manifest: Manifest, settings: object) -> Iterator[str]:
    yield from (each.message for each in compile_schema(manifest.settings).errors(settings))


@given(draft=drafts)
def test_a_draft_comes_up_valid_and_goes_back_as_it_was(draft):
    before = apply_defaults(FIRST.settings, draft)
    raised = up(before, route("1.0.0", SECOND))
    after = apply_defaults(SECOND.settings, raised)
    assert list(problems(SECOND, after)) == []
    who = "present" if draft["onlyPresent"] else "everyone"
    seconds = draft["presentWithinSeconds"]
    assert after["presence"] == {"who": who, "withinSeconds": seconds}
    assert after["reserves"] == 0
    assert after == raised
    lowered = down(after, route_down(SECOND, "1.0.0"))
    assert list(problems(FIRST, lowered)) == []
    assert lowered == before


@given(reserves=st.integers(0, 1_000), who=st.sampled_from(["everyone", "present"]))
def test_a_draft_made_with_the_second_one_goes_back_without_its_reserves_alone(reserves, who):
    made = {"reserves": reserves, "presence": {"who": who, "withinSeconds": 30}}
    lowered = down(apply_defaults(SECOND.settings, made), route_down(SECOND, "1.0.0"))
    assert list(problems(FIRST, lowered)) == []
    assert (lowered["onlyPresent"], lowered["presentWithinSeconds"]) == (who == "present", 30)
    again = apply_defaults(SECOND.settings, up(lowered, route("1.0.0", SECOND)))
    assert again == apply_defaults(SECOND.settings, made | {"reserves": 0})


@pytest.mark.parametrize("before", [{}, {"onlyPresent": True}, {"presentWithinSeconds": 30}])
def test_a_draft_that_leaves_something_open_is_completed(before):
    raised = up(before, route("1.0.0", SECOND))
    assert list(problems(SECOND, apply_defaults(SECOND.settings, raised))) == []


@pytest.mark.parametrize(
    "state",
    [
        {"public": {}, "organizer": {}, "private": {}},
        {"public": {"drawAt": None}, "organizer": {}, "private": {"secret": "5e" * 32}},
    ],
)
def test_a_state_of_the_first_one_is_a_state_of_the_second(state):
    for manifest in (FIRST, SECOND):
        assert compile_schema(manifest.state).errors(state) == []


def test_the_second_one_serves_no_room_of_the_first():
    assert "1.0.0" not in SECOND.serves
    assert "2.0.0" in SECOND.serves
