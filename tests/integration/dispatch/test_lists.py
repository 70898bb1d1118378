"""Long lists wait in the database behind signed addresses, for a while."""

import asyncio
import hashlib
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from sqlalchemy import func, select

from mymozhem.dispatch.stored_lists import LIFETIME, StoredLists, delete_expired
from mymozhem.dispatch.tables import ListRow
from mymozhem.errors import Gone, NotFound

pytestmark = pytest.mark.both_engines

DATA = orjson.dumps([f"part_{n}" for n in range(10_000)])


@pytest.fixture
def lists(database, clock):
    return StoredLists(database, key=b"k" * 32, public_url="https://host.example.com", clock=clock)


def asked(reference):
    parts = urlsplit(reference.url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert parts.path.startswith("/api/v1/lists/list_")
    return parts.path.rpartition("/")[2], int(query["expires"]), query["signature"]


async def rows(database):
    async with database.read() as session:
        return await session.scalar(select(func.count()).select_from(ListRow))


async def test_what_is_put_is_got_byte_by_byte(lists, clock):
    reference = await lists.put("raffle", DATA, 10_000)
    assert reference.count == 10_000
    assert reference.digest == hashlib.sha256(DATA).hexdigest()
    assert reference.expires_at == clock.now() + LIFETIME
    list_id, expires, signature = asked(reference)
    assert await lists.get(list_id, expires=expires, signature=signature) == DATA


async def test_an_address_that_was_changed_leads_nowhere(lists):
    list_id, expires, signature = asked(await lists.put("raffle", DATA, 10_000))
    for changed in (
        (list_id, expires + 1, signature),
        (list_id + "0", expires, signature),
        (list_id, expires, "0" * 64),
        (list_id, expires, "é"),
    ):
        with pytest.raises(NotFound):
            await lists.get(changed[0], expires=changed[1], signature=changed[2])


async def test_it_is_gone_when_its_time_is_over_also_after_cleaning_up(lists, database, clock):
    list_id, expires, signature = asked(await lists.put("raffle", DATA, 10_000))
    assert await delete_expired(database) == 0
    clock.advance(LIFETIME)
    for left in (1, 0):
        with pytest.raises(Gone):
            await lists.get(list_id, expires=expires, signature=signature)
        assert await delete_expired(database) == left
    assert await rows(database) == 0


async def test_a_list_that_is_put_again_is_kept_once_and_longer(lists, database, clock):
    first = await lists.put("raffle", DATA, 10_000)
    clock.advance(timedelta(minutes=30))
    second = await lists.put("raffle", DATA, 10_000)
    assert await rows(database) == 1
    assert asked(first)[0] == asked(second)[0]
    clock.advance(timedelta(minutes=40))
    with pytest.raises(Gone):
        await _got(lists, first)
    assert await _got(lists, second) == DATA


async def test_two_apps_do_not_share_a_list(lists, database):
    first, second = [await lists.put(app_id, DATA, 1) for app_id in ("raffle", "quiz")]
    assert asked(first)[0] != asked(second)[0]
    assert await rows(database) == 2


async def test_many_who_put_the_same_at_once_get_the_same(lists, database):
    references = await asyncio.gather(*(lists.put("raffle", DATA, 1) for _ in range(8)))
    assert len({reference.url for reference in references}) == 1
    assert await rows(database) == 1
    assert await _got(lists, references[0]) == DATA


async def _got(lists, reference):
    list_id, expires, signature = asked(reference)
    return await lists.get(list_id, expires=expires, signature=signature)
