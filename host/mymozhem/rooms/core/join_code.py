"""Join codes: eight characters that are hard to confuse, and six digits while doors are open."""

import re
import secrets

#: no vowels (no words by accident), no 0/O, 1/I/L, 2/Z, 5/S, 8/B
ALPHABET = "346789CDFGHJKMNPQRTVWXY"
LENGTH = 8

_SHORT = re.compile(r"[0-9]{6}")


def new_code() -> str:
    """Return a random code; about 78 billion exist."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def new_short_code() -> str:
    """Return six random digits."""
    return f"{secrets.randbelow(10**6):06}"


def is_short_code(normal: str) -> bool:
    """Return whether a code in its stored form is one of six digits; no other code is."""
    return _SHORT.fullmatch(normal) is not None


def normal_code(given: str) -> str:
    """Return a typed code in its stored form; spaces, dashes and case do not matter."""
    return "".join(character for character in given.upper() if character.isalnum())[:64]
