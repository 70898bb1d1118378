"""Checks of the shipped documents: manifest schema, examples, and schemas of the contract."""

import json
from collections.abc import Iterator, Mapping
from importlib.resources.abc import Traversable

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from mymozhem.contract import Level, RoomStatus, Strategy
from mymozhem.contract.hooks import CAPABILITIES
from mymozhem.contract.schemas import as_text, contract_schemas
from mymozhem.manifests.validate import validate_manifest
from mymozhem.resources import resource_root

from . import Check, holds, same


def check_manifests() -> Iterator[Check]:
    """Check the schema of manifests, and that every example has the expected problems."""
    folder = resource_root() / "v1"
    schema = json.loads(folder.joinpath("manifest.schema.json").read_text(encoding="utf-8"))
    yield _well_formed("manifest.schema.json", schema)
    yield from _named(schema)
    for example in _sorted(folder / "examples" / "valid"):
        report = validate_manifest(example.read_bytes())
        problems = "; ".join(f"{each.pointer} {each.code}" for each in report.problems)
        yield holds(f"example {example.name}: valid", report.valid, problems)
    yield from _invalid(folder / "examples")


def check_contract() -> Iterator[Check]:
    """Check that the shipped schemas are those that the types generate."""
    folder = resource_root() / "v1" / "contract"
    expected = contract_schemas()
    yield same("contract: files", [each.name for each in _sorted(folder)], sorted(expected))
    for name, schema in expected.items():
        yield _well_formed(name, schema)
        shipped = folder.joinpath(name).read_text(encoding="utf-8")
        yield holds(f"{name}: as generated", shipped == as_text(schema), "it has drifted")


def _named(schema: Mapping[str, object]) -> Iterator[Check]:
    """Check that the schema of manifests contains every name of the contract's lists."""
    text = json.dumps(schema)
    names = {
        "capability": CAPABILITIES,
        "level": {str(level) for level in Level},
        "status": {str(status) for status in RoomStatus},
        "strategy": {str(strategy) for strategy in Strategy},
    }
    for kind, known in names.items():
        for name in sorted(known):
            yield holds(
                f"manifest.schema.json: knows the {kind} {name}", f'"{name}"' in text, "missing"
            )


def _invalid(folder: Traversable) -> Iterator[Check]:
    index = json.loads(folder.joinpath("invalid.index.json").read_text(encoding="utf-8"))
    listed = sorted(entry["file"] for entry in index)
    yield same("invalid examples", [each.name for each in _sorted(folder / "invalid")], listed)
    for entry in index:
        report = validate_manifest(folder.joinpath("invalid", entry["file"]).read_bytes())
        found = sorted((each.pointer, each.code) for each in report.problems)
        expected = sorted((each["pointer"], each["code"]) for each in entry["problems"])
        yield same(f"example {entry['file']}: refused", found, expected)
        hints = all(each.hint for each in report.problems)
        yield holds(f"example {entry['file']}: says what to do", hints, "a hint is missing")


def _well_formed(name: str, schema: object) -> Check:
    try:
        Draft202012Validator.check_schema(schema)  # type: ignore[arg-type]  # check_schema reports what is wrong
    except SchemaError as error:
        return Check(f"{name}: a schema", error.message)
    return Check(f"{name}: a schema", None)


def _sorted(folder: Traversable) -> list[Traversable]:
    return sorted(folder.iterdir(), key=lambda each: each.name)
