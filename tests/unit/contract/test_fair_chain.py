"""The chain: published at one end, used from there, and nothing to be learnt in advance."""

import hashlib

import pytest

from mymozhem.contract.fair import (
    CHAIN_LENGTH,
    ChainExhausted,
    anchor,
    link,
    link_matches,
    new_secret,
)

SECRET = bytes(range(32))
ANCHOR = anchor(SECRET)


def hashed(value, times):
    for _ in range(times):
        value = hashlib.sha256(value).digest()
    return value


def test_the_anchor_is_the_secret_hashed_65536_times():
    assert CHAIN_LENGTH == 65_536
    assert hashed(SECRET, 65_536) == ANCHOR


@pytest.mark.parametrize("index", [1, 2, 40_000, 65_535])
def test_a_link_reaches_the_anchor_in_exactly_its_number_of_steps(index):
    assert hashed(link(SECRET, index), index) == ANCHOR
    assert link_matches(link(SECRET, index), index, ANCHOR)
    assert not link_matches(link(SECRET, index), index - 1, ANCHOR)
    assert not link_matches(link(SECRET, index), index + 1, ANCHOR)


def test_the_next_link_is_the_origin_of_the_one_before_and_not_the_reverse():
    assert hashed(link(SECRET, 8), 1) == link(SECRET, 7)
    assert hashed(link(SECRET, 7), 1) != link(SECRET, 8)


@pytest.mark.parametrize("index", [-1, 0, 65_536, 10**9])
def test_the_anchor_and_the_secret_are_no_links(index):
    with pytest.raises(ChainExhausted, match=str(index)):
        link(SECRET, index)
    assert not link_matches(SECRET, index, ANCHOR)
    assert not link_matches(ANCHOR, index, ANCHOR)


def test_every_secret_is_another():
    secrets = {new_secret() for _ in range(50)}
    assert len(secrets) == 50
    assert {len(secret) for secret in secrets} == {32}
