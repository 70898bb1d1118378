"""Migrations that a manifest is published with can be read, and lead somewhere."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mymozhem.contract import VersionRange
from mymozhem.manifests.format_checks import MANIFEST_SCHEMA
from mymozhem.manifests.settings import complete
from mymozhem.manifests.settings_migrations.apply import down, route, route_down, up
from mymozhem.manifests.settings_migrations.semantic_checks import can_hold
from mymozhem.manifests.validate import validate_manifest
from mymozhem.resources import resource_root
from tests.unit.manifests.test_migrate import ANY_STEP, STEPS

EXAMPLE = Path(str(resource_root())) / "v1" / "examples" / "valid" / "migrations.json"


def document(*entries, version="2.0.0"):
    meta = {"name": "A", "version": version, "description": ""}
    return {"meta": meta, "permissions": [], "migrations": list(entries)}


@settings(max_examples=400)
@given(st.lists(ANY_STEP, min_size=1, max_size=2))
def test_what_is_valid_can_be_read_and_what_cannot_be_read_is_not_valid(steps):
    whole = document({"from": "<2.0.0", "to": "2.0.0", "steps": steps, "down": steps})
    report = validate_manifest(whole)
    assert not report.valid or len(report.manifest.migrations) == 1
    for problem in report.problems:
        assert problem.code.startswith("STEP_")
        assert problem.hint


def test_the_schema_knows_the_steps_that_are_known():
    named = MANIFEST_SCHEMA["$defs"]["steps"]["items"]["properties"]["op"]["enum"]
    known = STEPS.json_schema()["items"]["discriminator"]["mapping"]
    assert sorted(named) == sorted(known)
    assert {f"{op}Step" for op in named} <= set(MANIFEST_SCHEMA["$defs"])


@pytest.mark.parametrize(
    ("text", "possible"),
    [
        ("<1", True),
        (">=1 <2", True),
        (">1 <=1", False),
        (">=1 <=1", True),
        (">=1 <=1 !=1", False),
        (">=1 <=1.0.1 !=1", True),
        ("==1 ==1.0.0", True),
        ("==1 ==2", False),
        ("==1 <1", False),
        (">=2 <1", False),
        (">1 >=1.5 <1.4", False),
        ("!=1", True),
    ],
)
def test_a_range_that_no_version_satisfies_is_seen(text, possible):
    assert can_hold(VersionRange.parse(text).parts) is possible


VERSIONS = [f"{major}.{minor}.0{pre}" for major in range(3) for minor in range(2)
            for pre in ("", "-rc.1")]  # fmt: skip
RANGES = st.lists(
    st.tuples(st.sampled_from([">=", "<=", ">", "<", "==", "!="]), st.sampled_from(VERSIONS)),
    min_size=1, max_size=4,
).map(lambda parts: " ".join(f"{op}{version}" for op, version in parts))  # fmt: skip


@given(RANGES)
def test_a_range_is_never_called_empty_that_holds_a_version(text):
    parsed = VersionRange.parse(text)
    assert can_hold(parsed.parts) or not any(version in parsed for version in VERSIONS)


def test_the_valid_example_carries_what_it_says():
    manifest = validate_manifest(EXAMPLE.read_bytes()).manifest
    before = {
        "heading": "Loud!", "volume": "high", "sound": "clap.ogg", "currency": "RUB",
        "rows": ["A", "B"],
    }  # fmt: skip
    after = up(before, route("1.2.0", manifest))
    assert after == {
        "title": "Applause", "volume": 9, "sound": {"file": "clap.ogg", "loop": True},
        "rows": [{"name": "A", "currency": "RUB"}, {"name": "B", "currency": "RUB"}],
    }  # fmt: skip
    whole = complete(manifest.settings_outline, after)
    assert manifest.settings_validator.errors(whole) == []
    assert down(whole, route_down(manifest, "1.2.0")) == {
        "heading": "Applause", "volume": "high", "sound": "clap.ogg", "rows": ["A", "B"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("entry", "version", "codes"),
    [
        ({"from": "<2", "to": "2.0.0+b"}, "2.0.0+a", []),
        ({"from": ">=1 <2", "to": "2.0.0-rc.1"}, "2.0.0", ["MIGRATION_ENDLESS"]),
        ({"from": ">=1 <2.0.0-rc.1", "to": "2.0.0-rc.1"}, "2.0.0", []),
        ({"from": "<2", "to": "2.0.0"}, "2.0.0-rc.1", ["MIGRATION_BEYOND"]),
        ({"from": "<2", "to": "2.0.0"}, "next", ["VERSION_NOT_SEMVER"]),
        ({"from": "==2.0.0 ==1.0.0", "to": "2.0.0"}, "2.0.0", ["MIGRATION_NOWHERE"]),
    ],
)
def test_versions_are_compared_as_versions(entry, version, codes):
    report = validate_manifest(document({**entry, "steps": []}, version=version))
    assert [problem.code for problem in report.problems] == codes


def test_many_entries_may_lead_to_one_version_from_different_ones():
    entries = [{"from": f"=={n}.0.0", "to": "999.0.0", "steps": []} for n in range(100)]
    assert validate_manifest(document(*entries, version="999.0.0")).valid
