"""Validation of a room's settings by a manifest against a ready validator of that schema."""

from collections.abc import Iterable

import jsonschema_rs

from mymozhem.manifests.validate import validate_manifest
from mymozhem.rooms.app_settings.update import check_settings

from .figures import Figure, at_most, best

CALLS = 2_000
ROUNDS = 20
TARGET = 1.2

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["title", "rounds"],
    "properties": {
        "title": {"type": "string", "minLength": 1, "maxLength": 80},
        "rounds": {"type": "integer", "minimum": 1, "maximum": 50},
        "theme": {"enum": ["plain", "birthday", "new-year", "corporate"]},
        "locale": {"type": "string", "pattern": "^[a-z]{2}(-[A-Z]{2})?$"},
        "shuffle": {"type": "boolean"},
        "points": {
            "type": "object",
            "additionalProperties": False,
            "required": ["right", "wrong"],
            "properties": {
                "right": {"type": "integer", "minimum": 0},
                "wrong": {"type": "integer", "maximum": 0},
                "bonus": {"type": "number", "minimum": 0, "maximum": 10},
            },
        },
        "questions": {
            "type": "array",
            "maxItems": 100,
            "items": {
                "type": "object",
                "required": ["text", "answers"],
                "properties": {
                    "text": {"type": "string", "maxLength": 300},
                    "answers": {
                        "type": "array",
                        "minItems": 2,
                        "items": {"type": "string", "maxLength": 100},
                    },
                    "right": {"type": "integer", "minimum": 0},
                },
            },
        },
    },
}
SETTINGS = {
    "title": "An evening of questions",
    "rounds": 3,
    "theme": "birthday",
    "locale": "en-GB",
    "shuffle": True,
    "points": {"right": 10, "wrong": -2, "bonus": 1.5},
    "questions": [
        {"text": f"Which number comes after {n}?", "answers": [str(n), str(n + 1)], "right": 1}
        for n in range(5)
    ],
}
MANIFEST = {
    "id": "bench",
    "meta": {"name": "Bench", "version": "1.0.0", "description": "Has settings."},
    "capabilities": [],
    "permissions": [],
    "settings": SCHEMA,
}


def measure() -> Iterable[Figure]:
    """Measure settings that are valid, as nearly all are."""
    manifest = validate_manifest(MANIFEST, registered_as="bench").manifest
    if manifest is None:
        raise SystemExit("the manifest of the benchmark is not valid")
    ready = jsonschema_rs.validator_for(SCHEMA)

    def bare() -> None:
        for _ in range(CALLS):
            if not ready.is_valid(SETTINGS):
                raise SystemExit("the settings of the benchmark are not valid")

    def ours() -> None:
        for _ in range(CALLS):
            check_settings(manifest, SETTINGS)

    least, most = (span / CALLS * 1e6 for span in best(bare, ours, rounds=ROUNDS))
    yield at_most("settings validation, 40-line schema", TARGET, bare=least, ours=most, unit="µs")
