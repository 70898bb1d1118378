"""Long lists, stored until an app fetches them from addresses that the host has signed."""

import asyncio
import hashlib
import hmac
import zlib
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from mymozhem.clock import Clock
from mymozhem.contract.envelopes import ListRef
from mymozhem.db.delete_in_parts import delete_in_parts
from mymozhem.db.unit_of_work import Database, UnitOfWork
from mymozhem.errors import Gone, NotFound

from .tables import ListRow

#: longer than any deadline, and than the first attempts of a delivery
LIFETIME = timedelta(hours=1)
_ID_HEX = 40

#: lists that one transaction deletes; each may have megabytes
LISTS_AT_ONCE = 10


class StoredLists:
    """Keeps lists in the database until they expire; see `long_lists.Lists`.

    If calls of the same app store the same list again, it is stored once, and its expiry is
    extended. `key` signs the addresses; `public_url` is where apps reach the host, without a
    slash at the end.
    """

    def __init__(self, database: Database, *, key: bytes, public_url: str, clock: Clock) -> None:
        self._database = database
        self._key = key
        self._base = f"{public_url}/api/v1/lists"
        self._clock = clock

    async def put(self, app_id: str, data: bytes, count: int) -> ListRef:
        """Store the JSON of a list of `rows` rows, and return a reference to fetch it."""
        digest, packed = await asyncio.to_thread(_packed, data)
        list_id = self._id(app_id, digest)
        try:
            async with self._database.write() as unit:
                expires_at = _whole_second(unit.now + LIFETIME)
                if not await _prolonged(unit, list_id, expires_at):
                    unit.session.add(ListRow(id=list_id, data=packed, expires_at=expires_at))
        except IntegrityError:  # another process stored it concurrently
            async with self._database.write() as unit:
                expires_at = _whole_second(unit.now + LIFETIME)
                await _prolonged(unit, list_id, expires_at)
        return ListRef(
            url=self._url(list_id, expires_at), digest=digest, count=count, expires_at=expires_at
        )

    async def get(self, list_id: str, *, expires: int, signature: str) -> bytes:
        """Return the JSON of a list; `expires` is in seconds since 1970.

        Raises `NotFound` if the signature is invalid, `Gone` if the address has expired.
        """
        if not hmac.compare_digest(self._signature(list_id, expires).encode(), signature.encode()):
            raise NotFound
        if self._clock.now().timestamp() >= expires:
            raise Gone("This list has expired; the call that named it is over.")
        async with self._database.read() as session:
            row = await session.get(ListRow, list_id)
        if row is None:
            raise NotFound
        return await asyncio.to_thread(zlib.decompress, row.data)

    def _id(self, app_id: str, digest: str) -> str:
        named = hmac.digest(self._key, f"{app_id}/{digest}".encode(), "sha256")
        return f"list_{named.hex()[:_ID_HEX]}"

    def _url(self, list_id: str, expires_at: datetime) -> str:
        expires = int(expires_at.timestamp())
        signature = self._signature(list_id, expires)
        return f"{self._base}/{list_id}?expires={expires}&signature={signature}"

    def _signature(self, list_id: str, expires: int) -> str:
        return hmac.new(self._key, f"{list_id}.{expires}".encode(), hashlib.sha256).hexdigest()


async def delete_expired(database: Database) -> int:
    """Delete the lists that have expired, and return how many there were."""
    return await delete_in_parts(
        database, ListRow, lambda now: ListRow.expires_at <= now, at_once=LISTS_AT_ONCE
    )


async def _prolonged(unit: UnitOfWork, list_id: str, expires_at: datetime) -> bool:
    known = update(ListRow).where(ListRow.id == list_id).values(expires_at=expires_at)
    return bool((await unit.session.scalars(known.returning(ListRow.id))).all())


def _packed(data: bytes) -> tuple[str, bytes]:
    return hashlib.sha256(data).hexdigest(), zlib.compress(data, level=1)


def _whole_second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
