"""Accounts and guests, on SQLite and on PostgreSQL."""

import asyncio

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from mymozhem.auth.accounts import Accounts, create_guest, create_user, login_query, normal_email
from mymozhem.auth.passwords import Passwords
from mymozhem.auth.tables import IdentityRow, UserRow
from mymozhem.contract import PersonKind
from mymozhem.errors import Conflict, Invalid, MymozhemError, Unauthenticated

PASSWORD = "correct horse battery"


@pytest.fixture
def passwords():
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    yield passwords
    passwords.close()


@pytest.fixture
def accounts(database, passwords) -> Accounts:
    return Accounts(database, passwords)


async def make(accounts, email="ada@example.com", **more):
    return await accounts.create_user(email, name="Ada", password=PASSWORD, **more)


async def count(database, table) -> int:
    async with database.read() as session:
        return len((await session.scalars(select(table))).all())


async def test_who_has_an_account_signs_in_with_it(accounts, clock):
    made = await make(accounts)
    assert await accounts.login("ada@example.com", PASSWORD) == made
    assert (made.kind, made.is_admin, made.email_verified) == (PersonKind.REGISTERED, False, False)
    assert made.id.startswith("usr_")
    assert made.created_at == made.updated_at == clock.now()


async def test_an_admin_is_made_on_request(accounts):
    assert (await make(accounts, is_admin=True)).is_admin
    assert (await accounts.login("ada@example.com", PASSWORD)).is_admin


async def test_the_password_itself_is_nowhere(accounts, database):
    await make(accounts)
    async with database.read() as session:
        (identity,) = (await session.scalars(select(IdentityRow))).all()
    assert identity.provider == "local"
    assert identity.secret_hash.startswith("$argon2id$")
    assert PASSWORD not in identity.secret_hash


@pytest.mark.parametrize("spelling", ["ada@example.com", "ADA@Example.COM", "  ada@example.com\n"])
async def test_an_address_is_one_however_it_is_spelled(accounts, spelling):
    made = await make(accounts)
    assert (await accounts.login(spelling, PASSWORD)).id == made.id
    with pytest.raises(Conflict) as taken:
        await make(accounts, spelling)
    assert taken.value.code == "EMAIL_TAKEN"


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ada@example.com", "wrong password"),
        ("ada@example.com", ""),
        ("ada@example.com", "x" * 100_000),
        ("ada@example.com", "\ud800\x00"),
        ("nobody@example.com", PASSWORD),
        ("no address", PASSWORD),
        ("x" * 100_000, PASSWORD),
        ("\x00@example.com", PASSWORD),
        ("\ud800@example.com", PASSWORD),
        ("' OR 1=1 --@example.com", PASSWORD),
        ("%@example.com", PASSWORD),
        ("", ""),
    ],
)
async def test_every_wrong_sign_in_gets_the_same_answer(accounts, email, password):
    await make(accounts)
    with pytest.raises(Unauthenticated) as refused:
        await accounts.login(email, password)
    assert refused.value.code == "INVALID_CREDENTIALS"
    assert refused.value.details == {}
    assert refused.value.message == "E-mail and password do not belong together."


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("email", {"email": "no address"}),
        ("name", {"name": "\u202eadA"}),
        ("password", {"password": "short"}),
    ],
)
async def test_a_field_that_breaks_its_rule_makes_no_account(accounts, database, field, wrong):
    given = {"email": "ada@example.com", "name": "Ada", "password": PASSWORD} | wrong
    with pytest.raises(Invalid) as refused:
        await accounts.create_user(given["email"], name=given["name"], password=given["password"])
    assert list(refused.value.details["fields"]) == [field]
    assert await count(database, UserRow) == 0


async def test_of_many_who_take_an_address_at_once_one_gets_it(accounts, database):
    found = await asyncio.gather(*(make(accounts) for _ in range(8)), return_exceptions=True)
    taken = [each for each in found if isinstance(each, MymozhemError)]
    assert {each.code for each in taken} == {"EMAIL_TAKEN"}
    assert len(found) - len(taken) == 1
    assert (await count(database, UserRow), await count(database, IdentityRow)) == (1, 1)


async def test_the_database_itself_keeps_addresses_apart(accounts, database):
    await make(accounts)
    other = await make(accounts, "bob@example.com")
    with pytest.raises(IntegrityError):
        async with database.write() as uow:
            await uow.session.execute(
                update(UserRow).where(UserRow.id == other.id).values(email="ada@example.com")
            )


async def test_a_deleted_address_is_free_again(accounts, database):
    first = await make(accounts)
    async with database.write() as uow:
        await uow.session.execute(
            update(UserRow).where(UserRow.id == first.id).values(deleted_at=uow.now)
        )
    second = await make(accounts)
    assert (await accounts.login("ada@example.com", PASSWORD)).id == second.id != first.id


async def test_a_guest_belongs_to_the_transaction_in_which_they_join(database):
    async with database.write() as uow:
        guest = await create_guest(uow, "  Zoe  ")
    assert (guest.kind, guest.name, guest.email) == (PersonKind.GUEST, "Zoe", None)
    with pytest.raises(ZeroDivisionError):
        await join_and_fail(database)
    assert await count(database, UserRow) == 1
    assert await count(database, IdentityRow) == 0


async def join_and_fail(database):
    async with database.write() as uow:
        await create_guest(uow, "Yan")
        raise ZeroDivisionError


async def test_guests_may_share_a_name_but_not_play_tricks_with_it(database):
    async with database.write() as uow:
        one, two = await create_guest(uow, "Zoe"), await create_guest(uow, "Zoe")
        assert one.id != two.id
        with pytest.raises(Invalid):
            await create_guest(uow, "Z\u200boe")


async def test_an_account_can_be_part_of_a_larger_transaction(accounts, database, passwords):
    hashed = await passwords.hash(PASSWORD)
    async with database.write() as uow:
        made = await create_user(uow, email="Ada@Example.com", name="Ada", password_hash=hashed)
        await create_guest(uow, "Zoe")
    assert await accounts.login("ada@example.com", PASSWORD) == made


async def test_one_identity_belongs_to_one_person(accounts, database):
    made = await make(accounts)
    with pytest.raises(IntegrityError):
        async with database.write() as uow:
            uow.session.add(
                IdentityRow(provider="local", subject=made.id, user_id=made.id, created_at=uow.now)
            )


async def test_signing_in_finds_its_rows_by_their_indexes(accounts, database):
    await make(accounts)
    async with database.read() as session:
        if database.dialect == "postgresql":
            # With one row a scan is cheapest; what is asked is whether the indexes can serve.
            await session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = await explain(await session.connection(), login_query("ada@example.com"))
    assert "uq_users_email" in plan
    # SQLite names the index of a constraint itself, and says by which columns it searches.
    assert {"sqlite": "provider=? AND subject=?", "postgresql": "uq_identities_provider"}[
        database.dialect
    ] in plan


async def explain(connection, query) -> str:
    """Return an engine's plan for a query as the host sends it, its values bound."""
    compiled = query.compile(
        dialect=connection.dialect, compile_kwargs={"render_postcompile": True}
    )
    word = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
    values = tuple(compiled.params[name] for name in compiled.positiontup)
    rows = await connection.exec_driver_sql(f"{word} {compiled}", values)
    return " ".join(str(row) for row in rows)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Ada@Example.com", "ada@example.com"),
        (" ada@localhost ", "ada@localhost"),
        ("ada+tag@home.local", "ada+tag@home.local"),
        ("a\u0308@b\u00fccher.example", "\u00e4@b\u00fccher.example"),
    ],
)
def test_an_address_is_kept_as_it_is_compared(given, kept):
    assert normal_email(given) == kept


@pytest.mark.parametrize(
    "given",
    [
        "",
        "ada",
        "@example.com",
        "ada@",
        "ada@@example.com",
        "a@b@example.com",
        "ada@example..com",
        "ada@.example.com",
        "ada@example.com.",
        "a da@example.com",
        "ada@exam\u200bple.com",
        "ada@example.com\x00",
        "Ada <ada@example.com>",
        "x" * 65 + "@example.com",
        "x@" + "y" * 260,
        "\ud800@example.com",
    ],
)
def test_what_could_never_be_an_address_is_refused(given):
    with pytest.raises(Invalid):
        normal_email(given)
