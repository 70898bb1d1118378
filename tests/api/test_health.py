"""What operators see of the apps' health, and Prometheus of the host."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import update

from mymozhem.contract import HealthReport, hookimpl
from mymozhem.monitoring.alert_rules import Facts
from mymozhem.monitoring.call_counts import CallCounts
from mymozhem.monitoring.loop import HealthLoop
from mymozhem.observability.metrics import BreakerState
from mymozhem.registry.tables import AppRow
from mymozhem.wiring.monitoring import affected_rooms, health_loop, recipients
from tests.integration.monitoring.records import failed, letters, observed
from tests.support.api_host import ApiHost, Caller, make_api_host

OPEN = BreakerState("stall", "1.0.0", "actions", "open")
MAIL = {"smtp_url": "smtp://127.0.0.1:1", "mail_from": "host@example.org", "quiet_hours": ""}


class Wheel:
    """An app that says how it is."""

    status = "ok"

    @hookimpl
    def app_manifest(self):
        return {
            "id": "wheel",
            "meta": {"name": "Wheel", "version": "1.0.0", "description": "Turns."},
            "capabilities": ["health"],
            "permissions": [],
        }

    @hookimpl
    def check_health(self):
        if self.status == "broken":
            raise RuntimeError(self.status)
        return HealthReport(status=self.status, details={"spokes": 12})


@dataclass
class Watched:
    """A house whose health a test looks after by itself."""

    host: ApiHost
    wheel: Wheel
    admin: Caller
    loop: HealthLoop
    counts: CallCounts
    clock: Any = field(repr=False)

    async def find(self, *, after: float = 60, **facts: Any) -> None:
        self.clock.advance(after)
        await self.loop.evaluate(Facts(**facts))

    async def look(self) -> None:
        self.clock.advance(301)
        await self.loop.run_due()


@pytest.fixture
async def watched(database_url, clock, tmp_path):
    wheel, counts = Wheel(), CallCounts(clock)
    async with make_api_host(database_url, clock, tmp_path, apps={"wheel": wheel}, **MAIL) as host:
        admin = await host.person("admin@example.com", is_admin=True)
        loop = health_loop(host.host.services, host.host.metrics, counts)
        yield Watched(host, wheel, admin, loop, counts, clock)


async def test_webhook_figures_are_those_of_the_window(watched):
    for call in [observed(app_id="stall", duration_ms=30.0)] * 3 + [failed(app_id="stall")]:
        watched.counts.observed(call)
    await watched.counts.flush(watched.host.database)
    (found,) = (await watched.admin.get("/admin/webhooks?window=24h")).data["calls"]
    assert (found["appId"], found["capability"]) == ("stall", "actions")
    assert (found["calls"], found["successes"], found["failures"]) == (4, 3, 1)
    assert (found["timeouts"], found["fallbacks"], found["successRate"]) == (1, 1, 0.75)
    assert found["failureCodes"] == {"APP_TIMEOUT": 1}
    assert 20 <= found["p50Ms"] <= 35
    assert (await watched.admin.get("/admin/webhooks?window=1y")).status == 422
    watched.clock.advance(2 * 3600)
    later = await watched.host.person("later@example.com", is_admin=True)
    assert (await later.get("/admin/webhooks")).data == {"window": "1h", "calls": []}


async def test_real_calls_are_counted(watched):
    room = await watched.host.start()
    heard = await watched.host.organizer.post(f"/rooms/{room['id']}/actions/do", {})
    assert heard.status == 200
    text = watched.host.host.metrics.text().decode()
    samples = {
        (sample.name, sample.labels.get("capability"), sample.labels.get("result")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["mymozhem_calls_total", "actions", "success"] == 1


async def test_an_alert_says_what_broke_which_rooms_suffer_and_what_to_do(watched):
    await watched.host.start(name="Summer raffle")
    await watched.host.room(name="A draft")
    await watched.find(breakers=[OPEN])
    (alert,) = (await watched.admin.get("/admin/alerts")).data
    assert (alert["rule"], alert["severity"], alert["code"]) == (
        "breaker", "critical", "APP_PAUSED",
    )  # fmt: skip
    assert (alert["appId"], alert["version"], alert["capability"]) == ("stall", "1.0.0", "actions")
    assert [room["name"] for room in alert["rooms"]] == ["Summer raffle"]
    assert alert["roomCount"] == 1
    assert "/admin/breakers" in alert["advice"]
    (mail,) = await letters(watched.host.database)
    assert mail.recipient == "admin@example.com"
    assert "Summer raffle" in mail.body


async def test_open_alerts_come_first_and_are_filtered(watched):
    wheel = BreakerState("wheel", "1.0.0", "health", "open")
    await watched.find(breakers=[OPEN])
    await watched.find(breakers=[wheel], after=300)
    await watched.find(breakers=[wheel])
    listed = (await watched.admin.get("/admin/alerts")).data
    assert [(each["appId"], each["recoveredAt"] is None) for each in listed] == [
        ("wheel", True), ("stall", False),
    ]  # fmt: skip
    (over,) = (await watched.admin.get("/admin/alerts?open=false")).data
    assert over["appId"] == "stall"
    heard = await watched.admin.get("/admin/alerts?appId=wheel&limit=1")
    assert heard.body["meta"]["total"] == 1


async def test_the_first_who_looks_after_an_alert_stays(watched):
    await watched.find(breakers=[OPEN])
    (alert,) = (await watched.admin.get("/admin/alerts")).data
    path = f"/admin/alerts/{alert['id']}/acknowledge"
    first = (await watched.admin.post(path)).data
    other = await watched.host.person("other@example.com", is_admin=True)
    watched.clock.advance(60)
    second = (await other.post(path)).data
    assert first["acknowledgedBy"] == second["acknowledgedBy"] == watched.admin.id
    assert first["acknowledgedAt"] == second["acknowledgedAt"]
    missing = await watched.admin.post("/admin/alerts/alrt_none/acknowledge")
    assert (missing.status, missing.code) == (404, "ALERT_NOT_FOUND")
    assert (await watched.host.organizer.post(path)).status == 403


@pytest.mark.parametrize(
    ("says", "status", "details"),
    [
        ("ok", "ok", {"spokes": 12}),
        ("down", "down", {"spokes": 12}),
        ("broken", "failed", {"code": "APP_FAILED"}),
    ],
)
async def test_an_app_s_health_is_what_it_says_of_itself(watched, says, status, details):
    watched.wheel.status = says
    await watched.look()
    heard = (await watched.admin.get("/apps/wheel/health")).data
    (check,) = heard["checks"]
    assert (check["version"], check["status"], check["details"]) == ("1.0.0", status, details)
    assert check["failuresInARow"] == (0 if status == "ok" else 1)
    assert heard["alerts"] == []


async def test_an_app_s_health_is_for_its_owner_and_for_admins(watched):
    owner = await watched.host.person("owner@example.com")
    async with watched.host.database.write() as unit:
        named = update(AppRow).where(AppRow.app_id == "wheel")
        await unit.session.execute(named.values(owner_id=owner.id))
    await watched.find(breakers=[BreakerState("wheel", "1.0.0", "health", "open")])
    assert len((await owner.get("/apps/wheel/health?window=7d")).data["alerts"]) == 1
    assert (await owner.get("/apps/stall/health")).status == 403
    assert (await watched.host.organizer.get("/apps/wheel/health")).status == 403
    assert (await watched.admin.get("/apps/nothing/health")).status == 404
    told = {mail.recipient for mail in await letters(watched.host.database)}
    assert told == {"admin@example.com", "owner@example.com"}


async def test_an_owner_without_an_account_is_told_at_the_address_that_was_given(watched):
    async with watched.host.database.write() as unit:
        named = update(AppRow).where(AppRow.app_id == "wheel")
        await unit.session.execute(named.values(owner_email="team@example.com"))
    async with watched.host.database.read() as session:
        assert await recipients(session, "wheel") == ["admin@example.com", "team@example.com"]
        assert await recipients(session, None) == ["admin@example.com"]


async def test_many_rooms_are_named_in_part_and_counted_whole(watched):
    for number in range(12):
        await watched.host.start(name=f"Evening {number}")
    async with watched.host.database.read() as session:
        found = await affected_rooms(session, "stall")
        assert (len(found.rooms), found.count) == (10, 12)
        assert (await affected_rooms(session, "wheel")).count == 0


class TestMetrics:
    """`/metrics` is for this machine, or for whoever has the token."""

    TOKEN = "a token of some length"

    async def ask(self, host: ApiHost, address: str, **headers: str):
        client = host.app.test_client()
        answer = await client.get("/metrics", headers=headers, scope_base={"client": (address, 1)})
        return answer.status_code, await answer.get_data(as_text=True), answer.headers

    @pytest.mark.parametrize(
        ("address", "headers", "status"),
        [
            ("127.0.0.1", {}, 200),
            ("::1", {}, 200),
            ("::ffff:127.0.0.1", {}, 200),
            ("203.0.113.7", {}, 403),
            ("10.0.0.1", {}, 403),
            ("127.0.0.1", {"X-Forwarded-For": "203.0.113.7"}, 403),
            ("127.0.0.1", {"Forwarded": "for=203.0.113.7"}, 403),
        ],
    )
    @pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
    async def test_without_a_token_this_machine_alone_reads_them(
        self, host, address, headers, status
    ):
        assert (await self.ask(host, address, **headers))[0] == status

    @pytest.mark.parametrize(
        ("sent", "status"),
        [(f"Bearer {TOKEN}", 200), ("Bearer wrong", 401), (f"Basic {TOKEN}", 401), (None, 401)],
    )
    @pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
    async def test_a_token_is_asked_of_everybody(self, database_url, clock, tmp_path, sent, status):
        async with make_api_host(database_url, clock, tmp_path, metrics_token=self.TOKEN) as host:
            headers = {} if sent is None else {"Authorization": sent}
            for address in ("127.0.0.1", "203.0.113.7"):
                assert (await self.ask(host, address, **headers))[0] == status

    async def test_requests_and_connections_are_in_what_prometheus_reads(self, host):
        await host.organizer.get("/apps/stall")
        await host.nobody.get("/nowhere")
        _, text, headers = await self.ask(host, "127.0.0.1")
        assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
        samples = {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
        assert samples["mymozhem_http_requests_total", "GET /apps/{appId}", "200"] == 1
        assert samples["mymozhem_http_requests_total", "none", "404"] == 1
        assert samples["mymozhem_database_connections_in_use", "writer"] == 0
