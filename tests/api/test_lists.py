"""A remote app fetches a long list by its signed address, and nobody fetches another."""

from datetime import timedelta

import pytest

from mymozhem.api.v1.list_downloads import stored_lists
from mymozhem.clock import HeldClock
from tests.support.api_host import ApiHost

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


async def put(host: ApiHost, data: bytes = b'["a","b"]') -> str:
    reference = await stored_lists(host.host.services).put("raffle", data, 2)
    return reference.url.partition("/api/v1")[2]


async def test_anybody_with_the_address_gets_the_very_bytes(host: ApiHost):
    heard = await host.nobody.get(await put(host))
    assert (heard.status, heard.raw) == (200, b'["a","b"]')
    assert heard.headers["content-type"] == "application/json"


async def test_another_signature_leads_nowhere(host: ApiHost):
    path = await put(host)
    assert (await host.nobody.get(path[:-64] + "0" * 64)).status == 404
    assert (await host.nobody.get(path.replace("list_", "list_0"))).status == 404
    assert (await host.nobody.get(path.partition("&")[0])).status == 422


async def test_an_expired_address_says_so(host: ApiHost, clock: HeldClock):
    path = await put(host)
    clock.advance(timedelta(hours=2))
    heard = await host.nobody.get(path)
    assert heard.status == 410
