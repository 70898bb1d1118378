"""The bytes of a record: canonical JSON, put together from members without parsing the entries.

Pure functions that run in a thread: a million entries are 50 MB, which are copied and hashed, but
never become objects.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson

from mymozhem.contract import JsonObject

#: what is stored in one row, and held in memory for one reader
PART_BYTES = 1 << 20


@dataclass(frozen=True)
class RecordBytes:
    """A record as it is published: its bytes in pieces, and its own digest."""

    pieces: tuple[bytes, ...]
    digest: str

    @property
    def size(self) -> int:
        """The number of bytes."""
        return sum(map(len, self.pieces))


def build_record(members: JsonObject, texts: Mapping[str, str], entries: str) -> RecordBytes:
    """Return the record of a draw, sealed by the digest of all its other members.

    `texts` are further members as stored JSON. `entries` is the stored text, which is canonical
    JSON already: the digest that was published at the commit is the one of its bytes.
    """
    parsed = {name: orjson.loads(text) for name, text in texts.items()}
    written = {name: _canonical(value) for name, value in (members | parsed).items()}
    written["entries"] = entries.encode()
    hashed = hashlib.sha256()
    for piece in _pieces(written):
        hashed.update(piece)
    digest = hashed.hexdigest()
    written["recordDigest"] = _canonical(digest)
    return RecordBytes(tuple(_pieces(written)), digest)


def in_parts(pieces: Sequence[bytes]) -> Iterator[bytes]:
    """Yield the same bytes in parts of one size, the last one perhaps smaller."""
    buffer = bytearray()
    for piece in pieces:
        view = memoryview(piece)
        while view:
            taken = view[: PART_BYTES - len(buffer)]
            buffer += taken
            view = view[len(taken) :]
            if len(buffer) == PART_BYTES:
                yield bytes(buffer)
                buffer.clear()
    if buffer:
        yield bytes(buffer)


def _pieces(written: Mapping[str, bytes]) -> Iterator[bytes]:
    """Yield the canonical JSON of an object whose values are written already (RFC 8785)."""
    start = b"{"
    for name in sorted(written):
        yield start + _canonical(name) + b":"
        yield written[name]
        start = b","
    yield b"}"


def _canonical(value: object) -> bytes:
    # Canonical because a record has no fractions, and no names of members beyond ASCII.
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
