"""Published examples, and the numbers that their authors published."""

import hashlib
import hmac

import pytest

from mymozhem.contract.fair import (
    AppVersion,
    Entries,
    PrizeCount,
    PublicSource,
    Rule,
    app_seed,
    position,
    public_text,
    seed_key,
    select,
)
from mymozhem.contract.fair.rfc3797 import round_hash, selection_key

# RFC 3797, section 6: its worked example.
RFC_POOL = [
    "John",
    "Mary",
    "Bashful",
    "Dopey",
    "Sleepy",
    "Grouchy",
    "Doc",
    "Sneazy",
    "Handsome",
    "Cassandra",
    "Pollyanna",
    "Pendragon",
    "Pandora",
    "Faith",
    "Hope",
    "Charity",
    "Lee",
    "Longsuffering",
    "Chastity",
    "Smith",
    "Pride",
    "Sloth",
    "Envy",
    "Anger",
    "Kasczynski",
]
RFC_SOURCES = [[9319], [2, 5, 12, 8, 10], [9, 18, 26, 34, 41, 45]]
RFC_KEY = "9319./2.5.8.10.12./9.18.26.34.41.45./"
RFC_POSITIONS = [17, 7, 2, 16, 25, 23, 8, 24, 19, 13, 22, 5, 18, 9, 1, 4]
RFC_MD5 = [
    "990DD0A5692A029A98B5E01AA28F3459",
    "3691E55CB63FCC37914430B2F70B5EC6",
    "FE814EDF564C190AC1D25753979990FA",
    "1863CCACEB568C31D7DDBDF1D4E91387",
    "F4AB33DF4889F0AF29C513905BE1D758",
]

# The draw of the IETF's NomCom in 2022, from a published pool of 267 people.
NOMCOM_SOURCES = [
    [7, 18, 28, 40, 48, 8, 11],
    [15, 21, 31, 36, 65, 16],
    [17, 21, 12, 26, 8, 42, 35, 13],
    [1, 10, 13, 14, 16, 25, 27, 5, 21],
]
NOMCOM_KEY = (
    "7.8.11.18.28.40.48./15.16.21.31.36.65./8.12.13.17.21.26.35.42./1.5.10.13.14.16.21.25.27./"
)
NOMCOM_POSITIONS = [171, 245, 68, 190, 70, 126, 110, 128, 138, 173]

# draft-thomson-elegy-vrs-00: its worked example.
VRS_SECRET = b"totally not a bikeshed"
VRS_CHAIN = {
    8: "2f70f884997ce80771adbefbbbc6c71a1b921da71896c25ca0f64966bfd0c8ce",
    9: "5346f2efb5397a6788fc1f1d9c05c6d3f2abe9b7d16d8592a3695b6dbe9f2456",
    10: "950ea08d8d5fd3ae415b9967aba7a48aba39ca62a4d98f2e7fe25cb1b8f8c488",
}
VRS_RANDOMNESS = "1.2.3.4.5.6./1.2.3.4.5.6./1.2.3.4.5.6./"
VRS_POSITIONS = {
    "lavenderblush": "002ed527ae0a44a86c205d1cdba61826951a2ffb53c13729c3762eea04e21676"
}


def drawn_positions(pool, sources, count):
    rule = Rule(
        app=AppVersion(id="an-app", version="1.0.0"),
        lock_digest="0" * 64,
        algorithm="rfc3797",
        prizes=(PrizeCount(prize_id="seat", count=count),),
        public_sources=tuple(
            PublicSource(name=f"source {n}", due="2022-07-01T00:00:00Z")
            for n in range(len(sources))
        ),
    )
    entries = Entries(participants=tuple(pool), tickets=(1,) * len(pool))
    picks = select(
        rule,
        entries,
        link=b"no link decides here",
        public_inputs=sources,
        entries_digest="",
        rule_digest="",
    )
    return [entries.participants.index(pick.participant_id) + 1 for pick in picks]


@pytest.mark.parametrize(
    ("pool", "sources", "key", "expected"),
    [
        pytest.param(RFC_POOL, RFC_SOURCES, RFC_KEY, RFC_POSITIONS, id="RFC 3797"),
        pytest.param(
            [f"person {n}" for n in range(1, 268)],
            NOMCOM_SOURCES,
            NOMCOM_KEY,
            NOMCOM_POSITIONS,
            id="NomCom 2022",
        ),
    ],
)
def test_rfc3797_draws_the_published_positions(pool, sources, key, expected):
    assert selection_key([public_text(numbers) for numbers in sources]) == key
    assert drawn_positions(pool, sources, len(expected)) == expected


@pytest.mark.parametrize(("index", "expected"), list(enumerate(RFC_MD5)))
def test_each_round_has_the_hash_that_the_rfc_prints(index, expected):
    assert round_hash(RFC_KEY, index).hex().upper() == expected


def test_the_drafts_key_and_position_come_out_of_our_functions():
    one_time = bytes.fromhex(VRS_CHAIN[9])
    # The draft's randomness is ours with three parts, which the join closes with slashes as well.
    first, second, third, _ = VRS_RANDOMNESS.split("/")
    key = seed_key(one_time, entries_digest=first, rule_digest=second, public_inputs=[third])
    assert key == hmac.digest(one_time, VRS_RANDOMNESS.encode(), "sha256")
    assert {label: position(key, label).hex() for label in VRS_POSITIONS} == VRS_POSITIONS


def test_the_drafts_chain_is_plain_hashing():
    value = VRS_SECRET
    seen = {}
    for times in range(1, 11):
        value = hashlib.sha256(value).digest()
        seen[times] = value.hex()
    assert {times: seen[times] for times in VRS_CHAIN} == VRS_CHAIN


def test_the_seed_of_an_app_is_the_position_of_a_label_that_no_ticket_has():
    key = bytes(32)
    assert app_seed(key) == hmac.digest(key, b"app\x01", "sha256")


def test_hkdf_is_that_of_rfc_5869():
    # RFC 5869, appendix A.3 has neither salt nor info; its first block is the position of "".
    prk = bytes.fromhex("19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04")
    block = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
    assert position(prk, "").hex() == block
