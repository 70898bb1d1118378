"""Isolated code in the catalog of a host, on both databases."""

import shutil

import pytest

from mymozhem.auth.key_file import derive_material
from mymozhem.auth.keys import Keys
from mymozhem.config import Settings
from mymozhem.errors import NotFound
from mymozhem.manifests.model import Manifest
from mymozhem.registry import manifest_history, remote_apps
from mymozhem.registry.catalog import Catalog
from mymozhem.registry.isolated import environments
from mymozhem.registry.remote_apps import Owner
from tests.support.remote_manifest import manifest_of
from tests.support.wheels import app_manifest, lay_out, write_app

KEYS = Keys(derive_material("keys of the tests of isolated code"))


@pytest.fixture
def settings(tmp_path):
    return Settings(_env_file=None, data_dir=tmp_path / "data")


@pytest.fixture
def put(settings, tmp_path):
    """Put an environment of the app `counter` into the folder of the host."""

    def put(version="1.0.0", **given):
        wheel = write_app(tmp_path / version, version, **given)
        return lay_out(settings.isolated_dir, wheel, app_manifest(version, **given))

    return put


async def publish(database, version, **given):
    manifest = Manifest.of(app_manifest(version, **given), registered_as="counter")
    async with database.write() as unit:
        return await manifest_history.publish(unit, "counter", manifest)


def load(database, settings):
    return Catalog.load(database, settings, KEYS)


async def versions(database):
    async with database.read() as session:
        return [
            each.manifest.version for each in await manifest_history.versions(session, "counter")
        ]


async def test_an_app_whose_only_code_is_isolated_is_there_for_rooms(database, settings, put):
    folder = put()
    catalog = await load(database, settings)
    app = catalog.get("counter")
    assert app.available
    assert app.newest().version == "1.0.0"
    assert catalog.code_for("counter", "1.0.0") is None
    code = catalog.isolated_for("counter", "1.0.0")
    assert (code.folder, code.distribution) == (folder, "acme-counter")
    assert catalog.target("counter", "1.0.0") == {
        "kind": "isolated",
        "distribution": "acme-counter",
        "version": "1.0.0",
        "wheelDigest": code.wheel_digest,
    }
    assert catalog.refused == ()


async def test_what_was_installed_together_is_published_in_its_order(database, settings, put):
    for version in ("1.10.0", "1.2.0", "1.9.0"):
        put(version)
    catalog = await load(database, settings)
    assert await versions(database) == ["1.2.0", "1.9.0", "1.10.0"]
    assert catalog.newest("counter").version == "1.10.0"
    again = await load(database, settings)
    assert await versions(database) == ["1.2.0", "1.9.0", "1.10.0"]
    assert len(again.get("counter").isolated) == 3


async def test_a_running_host_notices_what_comes_and_what_goes(database, settings, put):
    catalog = await load(database, settings)
    assert not await catalog.refresh_if_news()
    folder = put()
    assert await catalog.refresh_if_news()
    assert catalog.isolated_for("counter", "1.0.0").folder == folder
    assert not await catalog.refresh_if_news()
    shutil.rmtree(folder)
    assert await catalog.refresh_if_news()
    assert catalog.target("counter", "1.0.0") is None
    assert catalog.manifest("counter", "1.0.0").version == "1.0.0"
    assert not await catalog.refresh_if_news()


async def test_a_broken_environment_is_a_reason_and_the_others_run(database, settings, put):
    broken = put("1.0.0")
    put("1.1.0")
    environments.wheel_of(broken).write_bytes(b"tampered with")
    catalog = await load(database, settings)
    (refused,) = catalog.refused
    assert (refused.app_id, broken.name in refused.reasons[0]) == ("counter", True)
    assert catalog.is_served("counter", "1.1.0")
    assert await versions(database) == ["1.1.0"]


async def test_code_whose_version_was_published_otherwise_is_refused(database, settings, put):
    await publish(database, "1.0.0", says="'Other words.'")
    put("1.0.0")
    catalog = await load(database, settings)
    assert "new version" in catalog.refused[0].reasons[0]
    assert catalog.target("counter", "1.0.0") is None


async def test_code_that_comes_after_newer_ones_serves_what_it_can(database, settings, put):
    await publish(database, "1.0.0")
    await publish(database, "2.0.0")
    put("1.5.0", serves=">=1,<2")
    catalog = await load(database, settings)
    assert catalog.isolated_for("counter", "1.0.0").distribution_version == "1.5.0"
    assert not catalog.is_served("counter", "2.0.0")
    assert catalog.refused == ()
    assert await versions(database) == ["1.0.0", "2.0.0"]


async def test_code_that_nothing_was_published_for_is_refused(database, settings, put):
    await publish(database, "2.0.0")
    put("1.0.0")
    catalog = await load(database, settings)
    assert "above it" in catalog.refused[0].reasons[0]
    with pytest.raises(NotFound):
        catalog.manifest("counter", "1.0.0")


async def test_a_remote_app_keeps_its_id(database, settings, put):
    async with database.write() as unit:
        manifest = manifest_of(app_id="counter")
        await remote_apps.register(unit, KEYS, "counter", manifest, owner=Owner(None, None))
    put("9.0.0")
    catalog = await load(database, settings)
    assert "remote app" in catalog.refused[0].reasons[0]
    assert catalog.isolated_for("counter", "9.0.0") is None


async def test_what_cannot_be_looked_into_is_a_reason_and_the_others_run(database, settings, put):
    put("1.0.0")
    endless = settings.isolated_dir / "endless"
    endless.symlink_to(endless)
    catalog = await load(database, settings)
    assert catalog.is_served("counter", "1.0.0")
    (refused,) = catalog.refused
    assert refused.reasons[0].startswith("the environment endless cannot run: ")
    assert not await catalog.refresh_if_news()


async def test_environments_that_cannot_be_listed_are_a_reason(database, settings):
    settings.data_dir.mkdir()
    settings.isolated_dir.symlink_to(settings.isolated_dir)
    catalog = await load(database, settings)
    assert f"{settings.isolated_dir} cannot be listed" in catalog.refused[0].reasons[0]
    assert not await catalog.refresh_if_news()


async def test_a_folder_that_cannot_be_listed_stops_no_host(database, settings):
    settings.data_dir.mkdir()
    settings.isolated_dir.write_text("a file, not a folder")
    catalog = await load(database, settings)
    assert catalog.apps() == ()


async def test_every_process_tells_once_that_a_version_is_served_again(database, settings, put):
    await publish(database, "1.0.0")
    await publish(database, "2.0.0")
    catalog = await load(database, settings)
    told = []
    catalog.when_back(told.append)
    await catalog.refresh()
    assert told == []
    put("1.0.0")
    assert await catalog.refresh_if_news()
    await catalog.refresh()
    assert told == ["counter"]
    put("3.0.0")  # nothing can wait for a version that is new
    assert await catalog.refresh_if_news()
    assert told == ["counter"]
