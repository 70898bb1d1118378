"""The contract's schemas are what its types say, and what is committed."""

import json
from pathlib import Path

import jsonschema_rs
import pytest

from mymozhem.contract import HOOKS
from mymozhem.contract.events import HOST_EVENTS
from mymozhem.contract.schemas import as_text, contract_schemas, write_schemas
from mymozhem.resources import resource_root

COMMITTED = Path(str(resource_root())) / "v1" / "contract"
SCHEMAS = contract_schemas()


def test_the_committed_schemas_are_those_of_the_types():
    committed = {file.name: file.read_text(encoding="utf-8") for file in COMMITTED.iterdir()}
    assert committed == {name: as_text(schema) for name, schema in SCHEMAS.items()}, (
        "run `python -m mymozhem.contract.schemas manifests/v1/contract`"
    )


def test_there_is_a_schema_for_everything_that_travels():
    expected = {"context.schema.json", "effect.schema.json"}
    expected |= {
        f"{hook.name}.{part}.schema.json" for hook in HOOKS for part in ("request", "result")
    }
    expected |= {f"event.{name.replace(':', '.')}.schema.json" for name in HOST_EVENTS}
    assert set(SCHEMAS) == expected


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one_and_names_its_fields_as_the_wire_does(name):
    assert jsonschema_rs.validator_for(SCHEMAS[name])
    fields = json.loads(as_text(SCHEMAS[name])).get("properties", {})
    assert not any("_" in field for field in fields)


def test_writing_drops_what_no_type_stands_for(tmp_path):
    stale = tmp_path / "old.request.schema.json"
    stale.write_text("{}", encoding="utf-8")
    write_schemas(tmp_path)
    write_schemas(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == set(SCHEMAS)
