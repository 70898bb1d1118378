"""The operator's keys: made once, kept private, and good for what they are for."""

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from mymozhem.auth.key_file import KeysRefused, derive_key, derive_material
from mymozhem.auth.keys import KEY_FILE, Keys, SealBroken, key_id
from mymozhem.config import Settings

SECRET = "correct horse battery staple, 7 times"
KEYS = Keys(derive_material(SECRET))
OTHERS = Keys(derive_material(SECRET + "!"))


def settings_of(folder, **more) -> Settings:
    return Settings(data_dir=folder, **more)


def public_of(keys: Keys) -> list[str]:
    return [each["kid"] for each in keys.jwks()["keys"]]


def test_the_first_start_makes_keys_that_later_starts_use(tmp_path):
    first, second = (Keys.load(settings_of(tmp_path / "data")) for _ in range(2))
    assert public_of(first) == public_of(second)
    assert second.unseal(first.seal(b"link", aad=b"room"), aad=b"room") == b"link"
    assert first.person_id("an-app", "usr_1") == second.person_id("an-app", "usr_1")
    assert first.derive("cursor") == second.derive("cursor")


def test_only_the_owner_can_read_the_file_and_nothing_else_is_left_behind(tmp_path):
    Keys.load(settings_of(tmp_path))
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [KEY_FILE]


def test_processes_that_start_together_agree_on_one_file(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        loaded = list(pool.map(lambda _: Keys.load(settings_of(tmp_path)), range(8)))
    assert len({keys.derive("cursor") for keys in loaded}) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o622])
def test_a_file_that_others_can_reach_is_refused_in_production(tmp_path, mode):
    Keys.load(settings_of(tmp_path))
    (tmp_path / KEY_FILE).chmod(mode)
    with pytest.raises(KeysRefused, match="chmod 600"):
        Keys.load(settings_of(tmp_path))
    assert Keys.load(settings_of(tmp_path, environment="test")).jwks()["keys"]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "null",
        "\xff",
        '{"format": 2}',
        '{"format": 1}',
        '{"format": 1, "signing": [], "sealing": [], "mac": ""}',
        '{"format": 1, "signing": ["c2hvcnQ="], "sealing": ["c2hvcnQ="], "mac": "c2hvcnQ="}',
        '{"format": 1, "signing": 7, "sealing": 7, "mac": 7}',
    ],
)
def test_a_file_without_keys_is_refused_and_not_replaced(tmp_path, content):
    file = tmp_path / KEY_FILE
    file.write_text(content, encoding="latin-1")
    file.chmod(0o600)
    with pytest.raises(KeysRefused, match="restore it from a backup"):
        Keys.load(settings_of(tmp_path))
    assert file.read_text(encoding="latin-1") == content


def test_a_refused_file_is_not_quoted(tmp_path):
    (tmp_path / KEY_FILE).write_text('{"format": 1, "signing": ["TOPSECRET"]}')
    with pytest.raises(KeysRefused) as refused:
        Keys.load(settings_of(tmp_path, environment="test"))
    assert "TOPSECRET" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_a_set_secret_gives_the_same_keys_everywhere_and_no_file(tmp_path):
    one = Keys.load(settings_of(tmp_path / "one", secret_key=SECRET))
    two = Keys.load(settings_of(tmp_path / "two", secret_key=SECRET))
    assert public_of(one) == public_of(two) == public_of(KEYS) != public_of(OTHERS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "weak",
    ["a" * 64, "abcabcabcabcabcabcabcabcabcabcabcabc", "please-changeme-before-you-go-live-1234"],
)
def test_a_secret_that_can_be_guessed_is_refused_in_production_only(tmp_path, weak):
    with pytest.raises(KeysRefused, match="MYMOZHEM_SECRET_KEY"):
        Keys.load(settings_of(tmp_path, secret_key=weak))
    assert Keys.load(settings_of(tmp_path, secret_key=weak, environment="demo")).jwks()["keys"]


def test_several_keys_are_accepted_and_the_first_one_signs_and_seals(tmp_path):
    old = Keys.load(settings_of(tmp_path))
    sealed = old.seal(b"link", aad=b"room")
    document = json.loads((tmp_path / KEY_FILE).read_text())
    for name in ("signing", "sealing"):
        document[name].insert(0, "A" * 43 + "=")
    (tmp_path / KEY_FILE).write_text(json.dumps(document))
    new = Keys.load(settings_of(tmp_path))
    assert public_of(new)[1:] == public_of(old)
    assert new.signer[0] == public_of(new)[0] != public_of(old)[0]
    assert new.unseal(sealed, aad=b"room") == b"link"
    with pytest.raises(SealBroken):
        old.unseal(new.seal(b"link", aad=b"room"), aad=b"room")


def test_the_key_set_holds_public_halves_only():
    (key,) = KEYS.jwks()["keys"]
    assert set(key) == {"kty", "crv", "x", "kid", "use", "alg"}
    assert (key["kty"], key["crv"], key["use"], key["alg"]) == ("OKP", "Ed25519", "sig", "EdDSA")


def test_a_key_is_named_by_the_thumbprint_of_rfc_8037():
    published = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    key = Ed25519PublicKey.from_public_bytes(published)
    assert key_id(key) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_no_key_shows_itself():
    material = derive_material(SECRET)
    assert repr(material) == "KeyMaterial()"


@given(plain=st.binary(max_size=200), aad=st.binary(max_size=40))
def test_what_is_sealed_can_be_opened(plain, aad):
    sealed = KEYS.seal(plain, aad=aad)
    assert KEYS.unseal(sealed, aad=aad) == plain
    assert KEYS.seal(plain, aad=aad) != sealed


@given(plain=st.binary(min_size=8, max_size=200), aad=st.binary(max_size=40))
def test_what_is_sealed_does_not_show(plain, aad):
    assert plain not in KEYS.seal(plain, aad=aad)


@given(plain=st.binary(max_size=64), aad=st.binary(max_size=16), data=st.data())
def test_any_change_of_what_is_sealed_is_found(plain, aad, data):
    sealed = bytearray(KEYS.seal(plain, aad=aad))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SealBroken):
        KEYS.unseal(bytes(sealed), aad=aad)


@given(plain=st.binary(max_size=64), aad=st.binary(max_size=16), other=st.binary(max_size=16))
def test_what_is_sealed_for_one_room_opens_for_no_other(plain, aad, other):
    sealed = KEYS.seal(plain, aad=aad)
    if aad != other:
        with pytest.raises(SealBroken):
            KEYS.unseal(sealed, aad=other)


@given(st.binary(max_size=80))
def test_bytes_that_were_never_sealed_are_refused(junk):
    with pytest.raises(SealBroken):
        KEYS.unseal(junk, aad=b"")


def test_another_host_cannot_open_what_is_sealed():
    with pytest.raises(SealBroken):
        OTHERS.unseal(KEYS.seal(b"link", aad=b"room"), aad=b"room")


def test_an_app_knows_a_person_by_one_name_and_two_apps_by_two():
    mine = KEYS.person_id("an-app", "usr_1")
    assert re.fullmatch(r"person_[0-9a-f]{32}", mine)
    assert mine == KEYS.person_id("an-app", "usr_1")
    others = {
        KEYS.person_id("an-app", "usr_2"),
        KEYS.person_id("other-app", "usr_1"),
        OTHERS.person_id("an-app", "usr_1"),
    }
    assert len(others | {mine}) == 4


def test_each_purpose_has_its_own_key():
    assert len({KEYS.derive("cursor"), KEYS.derive("other"), OTHERS.derive("cursor")}) == 3
    assert len(derive_key(b"root", "purpose")) == 32
