"""Canonical JSON (RFC 8785): one byte form per document, so that all compute the same digest."""

import hashlib

import rfc8785

#: not every JSON parser keeps integers beyond ± this limit exactly
MAX_INTEGER = 2**53 - 1


def canonical_json(document: object) -> bytes:
    """Return the canonical JSON of a document; ValueError if JSON cannot express it.

    Integers beyond ±(2⁵³-1), NaN and infinities are refused. Source: RFC 8785.
    """
    return rfc8785.dumps(document)  # type: ignore[arg-type]  # its own type is a closed JSON union


def digest(document: object) -> str:
    """Return the lower-case hex SHA-256 of the document's canonical JSON."""
    return hashlib.sha256(canonical_json(document)).hexdigest()
