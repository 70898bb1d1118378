"""Remote apps on both databases: registered, published, rotated, stopped, noticed by others."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from mymozhem.auth.accounts import create_user
from mymozhem.auth.key_file import derive_material
from mymozhem.auth.keys import Keys
from mymozhem.config import Settings
from mymozhem.contract.signing import (
    PublicKey,
    SharedKey,
    SignatureRefused,
    parse_key,
    sign,
    verify,
)
from mymozhem.db.base import Base
from mymozhem.errors import Conflict, Invalid, NotFound
from mymozhem.registry import kill_switch, manifest_history, remote_apps
from mymozhem.registry.app_keys import SecretCheck
from mymozhem.registry.catalog import Catalog
from mymozhem.registry.catalog_source import Source
from mymozhem.registry.catalog_watch import CatalogWatch
from mymozhem.registry.publishing_rules import VersionNotGreater
from mymozhem.registry.remote_apps import Owner, validate_remote_manifest
from mymozhem.registry.tables import AppSecretRow
from tests.support.api_host import EchoApp
from tests.support.host import loaded
from tests.support.remote_manifest import BASE_URL, FIRST_PLATFORM, manifest_of, remote_manifest
from tests.support.timing import HANG_TIMEOUT

pytestmark = pytest.mark.both_engines

KEYS = Keys(derive_material("keys of the tests of remote apps"))
OTHER_KEYS = Keys(derive_material("keys of another host altogether"))
NOBODY = Owner(None, None)
DAY = timedelta(hours=24)


async def catalog_of(database, keys=KEYS):
    return await Catalog.load(database, Settings(_env_file=None), keys)


async def registered(database, manifest=None, *, app_id="raffle", owner=NOBODY):
    async with database.write() as unit:
        return await remote_apps.register(
            unit, KEYS, app_id, manifest or manifest_of(app_id=app_id), owner=owner
        )


async def published(database, manifest):
    async with database.write() as unit:
        return await remote_apps.publish(unit, "raffle", manifest, consent=True)


async def renewed(database, *, grace=DAY, key_pair=False):
    async with database.write() as unit:
        return await remote_apps.renew_keys(unit, KEYS, "raffle", grace=grace, key_pair=key_pair)


async def fits(database, secret, app_id="raffle"):
    now, check = await database.now(), SecretCheck(KEYS)
    async with database.read() as session:
        return await remote_apps.matching_key(session, check, app_id, secret, now=now) is not None


def signed_with(endpoint, text):
    """Tell whether the app would believe a call that is signed with these keys."""
    body = b"{}"
    signature = sign(endpoint.keys, message_id="call_1", timestamp=0, body=body)
    headers = {"webhook-id": "call_1", "webhook-timestamp": "0", "webhook-signature": signature}
    try:
        return verify([parse_key(text)], headers, body, now=0) == "call_1"
    except SignatureRefused:
        return False


# -------------------------------------------------------------------------------- registering


async def test_a_registered_app_is_reached_and_believes_what_is_signed(database):
    made = await registered(database)
    endpoint = (await catalog_of(database)).endpoint("raffle", "1.0.0")
    assert (endpoint.base_url, endpoint.platform_form) == (BASE_URL, False)
    assert endpoint.shared == parse_key(made.secret)
    assert isinstance(parse_key(made.public_key), PublicKey)
    assert signed_with(endpoint, made.secret)
    assert signed_with(endpoint, made.public_key)


async def test_a_manifest_of_the_first_platform_is_taken_as_it_stands(database):
    manifest = validate_remote_manifest(FIRST_PLATFORM, "app_raffle_v1", lambda _: None)
    await registered(database, manifest, app_id="app_raffle_v1")
    catalog = await catalog_of(database)
    assert catalog.endpoint("app_raffle_v1", "1.0.0").platform_form
    assert catalog.get("app_raffle_v1").available


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({}, "/manifest/meta"),
        (remote_manifest(id="other"), "/manifest/id"),
        ({k: v for k, v in remote_manifest().items() if k != "baseUrl"}, "/manifest/baseUrl"),
        (remote_manifest(baseUrl="http://raffle.example.com"), "/manifest/baseUrl"),
    ],
)
def test_what_is_wrong_with_a_manifest_is_said_by_field(document, pointer):
    with pytest.raises(Invalid) as caught:
        validate_remote_manifest(document, "raffle", lambda _: None)
    assert caught.value.code == "MANIFEST_INVALID"
    assert any(each.startswith(pointer) for each in caught.value.details["fields"])


def test_the_address_is_looked_at_before_it_is_saved():
    seen = []
    validate_remote_manifest(remote_manifest(), "raffle", seen.append)
    assert seen == [BASE_URL]


async def test_an_id_is_given_once_and_never_again(database):
    await registered(database)
    async with database.write() as unit:
        await remote_apps.delete(unit, "raffle")
    with pytest.raises(Conflict) as caught:
        await registered(database)
    assert caught.value.code == "APP_ID_TAKEN"


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_of_several_who_want_an_id_at_once_one_gets_it(database):
    came = await asyncio.gather(*(registered(database) for _ in range(5)), return_exceptions=True)
    assert sum(not isinstance(each, Exception) for each in came) == 1
    assert {each.code for each in came if isinstance(each, Exception)} == {"APP_ID_TAKEN"}


async def test_a_package_cannot_take_the_place_of_a_remote_app(database):
    await registered(database)
    with pytest.raises(manifest_history.NotInstallable):
        async with database.write() as unit:
            await manifest_history.publish(unit, "raffle", manifest_of("3.0.0"))
    with pytest.raises(manifest_history.NotInstallable):
        async with database.write() as unit:
            await manifest_history.set_active(unit, "raffle", is_active=True)
    assert (await catalog_of(database)).newest("raffle").version == "1.0.0"


async def test_a_plugin_is_not_published_over_the_network(database):
    async with database.write() as unit:
        await manifest_history.publish(unit, "raffle", manifest_of())
    with pytest.raises(Conflict) as caught:
        await published(database, manifest_of("2.0.0"))
    assert caught.value.code == "APP_NOT_REMOTE"


# --------------------------------------------------------------------------------- publishing


async def test_versions_only_grow_and_never_change(database):
    await registered(database, manifest_of("1.2.0"))
    first = await published(database, manifest_of("1.10.0"))
    assert await published(database, manifest_of("1.10.0")) == first
    with pytest.raises(manifest_history.VersionImmutable):
        await published(database, manifest_of("1.10.0", permissions=[]))
    for lower in ("1.9.0", "1.10.0-rc.1", "1.10.0+later"):
        with pytest.raises(VersionNotGreater) as caught:
            await published(database, manifest_of(lower))
        assert caught.value.details["newest"] == "1.10.0"
    catalog = await catalog_of(database)
    assert [each.manifest.version for each in catalog.get("raffle").versions] == ["1.2.0", "1.10.0"]


async def test_each_version_is_reached_where_its_own_manifest_says(database):
    await registered(database)
    moved = "https://two.example.com"
    await published(database, manifest_of("2.0.0", baseUrl=f"{moved}/"))
    catalog = await catalog_of(database)
    assert catalog.endpoint("raffle", "1.0.0").base_url == BASE_URL
    assert catalog.endpoint("raffle", "2.0.0").base_url == moved
    assert catalog.is_served("raffle", "1.0.0")
    assert not catalog.is_served("raffle", "3.0.0")
    target = catalog.get("raffle").target("2.0.0")
    assert (target["kind"], target["baseUrl"]) == ("webhook", moved)
    assert target["keyId"].startswith("key_")


async def test_a_deleted_app_is_offered_no_more_and_its_manifests_stay(database):
    made = await registered(database)
    async with database.write() as unit:
        await remote_apps.delete(unit, "raffle")
    catalog = await catalog_of(database)
    assert catalog.apps() == ()
    assert catalog.manifest("raffle", "1.0.0").version == "1.0.0"
    assert not catalog.is_served("raffle", "1.0.0")
    assert not await fits(database, made.secret)
    for ask in (lambda: catalog.get("raffle"), lambda: catalog.newest("raffle")):
        with pytest.raises(NotFound):
            ask()
    with pytest.raises(NotFound):
        await published(database, manifest_of("2.0.0"))


# ------------------------------------------------------------------------------------ secrets


async def test_the_database_holds_no_secret_in_plain(database):
    made = await registered(database)
    secret = parse_key(made.secret)
    assert isinstance(secret, SharedKey)
    (pair,) = (
        key.key
        for key in (await catalog_of(database)).get("raffle").facts.keys
        if key.public_key is not None
    )
    private = pair.key.private_bytes_raw()
    dump = bytearray()
    async with database.read() as session:
        for table in Base.metadata.sorted_tables:
            for row in await session.execute(select(table)):
                for value in row:
                    dump += value if isinstance(value, bytes) else str(value).encode()
                    dump += b"\n"
    assert b"raffle" in dump
    text = made.secret.removeprefix("whsec_").encode()
    for never in (text, secret.secret, private):
        assert never not in dump
        assert never.hex().encode() not in dump


async def test_during_the_grace_both_secrets_count_and_afterwards_the_new_one(database, clock):
    old = await registered(database)
    catalog = await catalog_of(database)
    new = await renewed(database)
    assert await catalog.refresh_if_news()
    endpoint = catalog.endpoint("raffle", "1.0.0")
    assert endpoint.shared == endpoint.keys[0] == parse_key(new.secret)
    assert all(signed_with(endpoint, key) for key in (old.secret, new.secret, old.public_key))
    assert [await fits(database, each.secret) for each in (old, new)] == [True, True]
    clock.advance(DAY)
    assert [await fits(database, each.secret) for each in (old, new)] == [False, True]
    assert await catalog.refresh_if_news()  # nobody changed a row: a key has ended
    endpoint = catalog.endpoint("raffle", "1.0.0")
    assert not signed_with(endpoint, old.secret)
    assert signed_with(endpoint, new.secret)
    assert signed_with(endpoint, old.public_key)
    assert not await catalog.refresh_if_news()


async def test_a_second_rotation_ends_what_was_in_its_grace(database):
    first = await registered(database)
    second, third = await renewed(database), await renewed(database)
    good = [await fits(database, each.secret) for each in (first, second, third)]
    assert good == [False, True, True]


async def test_a_secret_that_leaked_ends_at_once(database):
    leaked = await registered(database)
    new = await renewed(database, grace=timedelta(), key_pair=True)
    endpoint = (await catalog_of(database)).endpoint("raffle", "1.0.0")
    assert not await fits(database, leaked.secret)
    assert len(endpoint.keys) == 2
    assert signed_with(endpoint, new.secret)
    assert signed_with(endpoint, new.public_key)
    assert not signed_with(endpoint, leaked.public_key)
    async with database.read() as session:
        rows = (await session.scalars(select(AppSecretRow))).all()
    assert sum(row.revoked_at is None for row in rows) == 2


async def test_an_app_whose_keys_cannot_be_opened_is_orphaned_and_stops_nobody(database, caplog):
    await registered(database)
    catalog = await catalog_of(database, OTHER_KEYS)
    assert catalog.endpoint("raffle", "1.0.0") is None
    assert not catalog.get("raffle").available
    assert "cannot be opened" in caplog.text


# ------------------------------------------------------------------------------------ stopping


async def test_a_stopped_app_is_known_as_such_until_it_is_started(database):
    await registered(database)
    catalog = await catalog_of(database)
    for switch, stopped in ((kill_switch.stop, True), (kill_switch.start, False)):
        more = ["too slow"] if stopped else []
        for changed in (True, False):
            async with database.write() as unit:
                assert await switch(unit, "raffle", *more) is changed
        await catalog.refresh()
        assert catalog.is_stopped("raffle") is stopped
        assert catalog.get("raffle").available is not stopped
    assert catalog.endpoint("raffle", "1.0.0") is not None


async def test_a_batch_action_of_an_app_that_is_registered_later_is_known(database):
    catalog = await catalog_of(database)
    assert "press" not in catalog.batch_actions()
    await registered(database, manifest_of(actions={"press": {"batch": True}, "do": {}}))
    await catalog.refresh_if_news()
    assert catalog.batch_actions() == {"press"}


async def test_every_process_tells_once_that_an_app_was_started_again(database):
    await registered(database)
    catalogs = [await catalog_of(database) for _ in range(2)]
    told = []
    for each in catalogs:
        each.when_back(told.append)
    for switch, more, expected in (
        (kill_switch.stop, ["too slow"], []),
        (kill_switch.start, [], ["raffle", "raffle"]),
    ):
        async with database.write() as unit:
            await switch(unit, "raffle", *more)
        for each in (*catalogs, *catalogs):
            await each.refresh_if_news()
        assert told == expected


async def test_an_app_that_says_it_is_gone_is_disabled_once(database):
    await registered(database)
    catalog = await catalog_of(database)
    assert await kill_switch.disable(database, catalog, "raffle", "it answered 410")
    assert not await kill_switch.disable(database, catalog, "raffle", "again")
    stopped = catalog.get("raffle").facts.stopped
    assert (stopped.cause.value, stopped.reason) == ("gone", "it answered 410")


async def test_an_app_that_was_never_there_cannot_be_stopped(database):
    with pytest.raises(NotFound):
        async with database.write() as unit:
            await kill_switch.stop(unit, "raffle", "why not")
    assert not (await catalog_of(database)).is_stopped("raffle")


# ----------------------------------------------------------------------- two processes, one truth


async def test_two_catalogs_over_one_database_notice_each_other_s_changes(database):
    here, there = await catalog_of(database), await catalog_of(database)
    await registered(database)
    assert here.apps() == there.apps() == ()
    for each in (here, there):
        assert await each.refresh_if_news()
        assert not await each.refresh_if_news()
        assert each.endpoint("raffle", "1.0.0") is not None
    await published(database, manifest_of("1.1.0"))
    assert await there.refresh_if_news()
    assert there.newest("raffle").version == "1.1.0"
    assert here.newest("raffle").version == "1.0.0"
    async with database.write() as unit:
        await manifest_history.publish(unit, "counter", manifest_of(app_id="counter"))
    assert await here.refresh_if_news()
    assert [app.app_id for app in here.apps()] == ["counter", "raffle"]


async def test_manifests_that_are_known_are_not_read_again(database):
    await registered(database)
    catalog = await catalog_of(database)
    before = catalog.manifest("raffle", "1.0.0")
    await published(database, manifest_of("1.1.0"))
    await catalog.refresh()
    assert catalog.manifest("raffle", "1.0.0") is before
    assert catalog.manifest("raffle", "1.1.0").digest == manifest_of("1.1.0").digest


async def test_whoever_reads_sees_one_moment_whole(database):
    await registered(database)
    catalog = await catalog_of(database)
    app = catalog.get("raffle")
    async with database.write() as unit:
        await remote_apps.delete(unit, "raffle")
    await catalog.refresh()
    assert app.available
    assert [each.manifest.version for each in app.versions] == ["1.0.0"]


async def test_code_that_was_loaded_at_start_stays_beside_what_is_read(database):
    code = loaded(EchoApp(), "stall")
    async with database.write() as unit:
        await manifest_history.publish(unit, "stall", code.manifest)
    async with database.read() as session:
        catalog = Catalog([code], await manifest_history.versions(session))
    assert not await catalog.refresh_if_news()  # made by hand: it reads from nowhere
    await registered(database)
    await catalog.follow(Source(database, KEYS))
    assert catalog.code_for("stall", "1.0.0") is code
    assert catalog.endpoint("stall", "1.0.0") is None
    assert catalog.is_served("stall", "1.0.0")
    assert catalog.is_served("raffle", "1.0.0")


async def test_the_watch_notices_by_itself_and_ends_when_told(database):
    read = asyncio.Event()

    class Telling(Catalog):
        async def refresh(self) -> None:
            await super().refresh()
            read.set()

    catalog = Telling((), ())
    await catalog.follow(Source(database, KEYS))
    read.clear()
    watch = CatalogWatch(catalog, every=0.01)
    watch.start()
    watch.start()
    try:
        await registered(database)
        async with asyncio.timeout(HANG_TIMEOUT):
            await read.wait()
        assert catalog.is_served("raffle", "1.0.0")
    finally:
        await watch.stop()
        await watch.stop()


async def test_the_watch_goes_on_after_a_look_that_failed(database):
    catalog = await catalog_of(database)
    looked = asyncio.Event()

    class Stumbling(Catalog):
        times = 0

        async def refresh_if_news(self) -> bool:
            self.times += 1
            if self.times == 1:
                message = "a row that nobody understands"
                raise ValueError(message)
            looked.set()
            return False

    watch = CatalogWatch(Stumbling((), ()), every=0.001)
    with capture_logs() as lines:
        watch.start()
        try:
            async with asyncio.timeout(HANG_TIMEOUT):
                await looked.wait()
        finally:
            await watch.stop()
    assert [(line["task"], line["log_level"]) for line in lines] == [("watch apps", "error")]
    assert catalog.apps() == ()


# ------------------------------------------------------------------------------------- owners


async def test_an_owner_who_is_erased_leaves_the_app_without_their_address(database):
    async with database.write() as unit:
        user = await create_user(unit, email="ada@example.com", name="Ada", password_hash="x")
    await registered(database, owner=Owner(user.id, user.email))
    async with database.read() as session:
        assert await remote_apps.owner_of(session, "raffle") == Owner(user.id, "ada@example.com")
    async with database.write() as unit:
        await remote_apps.forget_owner(unit.session, user.id)
    async with database.read() as session:
        assert await remote_apps.owner_of(session, "raffle") == NOBODY
        assert await remote_apps.remote_addresses(session) == {"raffle": BASE_URL}
        with pytest.raises(NotFound):
            await remote_apps.owner_of(session, "absent")
