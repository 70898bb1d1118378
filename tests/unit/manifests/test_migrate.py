"""Steps change settings as they say, whatever the settings are; routes chain them over versions."""

from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from mymozhem.contract.canonical_json import canonical_json
from mymozhem.manifests.model import Manifest
from mymozhem.manifests.settings_migrations import draft
from mymozhem.manifests.settings_migrations.apply import (
    Migration,
    MigrationFailed,
    Step,
    apply_steps,
    down,
    route,
    route_down,
    up,
)

STEPS = TypeAdapter(tuple[Step, ...])
LIMIT = 256 * 1024


def done(before, *steps):
    return apply_steps(before, STEPS.validate_python(steps))


@pytest.mark.parametrize(
    ("step", "before", "after"),
    [
        ({"op": "rename", "path": "/a", "to": "b"}, {"a": 1, "c": 2}, {"b": 1, "c": 2}),
        ({"op": "rename", "path": "/a", "to": "b"}, {"a": 1, "b": 2}, {"b": 1}),
        ({"op": "rename", "path": "/a", "to": "b"}, {"b": 2}, {"b": 2}),
        ({"op": "rename", "path": "/a", "to": "a"}, {"a": 1}, {"a": 1}),
        ({"op": "rename", "path": "/a/b", "to": "c"}, {"a": {"b": 1}}, {"a": {"c": 1}}),
        ({"op": "rename", "path": "/a/b", "to": "c"}, {"a": [{"b": 1}]}, {"a": [{"b": 1}]}),
        ({"op": "rename", "path": "/a/b", "to": "c"}, {"a": None}, {"a": None}),
        (
            {"op": "rename", "path": "/a/*/b", "to": "c"},
            {"a": [{"b": 1}, {"d": 2}, 3, {"b": None}]},
            {"a": [{"c": 1}, {"d": 2}, 3, {"c": None}]},
        ),
        (
            {"op": "rename", "path": "/a/*/b", "to": "c"},
            {"a": {"x": {"b": 1}, "y": {"b": 2}}}, {"a": {"x": {"c": 1}, "y": {"c": 2}}},
        ),
        (
            {"op": "rename", "path": "/*/*/b", "to": "c"},
            {"a": [{"b": 1}], "d": 1, "e": {"b": {"b": 2}}},
            {"a": [{"c": 1}], "d": 1, "e": {"b": {"c": 2}}},
        ),
        ({"op": "rename", "path": "/a~1b/~0", "to": "c"}, {"a/b": {"~": 1}}, {"a/b": {"c": 1}}),
        ({"op": "move", "from": "/a", "path": "/b/c/d"}, {"a": 1}, {"b": {"c": {"d": 1}}}),
        ({"op": "move", "from": "/a", "path": "/b/c"}, {"a": 1, "b": {}}, {"b": {"c": 1}}),
        ({"op": "move", "from": "/a", "path": "/b"}, {"a": 1, "b": 2}, {"b": 1}),
        ({"op": "move", "from": "/a", "path": "/b/c"}, {"b": 2}, {"b": 2}),
        ({"op": "move", "from": "/a", "path": "/a/b"}, {"a": 1}, {"a": {"b": 1}}),
        ({"op": "move", "from": "/a/b", "path": "/a"}, {"a": {"b": 1, "c": 2}}, {"a": 1}),
        ({"op": "move", "from": "/a", "path": "/a"}, {"a": 1}, {"a": 1}),
        (
            {"op": "move", "from": "/a/*", "path": "/a/*/b"},
            {"a": [1, {"c": 2}]}, {"a": [{"b": 1}, {"b": {"c": 2}}]},
        ),
        (
            {"op": "move", "from": "/a/*", "path": "/a/*/b"},
            {"a": {"x": 1, "y": []}}, {"a": {"x": {"b": 1}, "y": {"b": []}}},
        ),
        (
            {"op": "move", "from": "/a/*/b", "path": "/a/*"},
            {"a": [{"b": 1, "c": 2}, {"c": 3}]}, {"a": [1, {"c": 3}]},
        ),
        ({"op": "move", "from": "/a/*", "path": "/a/*"}, {"a": [1, 2]}, {"a": [1, 2]}),
        (
            {"op": "move", "from": "/a/*/b", "path": "/a/*/c/d"},
            {"a": [{"b": 1}, {}]}, {"a": [{"c": {"d": 1}}, {}]},
        ),
        (
            {"op": "move", "from": "/a", "path": "/b/*/a"},
            {"a": 1, "b": [{}, {"a": 2}]}, {"b": [{"a": 1}, {"a": 1}]},
        ),
        ({"op": "move", "from": "/a", "path": "/b/*/a"}, {"a": 1, "b": []}, {"b": []}),
        ({"op": "copy", "from": "/a", "path": "/b/c"}, {"a": [1]}, {"a": [1], "b": {"c": [1]}}),
        (
            {"op": "copy", "from": "/a", "path": "/a/b"},
            {"a": {"c": 1}}, {"a": {"c": 1, "b": {"c": 1}}},
        ),
        (
            {"op": "copy", "from": "/a", "path": "/a/*"},
            {"a": {"x": 1, "y": 2}}, {"a": {"x": {"x": 1, "y": 2}, "y": {"x": 1, "y": 2}}},
        ),
        (
            {"op": "copy", "from": "/a/*/b", "path": "/a/*/c/*/b"},
            {"a": [{"b": 1, "c": [{}, {}]}, {"b": 2, "c": [{}]}]},
            {"a": [{"b": 1, "c": [{"b": 1}, {"b": 1}]}, {"b": 2, "c": [{"b": 2}]}]},
        ),
        ({"op": "set", "path": "/a/b", "value": [1]}, {}, {"a": {"b": [1]}}),
        ({"op": "set", "path": "/a", "value": None}, {"a": 1}, {"a": None}),
        ({"op": "set", "path": "/a/*", "value": 0}, {"a": [1, {}]}, {"a": [0, 0]}),
        ({"op": "set", "path": "/a/*/b", "value": 0}, {"a": [{}, {"b": 1}]}, {"a": [{"b": 0}] * 2}),
        ({"op": "set", "path": "/a/*/b", "value": 0}, {"a": 1}, {"a": 1}),
        ({"op": "set", "path": "/a/*/b", "value": 0}, {}, {}),
        ({"op": "set", "path": "/0/-", "value": 0}, {}, {"0": {"-": 0}}),
        ({"op": "default", "path": "/a/b", "value": 1}, {}, {"a": {"b": 1}}),
        ({"op": "default", "path": "/a/b", "value": 1}, {"a": {"b": None}}, {"a": {"b": None}}),
        (
            {"op": "default", "path": "/a/*/b", "value": 1},
            {"a": [{}, {"b": 2}]}, {"a": [{"b": 1}, {"b": 2}]},
        ),
        ({"op": "remove", "path": "/a/b"}, {"a": {"b": 1}}, {"a": {}}),
        ({"op": "remove", "path": "/a/b"}, {"a": 1}, {"a": 1}),
        ({"op": "remove", "path": "/a/*"}, {"a": [1, 2, 3]}, {"a": []}),
        ({"op": "remove", "path": "/a/*"}, {"a": {"b": 1, "c": 2}}, {"a": {}}),
        ({"op": "remove", "path": "/a/*/b"}, {"a": [{"b": 1}, 2]}, {"a": [{}, 2]}),
        (
            {"op": "map", "path": "/a", "values": [{"from": 1, "to": "one"}]},
            {"a": 1.0}, {"a": "one"},
        ),
        ({"op": "map", "path": "/a", "values": [{"from": 1, "to": 0}]}, {"a": True}, {"a": True}),
        ({"op": "map", "path": "/a", "values": [{"from": 0, "to": 1}]}, {"a": False}, {"a": False}),
        (
            {"op": "map", "path": "/a", "values": [{"from": [1], "to": 0}]},
            {"a": [True]}, {"a": [True]},
        ),
        ({"op": "map", "path": "/a", "values": [{"from": [1], "to": 0}]}, {"a": [1.0]}, {"a": 0}),
        (
            {"op": "map", "path": "/a", "values": [{"from": {"b": 1, "c": 2}, "to": 0}]},
            {"a": {"c": 2, "b": 1}}, {"a": 0},
        ),
        (
            {"op": "map", "path": "/a/*", "values": [{"from": 1, "to": 2}, {"from": 2, "to": 1}]},
            {"a": [1, 2, 3]}, {"a": [2, 1, 3]},
        ),
        (
            {"op": "map", "path": "/a/*", "values": [{"from": 1, "to": 2}], "otherwise": None},
            {"a": [1, 2, None]}, {"a": [2, None, None]},
        ),
        ({"op": "map", "path": "/a", "values": [], "otherwise": 1}, {}, {}),
    ],
)  # fmt: skip
def test_a_step_does_what_it_says_and_leaves_its_input_as_it_is(step, before, after):
    given_, steps = deepcopy(before), STEPS.validate_python([step])
    result = apply_steps(given_, steps)
    assert canonical_json(result) == canonical_json(after)
    assert given_ == before
    assert steps == STEPS.validate_python([step])


@pytest.mark.parametrize(
    ("step", "before", "code", "pointer"),
    [
        ({"op": "set", "path": "/a/b", "value": 1}, {"a": 1}, "TARGET_IN_SCALAR", "/a"),
        ({"op": "set", "path": "/a/b", "value": 1}, {"a": None}, "TARGET_IN_SCALAR", "/a"),
        ({"op": "set", "path": "/a/b/c", "value": 1}, {"a": "x"}, "TARGET_IN_SCALAR", "/a"),
        ({"op": "default", "path": "/a/b", "value": 1}, {"a": 1}, "TARGET_IN_SCALAR", "/a"),
        ({"op": "set", "path": "/a/0", "value": 1}, {"a": [5]}, "TARGET_IN_LIST", "/a"),
        ({"op": "set", "path": "/a/-", "value": 1}, {"a": []}, "TARGET_IN_LIST", "/a"),
        ({"op": "set", "path": "/a/0/b", "value": 1}, {"a": [{}]}, "TARGET_IN_LIST", "/a"),
        ({"op": "set", "path": "/a/*/b", "value": 1}, {"a": [{}, 2]}, "TARGET_IN_SCALAR", "/a/1"),
        ({"op": "move", "from": "/b", "path": "/a/b"}, {"a": 1, "b": 2}, "TARGET_IN_SCALAR", "/a"),
        ({"op": "move", "from": "/a", "path": "/a/*/b"}, {"a": [1]}, "TARGET_IN_SCALAR", "/a"),
        ({"op": "copy", "from": "/a", "path": "/a/b"}, {"a": 1}, "TARGET_IN_SCALAR", "/a"),
        ({"op": "set", "path": "/" + "a/" * 32, "value": 1}, {}, "TOO_DEEP", ""),
        ({"op": "set", "path": "/a", "value": "x" * LIMIT}, {}, "TOO_LARGE", "/a"),
        ({"op": "remove", "path": "/a"}, {"a": float("nan")}, "NUMBER_RANGE", "/a"),
        ({"op": "remove", "path": "/a"}, {"a": 2**60}, "NUMBER_RANGE", "/a"),
        ({"op": "remove", "path": "/a"}, {"a": "\ud800"}, "LONE_SURROGATE", "/a"),
        ({"op": "remove", "path": "/a"}, {"a": "x" * LIMIT}, "TOO_LARGE", ""),
        ({"op": "remove", "path": "/a"}, {"a": (1,)}, "NOT_JSON", "/a"),
        ({"op": "remove", "path": "/a"}, [], "NOT_JSON", ""),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_told_with_its_place(step, before, code, pointer):
    kept = deepcopy(before)
    with pytest.raises(MigrationFailed) as failed:
        done(before, step)
    assert (failed.value.code, failed.value.pointer) == (code, pointer)
    assert repr(before) == repr(kept)


def test_a_failure_names_the_step_and_the_version_it_leads_to():
    steps = [{"op": "remove", "path": "/b"}, {"op": "set", "path": "/a/b", "value": 1}]
    entry = Migration.model_validate({"from": "==1.0.0", "to": "1.1.0", "steps": steps})
    with pytest.raises(
        MigrationFailed, match=r"to 1\.1\.0, step 1, at /a: this is no object"
    ) as it:
        up({"a": 1}, [entry])
    assert (it.value.step, it.value.to) == (1, "1.1.0")


@pytest.mark.parametrize(
    "steps",
    [
        [{"op": "copy", "from": "/a", "path": f"/a/{n}"} for n in range(60)],
        [{"op": "copy", "from": "/text", "path": "/list/*/x"}],
        [{"op": "set", "path": "/list/*", "value": "x" * 10_000}],
        [{"op": "map", "path": "/list/*", "values": [{"from": 1, "to": "x" * 10_000}]}],
        [{"op": "map", "path": "/list/*", "values": [], "otherwise": ["x" * 10_000]}],
    ],
)
def test_a_few_steps_cannot_make_gigabytes(steps):
    objects = any("x" in step.get("path", "") for step in steps)
    many = [{}] * 20_000 if objects else [1] * 100_000
    with pytest.raises(MigrationFailed) as failed:
        done({"a": {"b": "x" * 100}, "text": "y" * 100_000, "list": many}, *steps)
    assert failed.value.code == "TOO_LARGE"


@pytest.mark.parametrize(
    ("steps", "before"),
    [
        ([{"op": "map", "path": "/a/*", "values": [], "otherwise": 1}], {"a": [1] * 4_000}),
        ([{"op": "default", "path": "/a/*/b/*/c", "value": 1}], {"a": [{"b": [{"c": 1}] * 80}]}),
        ([{"op": "move", "from": "/a", "path": "/a"}], {"a": "x" * 10_000}),
    ],
)
def test_a_few_steps_cannot_take_minutes(steps, before, monkeypatch):
    monkeypatch.setattr(draft, "MAX_WORK", 20_000)
    done(before, *steps)
    with pytest.raises(MigrationFailed) as failed:
        done(before, *(steps * 500))
    assert failed.value.code == "TOO_MUCH_WORK"


def test_the_steps_of_a_whole_route_may_take_as_much_as_those_of_one_entry(monkeypatch):
    monkeypatch.setattr(draft, "MAX_WORK", 20_000)
    steps = [{"op": "map", "path": "/a/*", "values": [], "otherwise": 1}]
    entry = Migration.model_validate({"from": "==1.0.0", "to": "1.1.0", "steps": steps})
    with pytest.raises(MigrationFailed) as failed:
        up({"a": [1] * 4_000}, [entry] * 6)
    assert (failed.value.code, failed.value.step) == ("TOO_MUCH_WORK", 0)


def test_what_is_replaced_or_taken_away_makes_room():
    large = {"a": "x" * (LIMIT - 100)}
    steps = [
        {"op": "move", "from": "/a", "path": "/b/c"},
        {"op": "set", "path": "/b/c", "value": "y" * (LIMIT - 100)},
        {"op": "remove", "path": "/b"},
        {"op": "set", "path": "/a", "value": "z" * (LIMIT - 100)},
    ]
    assert done(large, *(steps * 40)) == {"a": "z" * (LIMIT - 100)}


def test_settings_share_nothing_with_the_steps():
    steps = STEPS.validate_python([{"op": "set", "path": "/*/b", "value": {"c": []}}])
    first = apply_steps({"x": {}, "y": {}}, steps)
    first["x"]["b"]["c"].append(1)
    assert first["y"]["b"] == {"c": []}
    assert apply_steps({"x": {}}, steps) == {"x": {"b": {"c": []}}}


@pytest.mark.parametrize(
    "step",
    [
        {"op": "add", "path": "/a", "value": 1},
        {"op": "remove", "path": "a"},
        {"op": "remove", "path": ""},
        {"op": "rename", "path": "/a/*", "to": "b"},
        {"op": "move", "from": "/a/*/b", "path": "/c"},
        {"op": "copy", "from": "/a/*/b/*", "path": "/a/*/b"},
        {"op": "set", "path": "/a"},
    ],
)
def test_what_is_no_step_is_not_read(step):
    with pytest.raises(ValidationError):
        STEPS.validate_python([step])


NAMES = st.sampled_from(["a", "b", "*", "0", "~1", ""])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(lambda names: "/" + "/".join(names))
SCALARS = st.none() | st.booleans() | st.integers(-1, 2) | st.sampled_from([0.0, 1.0, "", "a"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "*", "0", "/", ""]), inner, max_size=3)
    ),
    max_leaves=12,
)
SETTINGS = st.dictionaries(st.sampled_from(["a", "b", "*", "0", "/", ""]), VALUES, max_size=4)
ANY_STEP = st.one_of(
    st.fixed_dictionaries({"op": st.just("rename"), "path": PATHS, "to": NAMES}),
    st.fixed_dictionaries({"op": st.sampled_from(["move", "copy"]), "from": PATHS, "path": PATHS}),
    st.fixed_dictionaries(
        {"op": st.sampled_from(["set", "default"]), "path": PATHS, "value": VALUES}
    ),
    st.fixed_dictionaries({"op": st.just("remove"), "path": PATHS}),
    st.fixed_dictionaries(
        {
            "op": st.just("map"),
            "path": PATHS,
            "values": st.lists(st.fixed_dictionaries({"from": VALUES, "to": VALUES}), max_size=2),
        },
        optional={"otherwise": VALUES},
    ),
)


@settings(max_examples=300)
@given(before=SETTINGS, steps=st.lists(ANY_STEP, min_size=1, max_size=6))
def test_whatever_the_settings_are_nothing_but_the_typed_failure_is_raised(before, steps):
    read = []
    for step in steps:
        try:
            read += STEPS.validate_python([step])
        except ValidationError:
            continue
    kept = canonical_json(before)
    outcome = came_of(before, read)
    assert came_of(dict(reversed(before.items())), read) == outcome
    assert canonical_json(before) == kept


def came_of(before, steps):
    try:
        return canonical_json(apply_steps(before, steps))
    except MigrationFailed:
        return None


def manifest(version, *migrations):
    meta = {"name": "A", "version": version, "description": ""}
    return Manifest.of({"meta": meta, "permissions": [], "migrations": list(migrations)})


def hop(start, to, **more):
    """Return an entry whose steps leave their trail in the settings."""
    steps = [
        {"op": "default", "path": "/trail", "value": ""},
        {"op": "map", "path": "/trail", "values": [], "otherwise": to},
    ]
    return {"from": start, "to": to, "steps": steps, **more}


def led(entries):
    return None if entries is None else [(each.start, each.to) for each in entries]


@pytest.mark.parametrize(
    ("source", "target", "between", "expected"),
    [
        ("1.0.0", manifest("2.0.0"), [], []),
        ("1.0.0", manifest("1.0.0", hop("==1.0.0", "1.0.0")), [], []),
        ("2.0.0", manifest("1.0.0"), [], None),
        ("1.0.0", manifest("2.0.0", hop("<2.0", "2.0.0")), [], [("<2.0", "2.0.0")]),
        ("1.0.0+a", manifest("2.0.0+b", hop("==1.0.0", "2.0.0")), [], [("==1.0.0", "2.0.0")]),
        # chained, whatever the order in the list
        (
            "1.0.0",
            manifest("3.0.0", hop(">=2 <3", "3.0.0"), hop(">=1 <2", "2.0.0")), [],
            [(">=1 <2", "2.0.0"), (">=2 <3", "3.0.0")],
        ),
        # the furthest that does not pass the target
        (
            "1.0.0",
            manifest("3.0.0", hop("<2", "1.5.0"), hop("<2", "2.5.0"), hop("<3", "3.1.0")), [],
            [("<2", "2.5.0")],
        ),
        # the target's own word first, even where another leads further
        (
            "1.0.0",
            manifest("3.0.0", hop("<1.5", "1.5.0")), [manifest("2.0.0", hop("<2", "2.0.0"))],
            [("<1.5", "1.5.0"), ("<2", "2.0.0")],
        ),
        # then those between, the newest first; what is not between is passed over
        (
            "1.0.0", manifest("3.0.0"),
            [
                manifest("1.0.0", hop("<2", "2.4.0")),
                manifest("2.0.0", hop("<2.0", "2.0.0")),
                manifest("2.5.0", hop("<=1.9", "2.0.0")),
                manifest("4.0.0", hop("<2", "2.9.0")),
            ],
            [("<=1.9", "2.0.0")],
        ),
        # reaching an end below the target
        ("1.0.0", manifest("2.3.0", hop("<2", "2.0.0")), [], [("<2", "2.0.0")]),
        # an entry that starts elsewhere, or leads nowhere
        ("1.0.0", manifest("2.0.0", hop(">=1.1", "2.0.0"), hop(">=1", "1.0.0")), [], []),
        # prereleases are versions as well
        ("1.0.0", manifest("2.0.0-rc.1", hop("<2", "2.0.0")), [], []),
    ],
)  # fmt: skip
def test_a_route_is_chained_upwards(source, target, between, expected):
    assert led(route(source, target, between)) == expected
    assert led(route(source, target, list(reversed(between)))) == expected


def renamed(start, to, before, after):
    return {
        "from": start,
        "to": to,
        "steps": [{"op": "rename", "path": f"/{before}", "to": after}],
        "down": [{"op": "rename", "path": f"/{after}", "to": before}],
    }


def test_the_way_down_is_the_way_up_backwards():
    target = manifest(
        "3.0.0", renamed("<2", "2.0.0", "a", "b"), renamed(">=2 <3", "3.0.0", "b", "c")
    )
    way, back = route("1.0.0", target), route_down(target, "1.0.0")
    assert led(way) == [("<2", "2.0.0"), (">=2 <3", "3.0.0")]
    assert led(back) == [(">=2 <3", "3.0.0"), ("<2", "2.0.0")]
    assert up({"a": 1}, way) == {"c": 1}
    assert down({"c": 1}, back) == {"a": 1}


def test_there_is_no_way_down_to_what_is_not_older():
    target = manifest("2.0.0", renamed("<2", "2.0.0", "a", "b"))
    assert route_down(target, "2.0.0") == ()
    assert route_down(target, "3.0.0") == ()


def test_an_entry_without_a_way_back_changes_nothing_on_it():
    target = manifest("2.0.0", hop("<2", "2.0.0"))
    assert down({"a": 1}, route_down(target, "1.0.0")) == {"a": 1}


def test_entries_from_before_steps_had_a_meaning_are_passed_over():
    old = {"from": "<2", "to": "2.0.0", "steps": [{"op": "rename", "from": "/a", "to": "/b"}]}
    assert manifest("2.0.0", old, {"from": "old", "to": "new", "steps": []}).migrations == ()
    assert led(route("1.0.0", manifest("2.0.0", old, hop("<2", "2.0.0")))) == [("<2", "2.0.0")]
