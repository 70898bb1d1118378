"""People as they see, change, take and erase what is held about them, on both databases."""

import asyncio

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from mymozhem.auth.accounts import Accounts, create_guest
from mymozhem.auth.passwords import Passwords
from mymozhem.auth.principal import Principal
from mymozhem.auth.tables import IdentityRow, UserRow
from mymozhem.auth.users import (
    ERASED_NAME,
    UserChanges,
    current_user,
    delete_user,
    export_user,
    get_user,
    patch_user,
)
from mymozhem.contract import PersonKind
from mymozhem.errors import Invalid, NotFound, Unauthenticated
from tests.support.timing import HANG_TIMEOUT

pytestmark = pytest.mark.both_engines

PASSWORD = "correct horse battery"


@pytest.fixture
def accounts(database):
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    yield Accounts(database, passwords)
    passwords.close()


@pytest.fixture
async def ada(accounts) -> Principal:
    return caller(await accounts.create_user("ada@example.com", name="Ada", password=PASSWORD))


@pytest.fixture
async def bob(accounts) -> Principal:
    return caller(await accounts.create_user("bob@example.com", name="Bob", password=PASSWORD))


@pytest.fixture
async def admin(accounts) -> Principal:
    return caller(
        await accounts.create_user(
            "root@example.com", name="Root", password=PASSWORD, is_admin=True
        )
    )


@pytest.fixture
async def guest(database) -> Principal:
    async with database.write() as uow:
        made = await create_guest(uow, "Zoe")
    return Principal(made.id, PersonKind.GUEST, "room_1", "jti")


def caller(user) -> Principal:
    return Principal(user.id, user.kind, None, "jti")


async def show(database, principal, user_id):
    async with database.read() as session:
        return await get_user(session, principal, user_id)


async def change(database, principal, user_id, **changes):
    async with database.write() as uow:
        return await patch_user(uow, principal, user_id, UserChanges(**changes))


async def erase(database, principal, user_id):
    async with database.write() as uow:
        await delete_user(uow, principal, user_id)


async def me(database, principal):
    async with database.read() as session:
        return await current_user(session, principal)


async def test_people_see_themselves_and_admins_see_everybody(database, ada, admin, guest):
    assert (await show(database, ada, ada.user_id)).email == "ada@example.com"
    assert (await show(database, admin, ada.user_id)).email == "ada@example.com"
    assert (await show(database, guest, guest.user_id)).name == "Zoe"
    assert (await me(database, ada)).name == "Ada"


async def test_for_anybody_else_a_person_does_not_exist(database, ada, bob, guest):
    for stranger in (bob, guest):
        for other in (ada.user_id, "usr_0", "", "x" * 10_000):
            with pytest.raises(NotFound) as refused:
                await show(database, stranger, other)
            assert refused.value.code == "NOT_FOUND"
            with pytest.raises(NotFound):
                await change(database, stranger, other, name="Eve")
            with pytest.raises(NotFound):
                await erase(database, stranger, other)
    assert (await me(database, ada)).name == "Ada"


async def test_an_admin_finds_nobody_where_nobody_is(database, admin):
    with pytest.raises(NotFound):
        await show(database, admin, "usr_0")


async def test_what_is_given_changes_and_the_rest_stays(database, ada, clock):
    before = await me(database, ada)
    clock.advance(60)
    avatar = "https://pictures.example/ada.png"
    changed = await change(database, ada, ada.user_id, avatar_url=avatar)
    assert (changed.name, changed.avatar_url) == ("Ada", avatar)
    assert changed.updated_at == clock.now() > before.updated_at
    changed = await change(database, ada, ada.user_id, name=" Ada L. ")
    assert (changed.name, changed.avatar_url) == ("Ada L.", avatar)
    cleared = await change(database, ada, ada.user_id, avatar_url=None)
    assert cleared.avatar_url is None
    assert await me(database, ada) == cleared
    clock.advance(60)
    assert await change(database, ada, ada.user_id) == cleared


async def test_an_admin_may_rename_somebody(database, ada, admin):
    assert (await change(database, admin, ada.user_id, name="A.")).name == "A."
    assert (await me(database, ada)).name == "A."


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("name", {"name": ""}),
        ("name", {"name": "\u202eadA"}),
        *(
            ("avatar", {"avatar_url": url})
            for url in (
                "",
                "ada.png",
                "http://pictures.example/ada.png",
                "javascript:alert(1)",
                "data:image/png;base64,AAAA",
                "https://user:secret@pictures.example/ada.png",
                "https://",
                "https://pictures.example/" + "x" * 2_048,
                "https://pictures.example/" + "\u00e4" * 1_000,
                "https://pictures.example/\ud800",
            )
        ),
    ],
)
async def test_a_change_that_breaks_a_rule_changes_nothing(database, ada, field, changes):
    before = await me(database, ada)
    with pytest.raises(Invalid) as refused:
        await change(database, ada, ada.user_id, **changes)
    assert list(refused.value.details["fields"]) == [field]
    assert await me(database, ada) == before


async def test_nobody_makes_themselves_an_admin():
    with pytest.raises(ValueError, match="is_admin"):
        UserChanges.model_validate({"is_admin": True})


async def test_an_erased_person_leaves_a_row_without_a_person(database, accounts, ada, clock):
    await change(database, ada, ada.user_id, avatar_url="https://pictures.example/ada.png")
    clock.advance(60)
    await erase(database, ada, ada.user_id)
    async with database.read() as session:
        row = await session.get(UserRow, ada.user_id)
        identities = (await session.scalars(select(IdentityRow))).all()
    assert (row.name, row.email, row.avatar_url) == (ERASED_NAME, None, None)
    assert (row.is_admin, row.email_verified) == (False, False)
    assert row.deleted_at == clock.now()
    assert identities == []
    with pytest.raises(Unauthenticated):
        await accounts.login("ada@example.com", PASSWORD)


async def test_an_erased_person_s_token_finds_nobody(database, ada, bob):
    await erase(database, ada, ada.user_id)
    with pytest.raises(Unauthenticated):
        await me(database, ada)
    async with database.read() as session:
        with pytest.raises(Unauthenticated):
            await export_user(session, ada)
    for act in (show, erase):
        with pytest.raises(NotFound):
            await act(database, ada, ada.user_id)
    assert (await me(database, bob)).name == "Bob"


async def test_an_erased_admin_is_none(database, ada, admin):
    await erase(database, admin, admin.user_id)
    with pytest.raises(NotFound):
        await show(database, admin, ada.user_id)


async def test_an_export_holds_everything_but_secrets(database, ada, bob):
    async with database.read() as session:
        export = await export_user(session, ada)
    assert export.user == await me(database, ada)
    assert [(each.provider, each.subject) for each in export.identities] == [("local", ada.user_id)]
    assert "argon2" not in repr(export)
    assert bob.user_id not in repr(export)


async def test_a_guest_can_take_what_is_held_about_them(database, guest):
    async with database.read() as session:
        export = await export_user(session, guest)
    assert (export.user.name, export.identities) == ("Zoe", ())


async def test_two_admins_who_change_each_other_do_not_wait_for_ever(database, accounts, admin):
    other = caller(
        await accounts.create_user("two@example.com", name="Two", password=PASSWORD, is_admin=True)
    )
    async with asyncio.timeout(HANG_TIMEOUT):
        await asyncio.gather(
            *(change(database, admin, other.user_id, name=f"Two {n}") for n in range(10)),
            *(change(database, other, admin.user_id, name=f"One {n}") for n in range(10)),
        )
    assert (await me(database, admin)).name.startswith("One")
    assert (await me(database, other)).name.startswith("Two")
