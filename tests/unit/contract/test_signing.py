"""Signatures match published vectors, an independent package, and nothing that was changed."""

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from mymozhem.contract.signing import (
    MAX_SIGNATURES,
    KeyRefused,
    SharedKey,
    SignatureRefused,
    new_secret,
    parse_key,
    public_text,
    sign,
    verify,
)

#: of the reference implementations, and of the documentation of the specification's author
VECTORS = [
    (
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    ),
    (
        "whsec_plJ3nmyCDGBKInavdOK15jsl",
        "msg_loFOjxBNrRLzqYUf",
        1731705121,
        b'{"event_type":"ping","data":{"success":true}}',
        "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
    ),
]

#: RFC 8032, 7.1: private key, public key, message, signature
ED25519 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
]

SHARED = parse_key(VECTORS[0][0])
OTHER = parse_key(new_secret())
PRIVATE = parse_key("whsk_" + base64.b64encode(bytes.fromhex(ED25519[0][0])).decode())
BODY = b'{"id":"call_1"}'
NOW = 1_800_000_000


def signed(*keys, message_id="call_1", timestamp=NOW, body=BODY):
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(keys, message_id=message_id, timestamp=timestamp, body=body),
    }


def refused(headers, body=BODY, *, keys=(SHARED,), now=NOW):
    with pytest.raises(SignatureRefused) as caught:
        verify(keys, headers, body, now=now)
    return caught.value.code


# ------------------------------------------------------------------------------------- vectors


@pytest.mark.parametrize(("secret", "message_id", "timestamp", "body", "expected"), VECTORS)
def test_a_published_vector_is_what_we_sign_and_what_we_accept(
    secret, message_id, timestamp, body, expected
):
    # The second secret is shorter than the specification asks for, and no key of ours.
    key = SharedKey(base64.b64decode(secret.removeprefix("whsec_")))
    headers = signed(key, message_id=message_id, timestamp=timestamp, body=body)
    assert headers["webhook-signature"] == expected
    assert verify([key], headers, body, now=timestamp) == message_id


@pytest.mark.parametrize(("private", "public", "message", "signature"), ED25519)
def test_ed25519_keys_sign_and_verify_as_in_rfc_8032(private, public, message, signature):
    halves = [bytes.fromhex(private), bytes.fromhex(private + public)]
    texts = ["whsk_" + base64.b64encode(half).decode() for half in halves]
    verifier = parse_key("whpk_" + base64.b64encode(bytes.fromhex(public)).decode())
    for key in map(parse_key, texts):
        assert key.sign(bytes.fromhex(message)).hex() == signature
        assert public_text(key.public) == public_text(verifier)
    assert verifier.verifies(bytes.fromhex(message), bytes.fromhex(signature))
    assert not verifier.verifies(bytes.fromhex(message) + b"!", bytes.fromhex(signature))


def test_the_first_platform_s_signature_is_of_the_body_alone_and_keyed_with_the_issued_text():
    # printf '{"test": 2432232314}' | openssl dgst -sha256 -mac HMAC -macopt key:whsec_…
    expected = "sha256=80ec8a89ce3cd22133a1066caecb4d04fea7467657c8514d717ec42c38a5c94c"
    assert SHARED.platform_signature(VECTORS[0][3]) == expected


@given(
    body=st.dictionaries(st.text(), st.integers() | st.text()),
    message_id=st.from_regex(r"msg_[A-Za-z0-9]{1,40}", fullmatch=True),
)
def test_the_standardwebhooks_package_verifies_what_we_sign_and_we_what_it_signs(body, message_id):
    now = datetime.now(tz=UTC).replace(microsecond=0)
    secret, text = new_secret(), json.dumps(body)
    key, oracle = parse_key(secret), Webhook(secret)
    timestamp = int(now.timestamp())
    headers = signed(key, message_id=message_id, timestamp=timestamp, body=text.encode())
    assert oracle.verify(text, headers) == body
    headers["webhook-signature"] = oracle.sign(message_id, now, text)
    assert verify([key], headers, text.encode(), now=timestamp) == message_id


# ------------------------------------------------------------------------------ what was changed


@given(body=st.binary(max_size=64), other=st.binary(max_size=64))
def test_another_body_is_refused(body, other):
    headers = signed(SHARED, PRIVATE, body=body)
    if other != body:
        assert refused(headers, other, keys=[SHARED, PRIVATE.public]) == "SIGNATURE_WRONG"
    assert verify([SHARED], headers, body, now=NOW) == "call_1"


@given(other=st.text(min_size=1))
def test_another_id_is_refused(other):
    headers = {**signed(SHARED), "webhook-id": other}
    if other != "call_1":
        assert refused(headers) in {"SIGNATURE_WRONG", "ID_INVALID"}


@given(other=st.integers(NOW - 300, NOW + 300).map(str) | st.text(min_size=1))
def test_another_timestamp_is_refused(other):
    headers = {**signed(SHARED), "webhook-timestamp": other}
    if other != str(NOW):
        refused(headers)


def test_a_timestamp_written_in_another_way_is_another_timestamp():
    assert refused({**signed(SHARED), "webhook-timestamp": f"0{NOW}"}) == "SIGNATURE_WRONG"


@given(st.sampled_from([SHARED, PRIVATE]), st.data())
def test_another_signature_is_refused(key, data):
    version, _, encoded = signed(key)["webhook-signature"].partition(",")
    right = base64.b64decode(encoded)
    flipped = bytearray(right)
    flipped[data.draw(st.integers(0, len(right) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    given = data.draw(st.sampled_from([bytes(flipped), right[:-1], right + b"\0", b""]))
    header = f"{version},{base64.b64encode(given).decode()}"
    assert refused({**signed(key), "webhook-signature": header}, keys=[key]) == "SIGNATURE_WRONG"


def test_what_an_id_with_a_full_stop_would_confuse_is_refused_on_both_sides():
    one = signed(SHARED, message_id="a", body=f"{NOW}.{{}}".encode())
    moved = {**one, "webhook-id": f"a.{NOW}"}  # the very same bytes are signed
    assert refused(moved, b"{}") == "ID_INVALID"
    with pytest.raises(ValueError, match="full stop"):
        signed(SHARED, message_id="a.b")


@pytest.mark.parametrize("message_id", ["", "é", "a b", "a\n", "\udc80", "x" * 129])
def test_what_is_no_id_is_not_signed(message_id):
    with pytest.raises(ValueError, match="an id is"):
        signed(SHARED, message_id=message_id)


# ------------------------------------------------------------------------------------- junk


JUNK = st.text() | st.text(alphabet="v1a, .=0123456789+/\n\0é²", max_size=40)


@given(
    st.dictionaries(
        st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature", "x"]), JUNK
    ),
    st.binary(max_size=32),
)
def test_junk_is_refused_and_raises_nothing_else(headers, body):
    refused(headers, body, keys=[SHARED, PRIVATE.public])
    refused({**signed(SHARED), **headers}, body + b"x", keys=[SHARED, PRIVATE.public])


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_header_that_is_missing_is_named_as_such(name):
    headers = {key: value for key, value in signed(SHARED).items() if key != name}
    assert refused(headers) == "SIGNATURE_MISSING"
    assert refused({**headers, name: ""}) == "SIGNATURE_MISSING"


@pytest.mark.parametrize("timestamp", ["1.5", "-1", "+1", "1e9", "٣", "²", " 1", "1" * 13, "NaN"])
def test_a_timestamp_that_is_no_number_of_seconds_is_refused(timestamp):
    headers = {**signed(SHARED), "webhook-timestamp": timestamp}
    assert refused(headers) == "TIMESTAMP_INVALID"


@pytest.mark.parametrize("text", ["v1", "v1,", ",", "v1,===", "v1,é", "v1,A", "v2,", " ", "v1a,"])
def test_signatures_that_are_none_are_refused(text):
    headers = {**signed(SHARED), "webhook-signature": text}
    assert refused(headers, keys=[SHARED, PRIVATE.public]) == "SIGNATURE_WRONG"


def test_more_signatures_than_a_rotation_needs_are_not_looked_at():
    right = signed(SHARED)["webhook-signature"]
    junk = " ".join(["v1,AAAA"] * (MAX_SIGNATURES - 1))
    assert verify(
        [SHARED], {**signed(SHARED), "webhook-signature": f"{junk} {right}"}, BODY, now=NOW
    )
    beyond = f"{junk} v1,AAAA {right}"
    assert refused({**signed(SHARED), "webhook-signature": beyond}) == "SIGNATURE_WRONG"


# -------------------------------------------------------------------------------- time and keys


@pytest.mark.parametrize(
    ("sent", "now", "code"),
    [
        (NOW, NOW + 300, None),
        (NOW, NOW + 300.5, "TIMESTAMP_OLD"),
        (NOW, NOW - 300, None),
        (NOW, NOW - 300.5, "TIMESTAMP_NEW"),
        (NOW, 0, "TIMESTAMP_NEW"),
        (0, NOW, "TIMESTAMP_OLD"),
    ],
)
def test_clocks_may_differ_by_five_minutes(sent, now, code):
    headers = signed(SHARED, timestamp=sent)
    if code is None:
        assert verify([SHARED], headers, BODY, now=now) == "call_1"
    else:
        assert refused(headers, now=now) == code


def test_a_tolerance_of_ones_own_counts_instead():
    assert verify([SHARED], signed(SHARED), BODY, now=NOW + 5, tolerance=5)
    with pytest.raises(SignatureRefused, match="too old"):
        verify([SHARED], signed(SHARED), BODY, now=NOW + 6, tolerance=5)


def test_while_a_key_is_changed_either_side_may_be_first():
    both, old, new = signed(OTHER, SHARED), signed(SHARED), signed(OTHER)
    for keys in ([SHARED], [OTHER], [SHARED, OTHER]):
        assert verify(keys, both, BODY, now=NOW)
    for headers in (old, new):
        assert verify([OTHER, SHARED], headers, BODY, now=NOW)
    assert refused(old, keys=[OTHER]) == "SIGNATURE_WRONG"
    assert refused(both, keys=[]) == "SIGNATURE_WRONG"


def test_a_message_may_be_signed_by_both_kinds_of_keys():
    headers = signed(SHARED, PRIVATE)
    assert [each.split(",")[0] for each in headers["webhook-signature"].split()] == ["v1", "v1a"]
    for key in (SHARED, PRIVATE, PRIVATE.public):
        assert verify([key], headers, BODY, now=NOW) == "call_1"


def test_a_signature_does_not_count_under_the_name_of_another_scheme():
    header = signed(SHARED)["webhook-signature"].replace("v1,", "v1a,")
    keys = [SHARED, PRIVATE.public]
    assert refused({**signed(SHARED), "webhook-signature": header}, keys=keys) == "SIGNATURE_WRONG"


def test_a_new_secret_is_a_key_and_never_the_same():
    first, second = new_secret(), new_secret()
    assert first != second
    assert parse_key(first).secret == parse_key(first.removeprefix("whsec_")).secret
    assert len(parse_key(first).secret) == 32


def b64(length):
    return base64.b64encode(bytes(length)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "whsec_",
        "whsec_" + b64(23),
        "whsec_" + b64(65),
        "whsec_ä",
        "hunter2",
        "whsk_" + b64(31),
        "whsk_" + b64(33),
        "whsk_" + b64(64),
        "whpk_" + b64(31),
        "whpk_" + b64(64),
        "whpk_" + b64(32)[:-1],
    ],
)
def test_what_is_no_key_is_refused_without_being_repeated(text):
    with pytest.raises(KeyRefused) as caught:
        parse_key(text)
    assert not text.partition("_")[2] or text.partition("_")[2] not in str(caught.value)


def test_a_key_never_shows_itself():
    shown = f"{SHARED!r} {PRIVATE!r} {[SHARED, PRIVATE]}"
    assert base64.b64encode(SHARED.secret).decode() not in shown
    assert SHARED.secret.hex() not in shown
    assert repr(SHARED.secret)[2:-1] not in shown
