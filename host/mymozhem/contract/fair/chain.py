"""The hash chain that fixes every secret of a room's draws before anybody joins.

A secret `s` of 32 bytes is hashed 65,536 times; the result, the anchor, is published first. Link
`k` is `s` hashed 65,536 - k times, so that hashing link `k` another `k` times gives the anchor.
From a link, anybody can compute the links before it (which are used already) and none after it.

Source: the one-time passwords of draft-thomson-elegy-vrs-00, which are those of Lamport (1981).
"""

import hashlib
import hmac
import secrets

from mymozhem.contract.fair.errors import ChainExhausted

CHAIN_LENGTH = 65_536
SECRET_BYTES = 32


def new_secret() -> bytes:
    """Return 32 random bytes, the secret of one room; keep it sealed and put it in no record."""
    return secrets.token_bytes(SECRET_BYTES)


def anchor(secret: bytes) -> bytes:
    """Return the 32 bytes to publish before anybody joins; they reveal no link."""
    return _hashed(secret, times=CHAIN_LENGTH)


def link(secret: bytes, index: int) -> bytes:
    """Return link `index` (1 to 65535) of the secret's chain; ChainExhausted for any other index.

    Draws take the links in ascending order, each once, whether they complete or are voided.
    """
    if not 1 <= index < CHAIN_LENGTH:
        raise ChainExhausted(f"a chain has no link {index}; its links are 1 to {CHAIN_LENGTH - 1}")
    return _hashed(secret, times=CHAIN_LENGTH - index)


def link_matches(link: bytes, index: int, anchor: bytes) -> bool:
    """Return whether the link, hashed `index` times, is the anchor; False beyond the chain."""
    if not 1 <= index < CHAIN_LENGTH:
        return False
    return hmac.compare_digest(_hashed(link, times=index), anchor)


def _hashed(value: bytes, *, times: int) -> bytes:
    sha256 = hashlib.sha256
    for _ in range(times):
        value = sha256(value).digest()
    return value
