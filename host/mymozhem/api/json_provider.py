"""JSON output: written by orjson, times with milliseconds and Z."""

from typing import Any

import orjson
from pydantic import BaseModel
from quart.json.provider import JSONProvider

from mymozhem.rooms.views.base import to_json


def dumps(value: object) -> bytes:
    """Return a value as JSON; models by their aliases, without unset fields."""
    return orjson.dumps(value, default=_default)


def _default(value: object) -> object:
    if isinstance(value, BaseModel):
        return to_json(value)
    raise TypeError(type(value).__name__)


class OrjsonProvider(JSONProvider):
    """Lets Quart write JSON with orjson; request bodies are parsed elsewhere, more strictly."""

    def dumps(self, obj: Any, **_: Any) -> str:  # noqa: ANN401 - Quart's signature
        """Return a value as JSON text."""
        return dumps(obj).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:  # noqa: ANN401 - Quart's signature
        """Parse a JSON text."""
        return orjson.loads(s)
