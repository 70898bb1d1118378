"""The inputs that an app is tried with: settings, answers and payloads, given or generated."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from mymozhem.contract import JsonObject
from mymozhem.contract.demo import SampleRoom
from mymozhem.manifests.model import ActionSpec
from mymozhem.manifests.settings import complete

from .app_lookup import App
from .schema_values import values_for

#: what an action without a schema of its payload is asked with
_NOTHING: JsonObject = {}


@dataclass(frozen=True)
class SampleInputs:
    """What an author asks for: settings of a room that can be played, payloads by action.

    `scenarios` are rooms whose actions are done in their order. `rounds` is how often every action
    is tried while the room is running.

    What is left out is taken from `examples` in the schemas and from the app's demo, or made.
    """

    settings: JsonObject | None = None
    payloads: Mapping[str, Sequence[JsonObject]] = field(default_factory=dict)
    answers: JsonObject | None = None
    rounds: int = 2
    scenarios: Sequence[SampleRoom] = ()


def settings_of(app: App, wishes: SampleInputs) -> list[JsonObject]:
    """Return valid, complete settings of rooms, the most believable first; all of them differ."""
    found: list[JsonObject] = []
    for wish in _settings(app, wishes):
        whole = complete(app.manifest.settings_outline, wish)
        fits = app.manifest.settings_validator.is_valid(whole)
        if isinstance(whole, dict) and fits and whole not in found:
            found.append(whole)
    return found


def answers_of(app: App, wishes: SampleInputs) -> list[JsonObject]:
    """Return valid answers of applicants; {} if there are no questions."""
    if wishes.answers is not None:
        return [wishes.answers]
    schema = app.manifest.registration
    return [{}] if schema is None else _objects(values_for(schema))


def payloads_of(
    name: str, spec: ActionSpec, wishes: SampleInputs, known: Mapping[str, JsonValue]
) -> list[JsonObject]:
    """Return valid payloads of an action; `known` are values by the name of a property."""
    said = [*wishes.payloads.get(name, ())]
    if spec.payload is None:
        return said or [_NOTHING]
    return said or _objects(values_for(spec.payload, known=known))


def names_in(settings: JsonObject) -> dict[str, JsonValue]:
    """Return ids in lists of the settings: `questionId` for the first of `questions`."""
    found: dict[str, JsonValue] = {}
    for name, value in settings.items():
        first = value[0] if isinstance(value, list) and value else None
        if isinstance(first, dict) and isinstance(first.get("id"), str):
            found[f"{name.removesuffix('s')}Id"] = first["id"]
    return found


def _settings(app: App, wishes: SampleInputs) -> Iterator[JsonValue]:
    if wishes.settings is not None:
        yield wishes.settings
        return
    schema = app.manifest.settings
    said = schema.get("examples") if schema is not None else None
    yield from said if isinstance(said, list) else ()
    yield from (sample.settings for sample in app.samples)
    yield from values_for(schema) if schema is not None else ()
    yield {}


def _objects(values: list[JsonValue]) -> list[JsonObject]:
    return [value for value in values if isinstance(value, dict)]
