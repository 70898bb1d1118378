"""JSON going out: written by orjson, times with milliseconds and Z."""

from typing import Any

import orjson
from pydantic import BaseModel
from quart.json.provider import JSONProvider

from mymozhem.rooms.views.base import to_json


def dumps(value: object) -> bytes:
    """Write a value as JSON; models by their aliases, without what was never set."""
    return orjson.dumps(value, default=_default)


def _default(value: object) -> object:
    if isinstance(value, BaseModel):
        return to_json(value)
    raise TypeError(type(value).__name__)


class OrjsonProvider(JSONProvider):
    """Lets Quart write with orjson; bodies are read elsewhere, more strictly."""

    def dumps(self, obj: Any, **_: Any) -> str:  # noqa: ANN401 - Quart's signature
        """Write a value."""
        return dumps(obj).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:  # noqa: ANN401 - Quart's signature
        """Read a value."""
        return orjson.loads(s)
