"""What the referee calls patch or minor breaks nothing: proved on thousands of pairs of schemas.

Schemas, their changes and their values come from seeds; what is valid is said by the engine that
the host uses. MYMOZHEM_REFEREE_EXAMPLES says how many pairs are tried.
"""

import os
import random
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from mymozhem.contract import Level
from mymozhem.manifests.declared_settings import SettingsValidator
from mymozhem.manifests.model import Manifest
from mymozhem.manifests.referee import Bump, compare
from mymozhem.manifests.schema_safety import check_schema
from mymozhem.manifests.settings import apply_defaults, project
from mymozhem.manifests.validators import compile_schema
from tests.unit.manifests.referee_schemas import changed, root, value

EXAMPLES = int(os.environ.get("MYMOZHEM_REFEREE_EXAMPLES", "500"))
VALUES = 12
PAIRS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
SEEDS = given(seed=st.integers(0, 2**64 - 1))


def pair(seed, seen):
    """Return the random numbers of a seed, and two schemas that may be used; None where not."""
    rng = random.Random(seed)
    old = root(rng)
    new = root(rng) if rng.random() < 0.1 else changed(rng, old)
    seen["pairs"] += 1
    if check_schema(old) or check_schema(new):
        seen["unusable"] += 1
        return rng, None
    return rng, (old, new)


def manifest(part, schema, version="1.0.0"):
    meta = {"name": "Any", "version": version, "description": ""}
    return Manifest.of({"id": "any", "meta": meta, "permissions": [], part: schema})


def values_of(rng, schema, seen):
    made = [value(rng, schema) for _ in range(VALUES)]
    valid = [each for each in made if compile_schema(schema).is_valid(each)]
    seen["values"] += len(valid)
    seen["objects with something in them"] += sum(1 for each in valid if each)
    return valid


def judged(part, old, new, seen):
    diff = compare(manifest(part, old), manifest(part, new, "1.0.1"))
    seen[diff.required] += 1
    soft = diff.required in {Bump.PATCH, Bump.MINOR}
    seen["soft"] += soft
    return diff, soft


def assert_not_vacuous(seen):
    tried = seen["pairs"] - seen["unusable"]
    assert seen["unusable"] < seen["pairs"] / 5, seen
    assert seen[Bump.MINOR] > tried / 10, seen
    assert seen[Bump.MAJOR] > tried / 10, seen
    assert seen["proofs"] > 2 * seen["soft"], seen
    assert seen["objects with something in them"] > seen["values"] / 3, seen


def test_settings_that_were_valid_are_valid_after_defaults_under_what_is_patch_or_minor():
    seen = Counter()

    @PAIRS
    @SEEDS
    def holds(seed):
        rng, schemas = pair(seed, seen)
        if schemas is None:
            return
        old, new = schemas
        diff, soft = judged("settings", old, new, seen)
        if not soft:
            return
        before, after = SettingsValidator(old), SettingsValidator(new)
        for given_value in values_of(rng, old, seen):
            if not before.is_valid(apply_defaults(old, given_value)):
                continue  # no room holds it: settings are completed before they are stored
            seen["proofs"] += 1
            now = apply_defaults(new, given_value)
            seen["completed"] += now != given_value
            assert after.is_valid(now), (old, new, given_value, now, diff.changes)

    holds()
    assert_not_vacuous(seen)
    assert seen["completed"] > seen["proofs"] / 10, seen


@pytest.mark.parametrize("part", ["state", "registration"])
def test_values_that_were_valid_are_valid_as_they_are_under_what_is_patch_or_minor(part):
    seen = Counter()

    @PAIRS
    @SEEDS
    def holds(seed):
        rng, schemas = pair(seed, seen)
        if schemas is None:
            return
        old, new = schemas
        diff, soft = judged(part, old, new, seen)
        if not soft:
            return
        after = compile_schema(new)
        for given_value in values_of(rng, old, seen):
            seen["proofs"] += 1
            assert after.is_valid(given_value), (old, new, given_value, diff.changes)

    holds()
    assert_not_vacuous(seen)


def test_nobody_sees_more_of_settings_under_what_is_patch_or_minor():
    seen = Counter()

    @PAIRS
    @SEEDS
    def holds(seed):
        rng, schemas = pair(seed, seen)
        if schemas is None:
            return
        old, new = schemas
        diff, soft = judged("settings", old, new, seen)
        if not soft:
            return
        for given_value in values_of(rng, old, seen):
            for level in (Level.PUBLIC, Level.ORGANIZER):
                before, after = (project(said, given_value, level) for said in (old, new))
                seen["proofs"] += 1
                seen["hidden"] += before != given_value
                assert is_part(after, before), (old, new, given_value, level, diff.changes)

    holds()
    assert_not_vacuous(seen)
    assert seen["hidden"] > seen["proofs"] / 10, seen


def is_part(less, more):
    """Tell whether one value shows nothing that the other does not."""
    if less in ({}, []):
        return True
    if isinstance(less, dict) and isinstance(more, dict):
        return all(name in more and is_part(less[name], more[name]) for name in less)
    if isinstance(less, list) and isinstance(more, list):
        return len(less) <= len(more) and all(
            any(is_part(each, other) for other in more) for each in less
        )
    return less == more


def test_a_schema_and_itself_differ_in_nothing():
    @settings(PAIRS, max_examples=min(EXAMPLES, 300))
    @SEEDS
    def holds(seed):
        rng = random.Random(seed)
        said = root(rng)
        if not check_schema(said):
            for part in ("settings", "state", "registration"):
                assert compare(manifest(part, said), manifest(part, said, "9.0.0")).changes == ()

    holds()
