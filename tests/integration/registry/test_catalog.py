import asyncio

import pytest

from mymozhem.auth.key_file import derive_material
from mymozhem.auth.keys import Keys
from mymozhem.config import Settings
from mymozhem.errors import NotFound
from mymozhem.manifests.model import Manifest
from mymozhem.registry import discovery, manifest_history
from mymozhem.registry.catalog import Catalog

pytestmark = pytest.mark.both_engines

KEYS = Keys(derive_material("keys of the tests of the catalog"))
SOURCE = """
from mymozhem.contract import hookimpl

@hookimpl
def app_manifest():
    return {manifest!r}

@hookimpl
def handle_action():
    return []
"""


def document(version="1.0.0", **more):
    meta = {"name": "Counter", "version": version, "description": "Counts."}
    return {"meta": meta, "permissions": [], "capabilities": ["actions"], **more}


def manifest(version="1.0.0", **more):
    return Manifest.of(document(version, **more), registered_as="counter")


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a package that offers an app: metadata and a module."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))

    def install(app_id="counter", *, distribution="", source=None, **given):
        name = distribution or f"some-{app_id}"
        module = f"m_{abs(hash((str(tmp_path), name)))}"
        info = site / f"{name.replace('-', '_')}-1.0.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0.0\n")
        (info / "entry_points.txt").write_text(f"[{discovery.GROUP}]\n{app_id} = {module}\n")
        text = source or SOURCE.format(manifest=document(**given))
        (site / f"{module}.py").write_text(text, encoding="utf-8")

    return install


def enabling(*apps):
    return Settings(_env_file=None, enable_apps=apps)


async def publish(database, found):
    async with database.write() as unit:
        return await manifest_history.publish(unit, "counter", found)


async def test_installed_is_not_enabled(database, install):
    install(source="raise SystemExit('imported')")
    catalog = await Catalog.load(database, enabling(), KEYS)
    assert catalog.apps() == ()
    assert catalog.refused == ()


@pytest.mark.parametrize("where", ["settings", "database"])
async def test_an_enabled_app_is_loaded_and_its_manifest_published(database, install, where):
    install(serves=">=1,<2")
    if where == "database":
        async with database.write() as unit:
            assert await manifest_history.set_active(unit, "counter", is_active=True)
    named = ["counter"] if where == "settings" else []
    catalog = await Catalog.load(database, enabling(*named), KEYS)
    assert catalog.newest("counter").version == "1.0.0"
    assert catalog.code_for("counter", "1.0.0").app_id == "counter"
    assert catalog.manifest("counter", "1.0.0").digest == manifest(serves=">=1,<2").digest


async def test_a_broken_app_is_reported_and_the_others_run(database, install):
    install()
    install("broken", source="raise ValueError('not today')")
    install("twice", distribution="one")
    install("twice", distribution="two")
    catalog = await Catalog.load(database, enabling("counter", "broken", "twice", "absent"), KEYS)
    assert [app.app_id for app in catalog.apps()] == ["counter"]
    reasons = {each.app_id: each.reasons[0] for each in catalog.refused}
    assert "not today" in reasons["broken"]
    assert "one, two" in reasons["twice"]
    assert "no installed package" in reasons["absent"]


async def test_code_whose_version_was_published_otherwise_is_refused(database, install):
    await publish(database, manifest(permissions=["rooms:read"]))
    install()
    catalog = await Catalog.load(database, enabling("counter"), KEYS)
    assert "new version" in catalog.refused[0].reasons[0]
    assert catalog.code_for("counter", "1.0.0") is None
    assert catalog.manifest("counter", "1.0.0").permissions == {"rooms:read"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"version": "1.2.9", "capabilities": []}, "a major one is needed"),
        ({"version": "1.2.9", "permissions": ["rooms:read"]}, "a minor one is needed"),
        ({"version": "1.1.9"}, "1.2.0 was published already"),
    ],
    ids=["promises too little", "may do more", "goes back"],
)
async def test_a_package_that_the_referee_refuses_is_refused_with_the_reason(
    database, install, given, said
):
    await publish(database, manifest("1.2.0"))
    install(**given)
    catalog = await Catalog.load(database, enabling("counter"), KEYS)
    ((reason,),) = (each.reasons for each in catalog.refused)
    assert said in reason
    assert [each.manifest.version for each in catalog.get("counter").versions] == ["1.2.0"]
    assert not catalog.is_served("counter", "1.2.0")


async def test_a_package_that_goes_back_to_what_was_published_runs(database, install):
    for version in ("1.0.0", "1.1.0"):
        await publish(database, manifest(version))
    install(version="1.0.0")
    catalog = await Catalog.load(database, enabling("counter"), KEYS)
    assert catalog.refused == ()
    assert catalog.newest("counter").version == "1.0.0"


async def test_old_versions_are_served_as_far_as_the_code_says(database, install):
    for version in ("0.9.0", "1.0.0", "1.1.0"):
        await publish(database, manifest(version))
    install(version="1.2.0", serves=">=1.1,<2")
    catalog = await Catalog.load(database, enabling("counter"), KEYS)
    served = [v for v in ("0.9.0", "1.0.0", "1.1.0", "1.2.0") if catalog.code_for("counter", v)]
    assert served == ["1.1.0", "1.2.0"]
    assert catalog.newest("counter").version == "1.2.0"


async def test_an_app_that_is_gone_is_still_known_by_its_history(database):
    await publish(database, manifest("1.9.0"))
    await publish(database, manifest("1.10.0"))
    catalog = await Catalog.load(database, enabling(), KEYS)
    assert catalog.get("counter").code is None
    assert catalog.newest("counter").version == "1.10.0"


async def test_what_was_never_published_is_not_found(database):
    catalog = await Catalog.load(database, enabling(), KEYS)
    for ask in (
        lambda: catalog.get("counter"),
        lambda: catalog.newest("counter"),
        lambda: catalog.manifest("counter", "1.0.0"),
    ):
        with pytest.raises(NotFound):
            ask()
    assert catalog.code_for("counter", "1.0.0") is None


# --------------------------------------------------------------------------------------- history


async def test_publishing_the_same_again_changes_nothing(database):
    first = await publish(database, manifest())
    again = await publish(database, manifest())
    assert again == first
    async with database.read() as session:
        assert await manifest_history.versions(session, "counter") == (first,)


async def test_a_published_version_never_changes(database):
    first = await publish(database, manifest())
    with pytest.raises(manifest_history.VersionImmutable) as caught:
        await publish(database, manifest(permissions=["rooms:read"]))
    assert caught.value.code == "VERSION_IMMUTABLE"
    async with database.read() as session:
        assert await manifest_history.versions(session) == (first,)


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_hosts_that_start_together_publish_one_history(database):
    published = await asyncio.gather(*(publish(database, manifest()) for _ in range(8)))
    assert len({each.published_at for each in published}) == 1


async def test_enabling_and_disabling_twice_is_safe(database):
    async def change(*, is_active):
        async with database.write() as unit:
            return await manifest_history.set_active(unit, "counter", is_active=is_active)

    assert [await change(is_active=True), await change(is_active=True)] == [True, False]
    async with database.read() as session:
        assert await manifest_history.active_plugins(session) == {"counter"}
    assert [await change(is_active=False), await change(is_active=False)] == [True, False]
    async with database.read() as session:
        assert await manifest_history.active_plugins(session) == frozenset()
