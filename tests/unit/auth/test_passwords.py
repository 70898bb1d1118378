"""Passwords are hashed with Argon2id, and a comparison tells nothing by how it is made."""

import asyncio
import threading

import pytest
from argon2 import PasswordHasher, extract_parameters

from mymozhem.auth.passwords import MAX_LENGTH, MAX_WAITING, THREADS, Passwords
from mymozhem.errors import Invalid, Unavailable

PLACES = THREADS + MAX_WAITING
GOOD = "correct horse battery"


@pytest.fixture
def passwords():
    """The real hasher at the least cost that it takes."""
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    yield passwords
    passwords.close()


class Counting(PasswordHasher):
    """A hasher that remembers the costs of every comparison."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.compared = []

    def verify(self, hash, password):
        self.compared.append(extract_parameters(hash))
        return super().verify(hash, password)


class Gated(Counting):
    """A hasher that compares nothing before its gate is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()

    def verify(self, hash, password):
        self.gate.wait()
        return super().verify(hash, password)


async def test_a_password_matches_its_own_hash_alone(passwords):
    hashed = await passwords.hash(GOOD)
    assert hashed.startswith("$argon2id$")
    assert GOOD not in hashed
    assert await passwords.matches(GOOD, hashed)
    assert not await passwords.matches(GOOD + "!", hashed)
    assert not await passwords.matches("", hashed)
    assert await passwords.hash(GOOD) != hashed


async def test_the_costs_are_those_of_rfc_9106():
    passwords = Passwords()
    found = extract_parameters(await passwords.hash(GOOD))
    assert (found.memory_cost, found.time_cost, found.parallelism) == (65_536, 3, 4)
    passwords.close()


async def test_two_keyboards_spell_one_password(passwords):
    hashed = await passwords.hash("cafe\u0301 au lait")
    assert await passwords.matches("caf\u00e9 au lait", hashed)


@pytest.mark.parametrize(
    "refused", ["", "short", "x" * 9, "x" * (MAX_LENGTH + 1), "x" * 100_000, "surrogate \ud800"]
)
async def test_a_password_that_cannot_be_used_is_refused(passwords, refused):
    with pytest.raises(Invalid) as error:
        await passwords.hash(refused)
    assert list(error.value.details["fields"]) == ["password"]


@pytest.mark.parametrize(
    ("tried", "known"),
    [
        (GOOD, True),
        ("wrong password", True),
        (GOOD, False),
        ("x" * 100_000, True),
        ("x" * 100_000, False),
        ("\ud800", True),
        ("", False),
    ],
)
async def test_every_comparison_costs_the_same(tried, known):
    hasher = Counting()
    passwords = Passwords(hasher)
    hashed = await passwords.hash(GOOD) if known else None
    assert await passwords.matches(tried, hashed) is (known and tried == GOOD)
    assert hasher.compared == [extract_parameters(hasher.hash(GOOD))]
    passwords.close()


async def test_nobody_has_the_password_of_nobody(passwords):
    assert not await passwords.matches("", None)
    assert not await passwords.matches(GOOD, None)


async def test_a_damaged_hash_matches_nothing(passwords):
    assert not await passwords.matches(GOOD, "$argon2id$damaged")


async def test_more_than_can_wait_are_turned_away_and_the_rest_is_served():
    hasher = Gated()
    passwords = Passwords(hasher)
    hashed = await passwords.hash(GOOD)
    crowd = [asyncio.ensure_future(passwords.matches(GOOD, hashed)) for _ in range(PLACES + 7)]
    await asyncio.sleep(0)
    hasher.gate.set()
    found = await asyncio.gather(*crowd, return_exceptions=True)
    assert found[:PLACES] == [True] * PLACES
    assert [each.code for each in found[PLACES:]] == ["SIGN_IN_BUSY"] * 7
    assert all(isinstance(each, Unavailable) for each in found[PLACES:])
    assert await passwords.matches(GOOD, hashed)
    passwords.close()


async def test_who_goes_away_gives_the_place_back():
    hasher = Gated()
    passwords = Passwords(hasher)
    hashed = await passwords.hash(GOOD)
    crowd = [asyncio.ensure_future(passwords.matches(GOOD, hashed)) for _ in range(PLACES)]
    await asyncio.sleep(0)
    for task in crowd:
        task.cancel()
    await asyncio.wait(crowd)
    hasher.gate.set()
    assert await passwords.matches(GOOD, hashed)
    passwords.close()
