"""`mymozhem check` finds whatever the code and what is written about it disagree on."""

import copy
import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from mymozhem.cli import cli
from mymozhem.cli.checks import Check, Result, holds, run_checks, same
from mymozhem.cli.checks.models import compare, describe, expectation
from mymozhem.db.all_tables import import_tables

FEWEST = 88


def leaves(node: object, path: tuple = ()) -> Iterator[tuple]:
    """Yield the way to every text of a document."""
    if isinstance(node, dict):
        for key, each in node.items():
            yield from leaves(each, (*path, key))
    elif isinstance(node, list):
        for at, each in enumerate(node):
            yield from leaves(each, (*path, at))
    else:
        yield path


def changed(document: dict, path: tuple) -> dict:
    mutated = copy.deepcopy(document)
    node = mutated
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] += " OTHER"
    return mutated


def problems(checks: Iterator[Check]) -> list[Check]:
    return [check for check in checks if check.problem is not None]


def test_the_house_holds_and_says_how_many_checks_were_made():
    result = CliRunner().invoke(cli, ["check", "--format", "json"])
    said = json.loads(result.stdout)
    assert (result.exit_code, said["ok"]) == (0, True)
    assert said["checks"] > FEWEST


def test_any_change_of_any_fact_about_the_models_is_found():
    found = describe(import_tables())
    written = expectation()
    missed = [
        path for path in leaves(written) if not problems(compare(found, changed(written, path)))
    ]
    assert missed == []


@pytest.mark.parametrize("part", ["columns", "indexes", "relations"])
def test_what_is_not_written_about_is_found(part):
    found = describe(import_tables())
    found["rooms"][part]["strange"] = "new"
    (check,) = problems(compare(found, describe(import_tables())))
    assert check.name == f"rooms: {part}"


def test_a_table_that_nobody_wrote_about_is_found():
    found = describe(import_tables())
    found["strange"] = found["rooms"]
    assert [check.name for check in problems(compare(found, describe(import_tables())))] == [
        "tables"
    ]


def test_the_first_check_that_fails_is_the_last_that_is_made():
    told = []

    def section() -> Iterator[Check]:
        yield holds("the door", condition=True, otherwise="is shut")
        yield same("the lamp", "off", "on")
        yield same("the bell", "rings", "rings")

    result = run_checks({"house": section}, lambda name, check: told.append((name, check.name)))
    problem = "the code has 'off', the expectation says 'on'"
    assert result == Result(2, ("house", Check("the lamp", problem)))
    assert told == [("house", "the door"), ("house", "the lamp")]
