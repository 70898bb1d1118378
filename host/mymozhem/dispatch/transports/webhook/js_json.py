"""JSON as `JSON.stringify` writes it, byte by byte.

Apps of the first platform parse the body, write it again, and verify the signature over that. So
the body must already be what JavaScript would write: without spaces, with its form of numbers, and
with keys that are array indices first, in ascending order. Source: ECMA-262, `JSON.stringify` and
`OrdinaryOwnPropertyKeys`.
"""

import json
import re
from collections.abc import Iterator

import rfc8785

_MAX_INTEGER = 2**53 - 1
_MAX_INDEX = 2**32 - 2
_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")
#: what compact JSON may hold that JavaScript writes in another way: such keys, floats, long numbers
_SUSPECT = re.compile(rb'"(?:0|[1-9][0-9]*)":|(?:":|[,\[])-?(?:[0-9]+[.eE]|[0-9]{16})')
_text = json.JSONEncoder(ensure_ascii=False).encode


def as_javascript(body: bytes) -> bytes:
    """Return compact JSON as JavaScript would write it after parsing it."""
    if not _SUSPECT.search(body):
        return body
    return "".join(_written(json.loads(body))).encode()


def _written(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        yield "{"
        for place, name in enumerate(_in_order(value)):
            yield f"{',' if place else ''}{_text(name)}:"
            yield from _written(value[name])
        yield "}"
    elif isinstance(value, list):
        yield "["
        for place, each in enumerate(value):
            if place:
                yield ","
            yield from _written(each)
        yield "]"
    elif isinstance(value, float) or (type(value) is int and abs(value) > _MAX_INTEGER):
        yield rfc8785.dumps(float(value)).decode()
    else:
        yield _text(value)


def _in_order(names: dict[str, object]) -> list[str]:
    indices = [each for each in names if _INDEX.fullmatch(each) and int(each) <= _MAX_INDEX]
    first = set(indices)
    return sorted(indices, key=int) + [each for each in names if each not in first]
