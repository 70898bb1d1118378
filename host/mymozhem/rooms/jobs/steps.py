"""Randomness for hooks that is the same in every attempt of a call, and known to nobody else."""

import hmac

from mymozhem.auth.keys import Keys
from mymozhem.errors import NotFound

_CODE = "APP_NOT_FOUND"


def hook_seed(keys: Keys, cause: str) -> str:
    """Return 32 bytes in hex for what caused a call, such as a timer and its generation."""
    return hmac.digest(keys.derive("hook-seed"), cause.encode(), "sha256").hex()


def is_unknown_here(error: NotFound) -> bool:
    """Tell whether work is to be left to others, or for a moment, as its app is not known here."""
    return error.code == _CODE
