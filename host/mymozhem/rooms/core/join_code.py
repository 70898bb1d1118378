"""Join codes: eight characters that are hard to confuse when read aloud."""

import secrets

#: no vowels (no words by accident), no 0/O, 1/I/L, 2/Z, 5/S, 8/B
ALPHABET = "346789CDFGHJKMNPQRTVWXY"
LENGTH = 8


def new_code() -> str:
    """Return a random code; about 78 billion exist."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def normal_code(given: str) -> str:
    """Return a typed code in its stored form; spaces, dashes and case do not matter."""
    return "".join(character for character in given.upper() if character.isalnum())[:64]
