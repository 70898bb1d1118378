"""What a winner shows to collect a prize: a code and a colour to compare, a claim to scan.

All three are derived from the room's secret and the participant's id, so nothing is stored per
person. The stage shows the code and the colour; only the winner's phone shows the claim.
"""

import hashlib
import hmac
from dataclasses import dataclass

#: letters and digits that nobody confuses when reading them aloud
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"

#: safe for colour-blind people (Okabe and Ito); always shown beside the code
COLOURS = ("orange", "sky", "green", "yellow", "blue", "red", "pink", "white")

CODE_LENGTH = 6
CLAIM_LENGTH = 26  # 130 bits


@dataclass(frozen=True)
class Token:
    """What one winner shows."""

    participant_id: str
    code: str
    colour: str
    claim: str


def new_secret(seed: str) -> str:
    """Return a secret for a room, made from random bytes of the host."""
    return hashlib.sha256(f"lottery secret/{seed}".encode()).hexdigest()


def token_of(secret: str, participant_id: str) -> Token:
    """Return what a participant shows; the result is always the same for one secret."""
    mark = hmac.digest(secret.encode(), f"show/{participant_id}".encode(), "sha256")
    proof = hmac.digest(secret.encode(), f"claim/{participant_id}".encode(), "sha256")
    code = _letters(mark, CODE_LENGTH)
    return Token(
        participant_id=participant_id,
        code=f"{code[:3]}-{code[3:]}",
        colour=COLOURS[mark[-1] % len(COLOURS)],
        claim=f"{participant_id}.{_letters(proof, CLAIM_LENGTH)}",
    )


def claimant(secret: str, shown: str) -> str | None:
    """Return the participant whose claim was scanned, or None if the claim is not valid."""
    participant_id, dot, _ = shown.rpartition(".")
    if not dot:
        return None
    claim = token_of(secret, participant_id).claim
    return participant_id if hmac.compare_digest(claim.encode(), shown.encode()) else None


def same_code(code: str, shown: str) -> bool:
    """Return whether the right code was typed; spaces and case do not matter."""
    return _bare(code) == _bare(shown)


def _bare(text: str) -> str:
    return "".join(text.upper().replace("-", " ").split())


def _letters(data: bytes, length: int) -> str:
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in data[:length])
