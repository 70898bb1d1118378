"""What goes into a column comes out of it, on either engine."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from tests.integration.db.tables import Counter, State

pytestmark = pytest.mark.both_engines

DOCUMENTS = [
    {"z": 1, "a": 2, "m": {"y": 1, "b": 2}},
    {
        "big": 123456789012345678901234567890,
        "negative": -(10**40),
        "edge": [2**63, 2**64, -(2**63)],
    },
    {"float": 0.1, "huge": 1e300, "tiny": 5e-324, "whole": 1.0, "zero": -0.0, "int": 1},
    {"text": "Мой можем 🎟 \u0000 \u2028 \ufffe e\u0301", "digits": "1234567890123456789012"},
    {"null": None, "list": [None, True, False, {}, []], "": ""},
    "text",
    0,
    -1.5,
    10**30,
    "10",
    False,
    [],
]


async def put(database, name="one", **columns):
    async with database.write() as unit:
        unit.session.add(Counter(name=name, **columns))


async def get(database, column):
    async with database.read() as session:
        return await session.scalar(select(column))


@pytest.mark.parametrize("document", DOCUMENTS, ids=range(len(DOCUMENTS)))
async def test_a_document_comes_back_exactly(database, document):
    await put(database, document=document)
    assert repr(await get(database, Counter.document)) == repr(document)


@pytest.mark.parametrize("document", [float("nan"), [float("inf")], {1: 2}, "\ud800", object()])
async def test_what_is_not_json_is_refused_whole(database, document):
    with pytest.raises((StatementError, ValueError, TypeError)):
        await put(database, document=[document, None])
    assert await get(database, Counter.name) is None


async def test_no_document_is_null(database):
    await put(database, document=None)
    async with database.read() as session:
        assert await session.scalar(select(Counter.name).where(Counter.document.is_(None))) == "one"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (datetime(2030, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)),
        (
            datetime(2030, 1, 1, 12, 30, 15, 123_999, tzinfo=UTC),
            datetime(2030, 1, 1, 12, 30, 15, 123_000, tzinfo=UTC),
        ),
        (
            datetime(2030, 7, 1, 2, tzinfo=timezone(timedelta(hours=3))),
            datetime(2030, 6, 30, 23, tzinfo=UTC),
        ),
        (None, None),
    ],
)
async def test_a_moment_comes_back_in_utc_cut_to_milliseconds(database, given, kept):
    await put(database, moment=given)
    found = await get(database, Counter.moment)
    assert found == kept
    assert found is None or found.tzinfo is UTC


async def test_a_moment_without_a_zone_is_refused(database):
    with pytest.raises(StatementError, match="no time zone"):
        await put(database, moment=datetime(2030, 1, 1))  # noqa: DTZ001 - the point


async def test_moments_sort_and_compare_by_time(database):
    base = datetime(2030, 1, 1, tzinfo=UTC)
    moments = [base + timedelta(milliseconds=each) for each in (0, 1, 999, 1000, 60_000)]
    for number, moment in enumerate(reversed(moments)):
        await put(database, str(number), moment=moment)
    async with database.read() as session:
        assert (
            list(await session.scalars(select(Counter.moment).order_by(Counter.moment))) == moments
        )
        due = select(Counter.moment).where(Counter.moment <= moments[2]).order_by(Counter.moment)
        assert list(await session.scalars(due)) == moments[:3]


async def test_a_state_is_stored_as_its_value(database):
    await put(database, state=State.SHUT)
    async with database.read() as session:
        assert await session.scalar(text("SELECT state FROM test_counter")) == "shut"
        assert await session.scalar(select(Counter.state)) is State.SHUT


async def test_the_database_itself_refuses_an_unknown_state(database):
    with pytest.raises((IntegrityError, DBAPIError)):
        async with database.write() as unit:
            await unit.session.execute(
                text("INSERT INTO test_counter (name, value, state) VALUES ('one', 0, 'ajar')")
            )


async def test_references_are_enforced(database):
    async with database.write() as unit:
        for statement in (
            "CREATE TABLE test_parent (id INTEGER PRIMARY KEY)",
            "CREATE TABLE test_child (parent_id INTEGER REFERENCES test_parent (id))",
        ):
            await unit.session.execute(text(statement))
    with pytest.raises(IntegrityError):
        async with database.write() as unit:
            await unit.session.execute(text("INSERT INTO test_child VALUES (1)"))


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)]
)
@pytest.mark.usefixtures("waiting_for_disk")
async def test_sqlite_keeps_what_it_acknowledged(database, pragma, value):
    async with database.write() as unit:
        assert await unit.session.scalar(text(f"PRAGMA {pragma}")) == value
