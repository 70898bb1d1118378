"""The contract as JSON Schemas, for authors in other languages; generated from the types.

`python -m mymozhem.contract.schemas DIR` writes them.
"""

import json
import sys
from pathlib import Path

from pydantic import BaseModel, JsonValue, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from .effects import Effect
from .events import HOST_EVENTS
from .hooks import HOOKS
from .payloads import Context
from .versions import CONTRACT_VERSION

DIALECT = GenerateJsonSchema.schema_dialect
BASE = f"urn:mymozhem:contract:{CONTRACT_VERSION}"


def contract_schemas() -> dict[str, dict[str, JsonValue]]:
    """Return every schema of the contract by file name: context, hooks, effects, events.

    Requests are described as an app receives them, results as the host accepts them. The result is
    the same every time.
    """
    types: dict[str, type[BaseModel]] = {"context": Context}
    for hook in HOOKS:
        types[f"{hook.name}.request"] = hook.request
        types[f"{hook.name}.result"] = hook.result
    for name, event in HOST_EVENTS.items():
        types[f"event.{name.replace(':', '.')}"] = event
    adapters = {name: TypeAdapter[object](found) for name, found in types.items()}
    adapters["effect"] = TypeAdapter(Effect)
    return {f"{name}.schema.json": _schema(name, adapters[name]) for name in sorted(adapters)}


def write_schemas(folder: Path) -> None:
    """Write every schema into a folder and remove the schemas of types that no longer exist.

    Idempotent. OSError if the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    schemas = contract_schemas()
    for stale in set(folder.glob("*.schema.json")) - {folder / name for name in schemas}:
        stale.unlink()
    for name, schema in schemas.items():
        (folder / name).write_text(as_text(schema), encoding="utf-8")


def as_text(schema: dict[str, JsonValue]) -> str:
    """Return a schema as the text of its file."""
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _schema(name: str, adapter: TypeAdapter[object]) -> dict[str, JsonValue]:
    described = adapter.json_schema(by_alias=True, mode="validation")
    return {"$schema": DIALECT, "$id": f"{BASE}:{name}", **described}


if __name__ == "__main__":
    write_schemas(Path(sys.argv[1]))
