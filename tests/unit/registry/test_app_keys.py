"""Keys of remote apps: bound to their app, compared with the same effort, gone from sight."""

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mymozhem.auth.key_file import derive_material
from mymozhem.auth.keys import Keys, SealBroken
from mymozhem.contract.signing import PrivateKey, new_secret
from mymozhem.registry.app_keys import AT_ONCE, AppKey, NewKeys, SecretCheck, opened
from mymozhem.registry.tables import AppSecretRow, SecretKind

NOW = datetime(2030, 1, 1, tzinfo=UTC)


class Counting:
    """The host's keys, what was sealed with them, and how often something was opened."""

    def __init__(self) -> None:
        self.keys = Keys(derive_material("keys of a test that counts"))
        self.opened = 0
        self.sealed: list[str] = []

    def seal(self, plaintext: bytes, *, aad: bytes) -> bytes:
        self.sealed.append(plaintext.decode())
        return self.keys.seal(plaintext, aad=aad)

    def unseal(self, sealed: bytes, *, aad: bytes) -> bytes:
        self.opened += 1
        return self.keys.unseal(sealed, aad=aad)


@pytest.fixture
def sealer() -> Counting:
    return Counting()


def row(sealer, secret: str, *, app_id="raffle", kid="key_1") -> AppSecretRow:
    sealed = sealer.seal(secret.encode(), aad=f"app-key/{app_id}/{kid}".encode())
    return AppSecretRow(
        app_id=app_id, kid=kid, kind=SecretKind.SHARED, sealed=sealed, created_at=NOW
    )


def test_a_secret_fits_while_it_is_one_of_those_that_are_good(sealer):
    old, new = new_secret(), new_secret()
    rows = [row(sealer, new, kid="key_2"), row(sealer, old)]
    check = SecretCheck(sealer)
    assert check.matching(new, rows) == "key_2"
    assert check.matching(old, rows) == "key_1"
    assert check.matching(old, rows[:1]) is None
    assert check.matching(new[:-1], rows) is None


@pytest.mark.parametrize("case", ["right", "wrong", "nonsense", "no such app", "in its grace"])
def test_whatever_is_wrong_the_effort_is_the_same(sealer, case):
    secret = new_secret()
    rows = {"no such app": [], "in its grace": [row(sealer, new_secret()), row(sealer, secret)]}
    given = {"wrong": new_secret(), "nonsense": "x"}
    check = SecretCheck(sealer)
    check.matching(given.get(case, secret), rows.get(case, [row(sealer, secret)]))
    assert sealer.opened == AT_ONCE


def test_what_stands_for_no_app_is_nobody_s_secret(sealer):
    check = SecretCheck(sealer)
    assert len(sealer.sealed) == 1
    assert check.matching(sealer.sealed[0], []) is None


def test_a_sealed_secret_cannot_be_moved_to_another_app(sealer):
    mine = row(sealer, new_secret())
    mine.app_id = "other"
    with pytest.raises(SealBroken):
        opened(mine, sealer)


def test_no_key_is_shown_by_accident(sealer):
    secret = new_secret()
    key = opened(row(sealer, secret), sealer)
    private = Ed25519PrivateKey.generate()
    pair = AppKey("key_2", SecretKind.ED25519, PrivateKey(private), NOW, None)
    shown = f"{key!r} {pair!r} {NewKeys(secret, pair.public_key)!r}"
    assert secret.removeprefix("whsec_") not in shown
    assert private.private_bytes_raw().hex() not in shown
    assert key.public_key is None
    assert pair.public_key is not None
    assert pair.public_key.startswith("whpk_")
