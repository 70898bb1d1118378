"""Guessing passwords: it is slow, whatever the guesser tries, and keeps nobody else out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from mymozhem.auth.passwords import Passwords
from tests.support.api_host import PASSWORD, ApiHost, Caller, make_api_host

EMAIL = "organizer@example.com"
WRONG = {"email": EMAIL, "password": "wrong password"}
RIGHT = WRONG | {"password": PASSWORD}
VENUE, ELSEWHERE = "198.51.100.7", "203.0.113.9"

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


@pytest.fixture
def guarded(database_url, clock, tmp_path):
    @asynccontextmanager
    async def start(**settings: object) -> AsyncIterator[ApiHost]:
        given = {"rate_limits_enabled": True, "sign_in_delay_ms": 100} | settings
        async with make_api_host(database_url, clock, tmp_path, **given) as host:
            yield host

    return start


def stranger(host: ApiHost, address: str) -> "From":
    return From(Caller(host.app.test_client()), address)


class From:
    """A client without cookies, at an address."""

    def __init__(self, caller: Caller, address: str) -> None:
        self._client, self._address = caller.client, address

    async def post(self, path: str, body: object):
        answer = await self._client.post(
            f"/api/v1{path}", json=body, scope_base={"client": (self._address, 50_000)}
        )
        return answer.status_code

    async def login(self, body: object) -> int:
        return await self.post("/auth/login", body)


async def test_twenty_wrong_passwords_from_the_venue_do_not_lock_the_organizer_out(guarded):
    async with guarded() as host:
        guesser, organizer = stranger(host, VENUE), stranger(host, VENUE)
        assert [await guesser.login(WRONG) for _ in range(21)] == [401] * 20 + [429]
        assert await organizer.login(RIGHT) == 200


async def test_sixty_wrong_passwords_at_once_are_not_all_compared(guarded, monkeypatch):
    compared = []
    matches = Passwords.matches

    async def noted(self, password: str, hashed: str | None) -> bool:
        compared.append(password)
        return await matches(self, password, hashed)

    monkeypatch.setattr(Passwords, "matches", noted)
    async with guarded() as host:
        guesses = [WRONG | {"password": f"guess number {number}"} for number in range(60)]
        statuses = await asyncio.gather(*(stranger(host, VENUE).login(each) for each in guesses))
        assert sorted(statuses) == [401] * 20 + [429] * 40
        assert len(compared) == 24  # four were delayed; the others were refused at once
        assert await stranger(host, VENUE).login(RIGHT) == 200


async def test_guesses_at_other_accounts_count_against_the_address_too(guarded):
    async with guarded(failures_per_address_per_minute=3) as host:
        guesser = stranger(host, VENUE)
        tried = [WRONG | {"email": f"person{number}@example.com"} for number in range(4)]
        assert [await guesser.login(each) for each in tried] == [401] * 3 + [429]
        assert await stranger(host, ELSEWHERE).login(WRONG) == 401


async def test_an_account_is_guarded_against_many_addresses(guarded):
    async with guarded(failures_per_address_per_minute=1) as host:
        guessers = [stranger(host, f"203.0.113.{number}") for number in range(6)]
        assert [await each.login(WRONG) for each in guessers] == [401] * 5 + [429]
        assert await stranger(host, VENUE).login(RIGHT) == 200


async def test_an_ipv6_customer_has_one_count_and_its_neighbour_another(guarded):
    async with guarded(failures_per_address_per_minute=2) as host:
        own = [stranger(host, f"2001:db8:0:1::{number}") for number in range(3)]
        assert [await each.login(WRONG) for each in own] == [401, 401, 429]
        assert await stranger(host, "2001:db8:0:2::1").login(WRONG) == 401


async def test_wrong_codes_are_counted_by_ipv6_network_as_well(guarded):
    async with guarded(failures_per_address_per_minute=2) as host:
        body = {"code": "WRONGWRONG", "name": "Eve"}
        heard = [
            await stranger(host, f"2001:db8:0:1::{number}").post("/auth/guest", body)
            for number in range(3)
        ]
        assert heard == [404, 404, 429]


async def test_sixty_people_sign_in_at_once_from_one_address(guarded):
    async with guarded() as host:
        statuses = await asyncio.gather(*(stranger(host, VENUE).login(RIGHT) for _ in range(60)))
        assert statuses == [200] * 60


async def test_a_known_device_is_not_delayed_by_strangers(guarded):
    async with guarded(failures_per_address_per_minute=2, sign_in_delay_ms=60_000) as host:
        known = stranger(host, VENUE)
        assert await known.login(RIGHT) == 200
        stranger_here = stranger(host, VENUE)
        assert [await stranger_here.login(WRONG) for _ in range(2)] == [401, 401]
        async with asyncio.TaskGroup() as tasks:
            delayed = [tasks.create_task(stranger(host, VENUE).login(WRONG)) for _ in range(4)]
            assert await known.login(RIGHT) == 200
            assert [await known.login(WRONG) for _ in range(2)] == [401, 401]
            for each in delayed:
                each.cancel()


@pytest.mark.parametrize(
    "change",
    [lambda given: given[:-64] + "0" * 64, lambda given: "0" * 32 + given[32:], lambda _: ""],
)
async def test_a_cookie_that_the_host_did_not_sign_helps_nobody(guarded, change):
    async with guarded() as host:
        devices = host.host.devices
        cookie = devices.issue(EMAIL)
        assert devices.recognize(cookie, EMAIL) is not None
        assert devices.recognize(change(cookie), EMAIL) is None
        assert devices.recognize(cookie, "other@example.com") is None
