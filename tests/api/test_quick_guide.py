"""An app in JavaScript for the first platform draws here, and finds our calls correctly signed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mymozhem.manifests.model import Manifest
from mymozhem.registry import remote_apps
from mymozhem.registry.remote_apps import Owner
from mymozhem.wiring.monitoring import ask_health
from tests.support.api_host import ApiHost, make_api_host
from tests.support.node_app import NODE, needs_node
from tests.support.remote_manifest import FIRST_PLATFORM
from tests.support.timing import HANG_TIMEOUT

APP = Path(__file__).parents[1] / "support" / "quick_guide.mjs"
#: what JavaScript writes in another way than others: numbers as keys, floats, characters
SETTINGS = {"odds": {"10": 1.0, "9": 1e-7, "b": 2.50}, "title": "Ёлка 🎄 <b>"}


@asynccontextmanager
async def served(secret: str) -> AsyncIterator[str]:
    """Run the app on this machine, and yield its address."""
    assert NODE is not None
    process = await asyncio.create_subprocess_exec(
        NODE, str(APP), env={"APP_SECRET": secret}, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), HANG_TIMEOUT)
        yield line.decode().strip()
    finally:
        process.terminate()
        await process.wait()


async def moved(host: ApiHost, base_url: str) -> None:
    """Publish another version, at the address where the app listens now."""
    admin = await host.person("admin@example.com", is_admin=True)
    meta = {**FIRST_PLATFORM["meta"], "version": "2.0.0"}
    settings = {
        "type": "object",
        "properties": {"odds": {"type": "object", "additionalProperties": True}, "title": {}},
    }
    document = {**FIRST_PLATFORM, "meta": meta, "baseUrl": base_url, "settings": settings}
    heard = await admin.patch("/apps/app_raffle_v1", {"manifest": document, "consent": True})
    assert heard.status == 200, heard.raw


@needs_node
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_the_quick_guide_verifies_what_we_sign_and_its_winners_win(
    database_url, clock, tmp_path
):
    networks = ("127.0.0.0/8",)
    async with make_api_host(database_url, clock, tmp_path, allow_networks=networks) as host:
        async with host.database.write() as unit:
            manifest = Manifest.of(FIRST_PLATFORM, registered_as="app_raffle_v1")
            made = await remote_apps.register(
                unit, host.host.services.keys, "app_raffle_v1", manifest, owner=Owner(None, None)
            )
        await host.host.services.catalog.refresh()
        async with served(made.secret) as address:
            await moved(host, address)
            await draw_with(host)
            checked = await ask_health(host.host.services, "app_raffle_v1", "2.0.0")
            assert (checked.status, checked.details["version"]) == ("ok", "1.0.0")


async def draw_with(host: ApiHost) -> None:
    """Let the app draw: it decides itself, and its metadata are stored with the wins."""
    room = await host.start(appId="app_raffle_v1", appSettings=SETTINGS, isPublic=True)
    path = f"/rooms/{room['id']}"
    ada = await host.person("ada@example.com")
    await ada.post(f"{path}/participants", {"role": "PARTICIPANT", "metadata": {"team": "red"}})
    await host.guest(room, "Bob")
    await host.organizer.post(f"{path}/prizes", {"name": "Bike", "quantity": 2})
    await host.organizer.post(f"{path}/draws", {"run": True})
    await host.work()
    draws = (await host.organizer.get(f"{path}/draws")).data
    assert draws[0]["status"] == "REVEALED", draws
    winners = (await host.organizer.get(f"{path}/winners")).data
    assert sorted(str(each["metadata"]["team"]) for each in winners) == ["None", "red"]
    assert all(each["metadata"]["userId"] for each in winners)
