"""Use cases of apps on both databases: who may do what, what is audited, what the process knows."""

from dataclasses import dataclass, field

import pytest
from sqlalchemy import select

from mymozhem.apps.access import find_owner
from mymozhem.apps.compare import compare_versions
from mymozhem.apps.delete import delete_app
from mymozhem.apps.enable import disable_app, enable_app
from mymozhem.apps.kill_switch import start_app, stop_app
from mymozhem.apps.publish import publish_version
from mymozhem.apps.register import register_app
from mymozhem.apps.secrets import rotate_secret
from mymozhem.apps.sign_in import sign_in_app
from mymozhem.audit.tables import AuditRow
from mymozhem.auth.access import require_access
from mymozhem.auth.accounts import create_user
from mymozhem.auth.key_file import derive_material
from mymozhem.auth.keys import Keys
from mymozhem.auth.principal import OPERATOR, Principal
from mymozhem.auth.tokens import Tokens
from mymozhem.concurrency.costly_pool import CostlyPool
from mymozhem.config import Settings
from mymozhem.contract.signing import parse_key
from mymozhem.db.unit_of_work import Database
from mymozhem.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from mymozhem.idempotency import keys as idempotency
from mymozhem.idempotency.keys import DONE, Claim
from mymozhem.idempotency.tables import IdempotencyRow
from mymozhem.registry.app_keys import SecretCheck
from mymozhem.registry.catalog import Catalog
from mymozhem.registry.remote_apps import Owner
from tests.support.remote_manifest import remote_manifest

KEYS = Keys(derive_material("keys of the tests of use cases of apps"))
WIDER = remote_manifest("1.1.0", permissions=["participants:read"])


@dataclass(frozen=True)
class Services:
    """What the use cases ask for, with a catalog that follows the database."""

    database: Database
    catalog: Catalog
    keys: Keys
    settings: Settings
    costly: CostlyPool = field(default_factory=lambda: CostlyPool(with_process=False))


@pytest.fixture
async def services(database):
    settings = Settings(_env_file=None)
    return Services(database, await Catalog.load(database, settings, KEYS), KEYS, settings)


async def person(database, email, *, is_admin=False):
    async with database.write() as unit:
        made = await create_user(
            unit, email=email, name="Ada", password_hash="$argon2id$", is_admin=is_admin
        )
    return Principal(made.id, made.kind, None, "jti")


@pytest.fixture
async def admin(database):
    return await person(database, "admin@example.com", is_admin=True)


@pytest.fixture
async def owner(database):
    return await person(database, "owner@example.com")


@pytest.fixture
async def stranger(database):
    return await person(database, "stranger@example.com")


@pytest.fixture
async def raffle(services, admin, owner):
    """A registered app of the owner's; its secret."""
    made = await register_app(
        services, admin, "raffle", remote_manifest(), owner_email="owner@example.com"
    )
    return made.secret


async def audited(database):
    """Return what was audited, as actions with their actors."""
    async with database.read() as session:
        rows = await session.scalars(select(AuditRow).order_by(AuditRow.id))
        return [(row.action, row.actor_id) for row in rows]


async def test_an_app_belongs_to_who_is_named_or_else_to_the_admin(services, admin, owner, raffle):
    assert await find_owner(services, owner, "raffle") == Owner(owner.user_id, "owner@example.com")
    await register_app(services, admin, "lots", remote_manifest(), owner_email=None)
    assert await find_owner(services, admin, "lots") == Owner(admin.user_id, "admin@example.com")
    assert await find_owner(services, owner, "lots") is None


async def test_the_operator_needs_no_account_and_is_audited_as_nobody(services, database):
    await register_app(services, OPERATOR, "raffle", remote_manifest(), owner_email=None)
    await publish_version(services, OPERATOR, "raffle", WIDER, consent=True)
    await rotate_secret(services, OPERATOR, "raffle", grace_hours=None, key_pair=False)
    await stop_app(services, OPERATOR, "raffle", "too slow")
    await start_app(services, OPERATOR, "raffle")
    await delete_app(services, OPERATOR, "raffle")
    done = ("register", "publish", "secret", "stop", "start", "delete")
    assert await audited(database) == [(f"app.{each}", None) for each in done]


async def test_who_manages_no_app_changes_nothing_and_is_not_audited(services, database, stranger):
    await register_app(services, OPERATOR, "raffle", remote_manifest(), owner_email=None)
    refused = (
        register_app(services, stranger, "lots", remote_manifest(), owner_email=None),
        publish_version(services, stranger, "raffle", remote_manifest("1.0.1"), consent=False),
        rotate_secret(services, stranger, "raffle", grace_hours=0, key_pair=False),
        stop_app(services, stranger, "raffle", "out of spite"),
        start_app(services, stranger, "raffle"),
        delete_app(services, stranger, "raffle"),
    )
    for each in refused:
        with pytest.raises(Forbidden):
            await each
    assert await audited(database) == [("app.register", None)]
    assert not services.catalog.is_stopped("raffle")


async def test_an_owner_publishes_but_consents_for_no_operator(services, admin, owner, raffle):
    published = await publish_version(
        services, owner, "raffle", remote_manifest("1.0.1"), consent=False
    )
    assert published.manifest.version == "1.0.1"
    with pytest.raises(Conflict) as refused:
        await publish_version(services, owner, "raffle", WIDER, consent=True)
    assert refused.value.code == "CONSENT_REQUIRED"
    await publish_version(services, admin, "raffle", WIDER, consent=True)
    assert services.catalog.newest("raffle").version == "1.1.0"
    diff = await compare_versions(services, owner, "raffle", "1.0.1", "1.1.0")
    assert [change.pointer for change in diff.changes] != []


async def test_what_is_refused_leaves_no_trace(services, database, owner, raffle):
    before = await audited(database)
    for document in (remote_manifest("0.9.0"), remote_manifest(meta={"name": "No version"})):
        with pytest.raises((Conflict, Invalid)):
            await publish_version(services, owner, "raffle", document, consent=False)
    with pytest.raises(Invalid) as refused:
        await register_app(services, OPERATOR, "lots", remote_manifest(), owner_email="nobody")
    assert list(refused.value.details["fields"]) == ["/ownerEmail"]
    assert await audited(database) == before


async def test_this_process_knows_what_was_done_once_it_is_done(services, owner, admin, raffle):
    assert services.catalog.get("raffle").newest().version == "1.0.0"
    assert await stop_app(services, admin, "raffle", "too slow")
    assert services.catalog.is_stopped("raffle")
    assert not await stop_app(services, admin, "raffle", "again")
    assert await start_app(services, admin, "raffle")
    assert not services.catalog.is_stopped("raffle")
    rotated = await rotate_secret(services, owner, "raffle", grace_hours=None, key_pair=False)
    assert rotated.grace_hours == services.settings.app_secret_grace_hours
    assert services.catalog.endpoint("raffle", "1.0.0").shared == parse_key(rotated.secret)
    await delete_app(services, owner, "raffle")
    with pytest.raises(NotFound):
        services.catalog.get("raffle")


async def test_an_app_signs_in_with_its_secret_unless_it_is_stopped(services, admin, raffle, clock):
    by = {"check": SecretCheck(KEYS), "tokens": Tokens(KEYS, services.settings, clock)}
    token = await sign_in_app(services, "raffle", raffle, **by)
    assert by["tokens"].verify(token.access_token).app_id == "raffle"
    with pytest.raises(Unauthenticated):
        await sign_in_app(services, "raffle", "whsec_" + "A" * 32, **by)
    await stop_app(services, admin, "raffle", "too slow")
    with pytest.raises(Forbidden) as refused:
        await sign_in_app(services, "raffle", raffle, **by)
    assert refused.value.code == "APP_STOPPED"


async def test_a_repeated_request_is_marked_as_done_with_its_effect(services, database, admin):
    claim = Claim(admin.user_id, "POST /apps", "key-1", "digest")
    assert await idempotency.reserve(database, claim, hours=1) is None
    await register_app(services, admin, "raffle", remote_manifest(), owner_email=None)
    async with database.read() as session:
        assert (await session.scalars(select(IdempotencyRow.status))).all() == [DONE]


async def test_only_what_is_installed_is_enabled_and_only_what_is_known_disabled(services, raffle):
    for use_case in (enable_app, disable_app):
        for app_id in ("absent", "raffle"):  # a remote app is neither
            with pytest.raises(NotFound):
                await use_case(services, app_id)


async def test_admins_and_operators_are_let_in_where_the_table_says_admins(
    database, admin, stranger
):
    endpoint = "GET /admin/audit"
    await require_access(database, admin, endpoint)
    await require_access(database, OPERATOR, endpoint)
    with pytest.raises(Forbidden):
        await require_access(database, stranger, endpoint)
