"""Pages of long lists: page, order and total."""

import time
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

T = TypeVar("T")
Columns = Mapping[str, InstrumentedAttribute[Any]]


@dataclass(frozen=True)
class PageRequest:
    """A requested page, counted from 1; `sort` names fields, a leading `-` reverses one."""

    page: int = 1
    limit: int = 20
    sort: tuple[str, ...] = ()

    @property
    def offset(self) -> int:
        """The number of items before the page."""
        return (self.page - 1) * self.limit


@dataclass(frozen=True)
class ResultPage(Generic[T]):
    """The items of a page, and the total of the list."""

    items: list[T]
    total: int


def ordering(sort: Sequence[str], columns: Columns) -> list[ColumnElement[Any]]:
    """Return a total order: by the named fields, then by `id` in the first field's direction."""
    named = [(name.removeprefix("-"), name.startswith("-")) for name in sort]
    down = named[0][1] if named else False
    if "id" not in [name for name, _ in named]:
        named.append(("id", down))
    return [columns[name].desc() if turned else columns[name].asc() for name, turned in named]


async def count(session: AsyncSession, rows: Select[*tuple[Any, ...]]) -> int:
    """Return the number of rows of a query, without its order."""
    bare = rows.with_only_columns(func.count(), maintain_column_froms=True).order_by(None)
    return await session.scalar(bare) or 0


async def fetch_page(
    session: AsyncSession, rows: Select[*tuple[Any, ...]], part: PageRequest, columns: Columns
) -> tuple[Sequence[Any], int]:
    """Return the rows of a page and the total."""
    total = await count(session, rows)
    ordered = rows.order_by(*ordering(part.sort, columns)).offset(part.offset).limit(part.limit)
    return (await session.execute(ordered)).all(), total


@dataclass
class Totals:
    """Totals of lists that are too long to be counted for every page.

    Short lists are counted each time. The total of a long list may be a few seconds old: nobody
    notices whether there are 100,000 rooms or 100,001.
    """

    long: int = 1_000
    seconds: float = 5.0
    _known: dict[Hashable, tuple[float, int]] = field(default_factory=dict)

    async def of(self, key: Hashable, counted: Callable[[], Awaitable[int]]) -> int:
        """Return the total of the list that `key` names."""
        until, total = self._known.get(key, (0.0, 0))
        if time.monotonic() < until:
            return total
        total = await counted()
        self._known.pop(key, None)
        if total > self.long:
            self._remember(key, total)
        return total

    def _remember(self, key: Hashable, total: int) -> None:
        most = 256
        while len(self._known) >= most:
            self._known.pop(next(iter(self._known)))
        self._known[key] = (time.monotonic() + self.seconds, total)
