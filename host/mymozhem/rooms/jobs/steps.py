"""What several jobs share: the seed of a hook call, and apps that are unknown to this process."""

import hmac

from mymozhem.auth.keys import Keys
from mymozhem.errors import NotFound

_CODE = "APP_NOT_FOUND"


def hook_seed(keys: Keys, cause: str) -> str:
    """Return 32 secret bytes in hex for the cause of a call; the same in every attempt."""
    return hmac.digest(keys.derive("hook-seed"), cause.encode(), "sha256").hex()


def is_unknown_here(error: NotFound) -> bool:
    """Return whether the work is for another process or for later: its app is unknown."""
    return error.code == _CODE
