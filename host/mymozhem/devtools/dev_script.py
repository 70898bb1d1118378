"""A scripted scenario of `mymozhem app dev`: steps in a JSON file, or those of a sample room."""

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError

from mymozhem.contract import JsonObject
from mymozhem.errors import Invalid


class Step(BaseModel):
    """An action, then what the participants submit to the window that is open.

    `by` is the name of a participant; None is the organizer. `answers` are in the order of the
    participants, null for one who does not submit; without `answers` all answer automatically.
    `pause` are seconds to wait afterwards.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: str
    payload: JsonObject = {}
    by: str | None = None
    answers: tuple[JsonValue, ...] | None = None
    pause: float = 0.0


_STEPS = TypeAdapter(list[Step])


def read_script(file: Path) -> list[Step]:
    """Return the steps in a file; raises `Invalid` if it is no script."""
    try:
        return _STEPS.validate_python(json.loads(file.read_bytes()))
    except (OSError, ValueError, ValidationError) as error:
        raise Invalid(
            f'{file} is no script: {error}. Write a list such as [{{"action": "ask", "payload": '
            '{}, "answers": [{"answer": "yes"}]}].'
        ) from error


def steps_of(script: list[JsonObject]) -> list[Step]:
    """Return the steps of a sample room."""
    return _STEPS.validate_python(script)
