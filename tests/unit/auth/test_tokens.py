"""A token is believed when this host signed it, for its time, and in one spelling only."""

import base64
import hashlib
import hmac
import json
import string
import warnings
from dataclasses import dataclass
from datetime import timedelta

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from mymozhem.auth.key_file import KeyMaterial, derive_material
from mymozhem.auth.keys import Keys
from mymozhem.auth.principal import AppPrincipal, Principal
from mymozhem.auth.tokens import Tokens
from mymozhem.clock import HeldClock, SystemClock
from mymozhem.config import Settings
from mymozhem.contract import PersonKind
from mymozhem.errors import Unauthenticated

MATERIAL = derive_material("correct horse battery staple, 7 times")
KEYS = Keys(MATERIAL)
KID, PRIVATE = KEYS.signer
STRANGER = Ed25519PrivateKey.generate()
LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"


@dataclass(frozen=True)
class Somebody:
    id: str = "usr_1"
    kind: PersonKind = PersonKind.REGISTERED


GUEST = Somebody("usr_2", PersonKind.GUEST)


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def tokens(clock) -> Tokens:
    return tokens_of(KEYS, clock)


def tokens_of(keys: Keys, clock: HeldClock, **settings) -> Tokens:
    return Tokens(keys, Settings(**settings), clock)


def claims_of(tokens: Tokens, person=None, **more) -> dict[str, object]:
    text = tokens.issue(person or Somebody(), **more).access_token
    return jwt.decode(text, options={"verify_signature": False})


def encode(claims: object, key=PRIVATE, *, without=(), **header) -> str:
    """Write a token by hand, so that it may break any rule."""
    head = {"alg": "EdDSA", "kid": KID, "typ": "at+jwt"} | header
    head = {name: head[name] for name in sorted(head) if name not in without}
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    signed = f"{b64(json.dumps(head, separators=(',', ':')).encode())}.{b64(payload)}"
    return f"{signed}.{b64(key.sign(signed.encode()))}"


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def code_of(tokens: Tokens, text: str) -> str | None:
    """Return the code with which a token is refused, twice the same; None for a good one."""
    codes = []
    for _ in range(2):
        try:
            tokens.verify(text)
            codes.append(None)
        except Unauthenticated as refused:
            codes.append(refused.code)
    assert codes[0] == codes[1]
    return codes[0]


def test_an_account_s_token_says_who_they_are_and_nothing_of_roles(tokens):
    issued = tokens.issue(Somebody())
    assert issued.expires_in == 15 * 60
    claims = claims_of(tokens)
    assert set(claims) == {"iss", "aud", "sub", "jti", "sid", "kind", "iat", "exp"}
    principal = tokens.verify(issued.access_token)
    assert principal == Principal(
        "usr_1", PersonKind.REGISTERED, None, principal.token_id, principal.session_id
    )
    assert jwt.get_unverified_header(issued.access_token) == {
        "alg": "EdDSA",
        "kid": KID,
        "typ": "at+jwt",
    }


def test_a_guest_s_token_is_for_one_room_and_lasts_hours(tokens):
    issued = tokens.issue(GUEST, room_id="room_1")
    assert issued.expires_in == 12 * 3600
    principal = tokens.verify(issued.access_token)
    assert (principal.kind, principal.room_id) == (PersonKind.GUEST, "room_1")


def test_an_operator_sets_how_long_tokens_are_good(clock):
    tokens = tokens_of(KEYS, clock, access_token_minutes=2, guest_token_hours=1)
    assert tokens.issue(Somebody()).expires_in == 120
    assert tokens.issue(GUEST, room_id="room_1").expires_in == 3600


@pytest.mark.parametrize(("person", "room"), [(GUEST, None), (Somebody(), "room_1")])
def test_a_guest_needs_a_room_and_an_account_none(tokens, person, room):
    with pytest.raises(ValueError, match="one room"):
        tokens.issue(person, room_id=room)


def test_no_two_tokens_are_the_same(tokens):
    assert len({claims_of(tokens)["jti"] for _ in range(50)}) == 50


@pytest.mark.parametrize("seen_before", [False, True])
def test_a_token_ends_five_seconds_after_its_time(tokens, clock, seen_before):
    text = tokens.issue(Somebody()).access_token
    if seen_before:
        tokens.verify(text)
    clock.advance(15 * 60 + 4.999)
    assert code_of(tokens, text) is None
    clock.advance(0.001)
    assert code_of(tokens, text) == "TOKEN_EXPIRED"


def test_a_clock_that_is_set_back_an_hour_signs_nobody_out(clock):
    ahead = HeldClock(clock.now() + timedelta(hours=1))
    far_ahead = HeldClock(clock.now() + timedelta(days=1, seconds=1))
    here = tokens_of(KEYS, clock)
    assert code_of(here, tokens_of(KEYS, ahead).issue(Somebody()).access_token) is None
    text = tokens_of(KEYS, far_ahead).issue(Somebody()).access_token
    assert code_of(here, text) == "TOKEN_INVALID"


def test_what_was_signed_with_an_older_key_is_accepted_and_with_a_dropped_one_is_not(clock):
    both = KeyMaterial((b"n" * 32, *MATERIAL.signing), MATERIAL.sealing, MATERIAL.mac)
    only_new = KeyMaterial((b"n" * 32,), MATERIAL.sealing, MATERIAL.mac)
    text = tokens_of(KEYS, clock).issue(Somebody()).access_token
    assert code_of(tokens_of(Keys(both), clock), text) is None
    assert code_of(tokens_of(Keys(only_new), clock), text) == "TOKEN_INVALID"
    newer = tokens_of(Keys(both), clock).issue(Somebody()).access_token
    assert code_of(tokens_of(Keys(only_new), clock), newer) is None


def test_a_host_of_another_address_is_another_issuer(clock):
    here = tokens_of(KEYS, clock, public_url="https://here.example/")
    there = tokens_of(KEYS, clock, public_url="https://there.example")
    text = here.issue(Somebody()).access_token
    assert code_of(here, text) is None
    assert code_of(there, text) == "TOKEN_INVALID"


def test_the_key_set_is_enough_to_verify_a_token():
    (key,) = KEYS.jwks()["keys"]
    text = Tokens(KEYS, Settings(), SystemClock()).issue(Somebody()).access_token
    claims = jwt.decode(text, jwt.PyJWK(key), audience="mymozhem")
    assert claims["sub"] == "usr_1"


def hostile() -> dict[str, object]:
    """Name every trick: how a good token's claims become a text that must be refused."""

    def change(**claims):
        return lambda good: encode({**good, **claims})

    def drop(name):
        return lambda good: encode({key: value for key, value in good.items() if key != name})

    def header(**values):
        return lambda good: encode(good, **values)

    def edit(function):
        return lambda good: function(encode(good))

    required = ("iss", "aud", "sub", "jti", "sid", "kind", "exp", "iat")
    return {
        **{f"without {name}": drop(name) for name in required},
        **{f"{name} null": change(**{name: None}) for name in required},
        **{f"{name} a list": change(**{name: ["mymozhem"]}) for name in required},
        "another audience": change(aud="somebody-else"),
        "another issuer": change(iss="https://evil.example"),
        "not before tomorrow": change(nbf=4_000_000_000),
        "issued tomorrow": change(iat=4_000_000_000),
        "expiry a float": change(exp=4e9),
        "expiry a text": change(exp="4000000000"),
        "expiry true": change(exp=True),
        "subject a number": change(sub=1),
        "an unknown kind": change(kind="admin"),
        "an account with a room": change(room="room_1"),
        "a guest without a room": change(kind="guest"),
        "a guest with a room of a number": change(kind="guest", room=1),
        "another type": header(typ="JWT"),
        "no type": lambda good: encode(good, without=("typ",)),
        "no key id": lambda good: encode(good, without=("kid",)),
        "another key id": header(kid="other"),
        "a key id of a path": header(kid="../../etc/passwd"),
        "a key id of a number": header(kid=7),
        "an own key": header(jwk=KEYS.jwks()["keys"][0]),
        "a key's address": header(jku="https://evil.example/jwks.json"),
        "critical": header(crit=["exp"]),
        "unencoded": header(b64=False, crit=["b64"]),
        "another spelling of the algorithm": header(alg="Ed25519"),
        "algorithm none": unsigned,
        "algorithm none, signed": header(alg="none"),
        "signed with the public key as a password": symmetric,
        "signed by a stranger": lambda good: encode(good, STRANGER),
        "a payload that is no JSON": lambda _: encode(b"{"),
        "a payload that is a list": lambda _: encode([1]),
        "a payload that is no text": lambda _: encode(b"\xff\xfe"),
        "a payload of NaN": lambda good: encode({**good, "exp": float("nan")}),
        "a payload nested deeply": lambda _: encode(b"[" * 1_000),
        "a trailing =": edit(lambda text: text + "="),
        "two trailing =": edit(lambda text: text + "=="),
        "a trailing newline": edit(lambda text: text + "\n"),
        "a leading space": edit(lambda text: " " + text),
        "a fourth part": edit(lambda text: text + ".e30"),
        "two parts": edit(lambda text: text.rpartition(".")[0]),
        "no signature": edit(lambda text: text.rpartition(".")[0] + "."),
        "padding in the middle": edit(lambda text: text.replace(".", "=.", 1)),
        "a letter of another script": edit(lambda text: "\u0435" + text[1:]),
        "a lone surrogate": edit(lambda text: text + "\ud800"),
        "a zero": edit(lambda text: text + "\x00"),
        "with its scheme": edit(lambda text: "Bearer " + text),
        "the signature of another": edit(lambda text: text[:-8] + "A" * 7 + "Q"),
        "nothing": lambda _: "",
        "dots": lambda _: "..",
        "huge": lambda good: encode({**good, "more": "x" * 3_000}),
        "a megabyte": lambda _: "a" * 1_000_000,
    }


def unsigned(claims: dict[str, object]) -> str:
    head = b64(b'{"alg":"none","kid":"' + KID.encode() + b'","typ":"at+jwt"}')
    return f"{head}.{b64(json.dumps(claims).encode())}."


def symmetric(claims: dict[str, object]) -> str:
    """Write what a verifier that trusts the header would check with the public key as a secret."""
    public = PRIVATE.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    head = {"alg": "HS256", "kid": KID, "typ": "at+jwt"}
    parts = (json.dumps(part, separators=(",", ":")).encode() for part in (head, claims))
    signed = ".".join(map(b64, parts))
    return f"{signed}.{b64(hmac.digest(public, signed.encode(), hashlib.sha256))}"


@pytest.mark.parametrize("trick", hostile())
def test_a_hostile_token_is_refused(tokens, trick):
    good = claims_of(tokens)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nor does the library complain in a log
        assert code_of(tokens, hostile()[trick](good)) == "TOKEN_INVALID"
    assert code_of(tokens, encode(good)) is None


def test_a_signature_has_one_spelling(tokens):
    text = tokens.issue(Somebody()).access_token
    accepted = [last for last in LETTERS if code_of(tokens, text[:-1] + last) is None]
    assert accepted == [text[-1]]


@given(st.text(max_size=300))
def test_no_text_breaks_the_verifier(text):
    with pytest.raises(Unauthenticated):
        tokens_of(KEYS, HeldClock()).verify(text)


@given(st.data())
def test_no_letter_of_a_token_can_be_changed(data):
    tokens = tokens_of(KEYS, HeldClock())
    text = tokens.issue(Somebody()).access_token
    at = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from(LETTERS + ".=").filter(lambda each: each != text[at]))
    with pytest.raises(Unauthenticated):
        tokens.verify(text[:at] + letter + text[at + 1 :])


def test_only_so_many_tokens_are_remembered_and_a_forgotten_one_is_still_good(clock):
    tokens = Tokens(KEYS, Settings(), clock, remember=3)
    texts = [tokens.issue(Somebody()).access_token for _ in range(5)]
    assert [code_of(tokens, text) for text in texts] == [None] * 5
    assert tokens.remembered == 3
    assert code_of(tokens, texts[0]) is None


def test_a_token_that_was_refused_is_not_remembered(tokens):
    good = claims_of(tokens)
    for text in ("", encode(good, STRANGER), encode({**good, "exp": 1})):
        code_of(tokens, text)
    assert tokens.remembered == 0


def test_an_app_s_token_says_what_it_may_and_ends_soon(tokens):
    issued = tokens.issue_app("raffle", {"rooms:read", "winners:write"}, key_id="key_1")
    assert issued.expires_in == 15 * 60
    principal = tokens.verify(issued.access_token)
    assert principal == AppPrincipal(
        "raffle", frozenset({"rooms:read", "winners:write"}), "key_1", principal.token_id
    )
    bare = tokens.issue_app("bell", (), key_id="key_2")
    assert tokens.verify(bare.access_token).permissions == frozenset()


@pytest.mark.parametrize(
    "other",
    [
        {"kind": "app"},
        {"kind": "app", "scope": None},
        {"kind": "app", "scope": 1, "key": "key_1"},
        {"kind": "app", "scope": "rooms:read"},
        {"kind": "app", "key": "key_1"},
        {"kind": "app", "scope": "rooms:read", "key": "key_1", "room": "room_1"},
        {"key": "key_1"},
        {"scope": "rooms:read"},
        {"kind": "guest", "room": "room_1", "scope": "rooms:read"},
    ],
)
def test_no_token_is_a_person_s_and_an_app_s_at_once(tokens, other):
    assert code_of(tokens, encode({**claims_of(tokens), **other})) == "TOKEN_INVALID"


def test_no_app_has_the_name_of_a_person(tokens):
    person = tokens.verify(tokens.issue(Somebody("raffle")).access_token)
    app = tokens.verify(tokens.issue_app("raffle", (), key_id="key_1").access_token)
    assert (person.subject, app.subject) == ("raffle", "@raffle")
