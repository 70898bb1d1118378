"""Randomness for hooks that is the same in every attempt of a call, and known to nobody else."""

import hmac

from mymozhem.auth.keys import Keys


def hook_seed(keys: Keys, cause: str) -> str:
    """Return 32 bytes in hex for what caused a call, such as a timer and its generation."""
    return hmac.digest(keys.derive("hook-seed"), cause.encode(), "sha256").hex()
