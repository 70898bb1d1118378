"""A claim proves whose it is; codes are read aloud without mistakes."""

from hypothesis import given
from hypothesis import strategies as st

from mymozhem_lottery.claim_codes import (
    ALPHABET,
    COLOURS,
    claimant,
    new_secret,
    same_code,
    token_of,
)

SECRET = new_secret("5e" * 32)
ids = st.text("abcdef0123456789_.-", min_size=1, max_size=40)


@given(person=ids)
def test_a_claim_names_its_owner(person):
    assert claimant(SECRET, token_of(SECRET, person).claim) == person


@given(person=ids, other=ids, data=st.data())
def test_a_changed_claim_names_nobody(person, other, data):
    claim = token_of(SECRET, person).claim
    place = data.draw(st.integers(0, len(claim) - 1))
    letter = data.draw(st.sampled_from(ALPHABET + "abc._é"))
    changed = claim[:place] + letter + claim[place + 1 :]
    assert changed == claim or claimant(SECRET, changed) is None
    assert other == person or claimant(SECRET, f"{other}.{claim.rpartition('.')[2]}") is None


@given(person=ids, shown=st.text(max_size=60))
def test_no_text_is_taken_for_a_claim(person, shown):
    assert claimant(SECRET, shown) is None


@given(person=ids)
def test_another_room_knows_nothing_of_it(person):
    other = new_secret("00" * 32)
    assert claimant(other, token_of(SECRET, person).claim) is None
    assert token_of(other, person).claim != token_of(SECRET, person).claim


@given(person=ids)
def test_codes_are_easy_to_read(person):
    token = token_of(SECRET, person)
    left, right = token.code.split("-")
    assert (len(left), len(right)) == (3, 3)
    assert set(left + right) <= set(ALPHABET)
    assert token.colour in COLOURS
    assert not set(ALPHABET) & set("01IO")


@given(person=ids)
def test_codes_are_typed_as_people_type(person):
    code = token_of(SECRET, person).code
    for typed in (code, code.lower(), code.replace("-", ""), f" {code.replace('-', ' ')} "):
        assert same_code(code, typed)
    assert not same_code(code, code[:-1])
