"""The API's own versions: what its answers say before one ends, and after."""

from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime

import pytest
from quart import Quart

from mymozhem.api import api_versions
from mymozhem.api.api_versions import API_VERSIONS, ApiVersion, Stage
from tests.support.api_host import ApiHost

OLD = ApiVersion(
    "v1",
    active=date(2020, 1, 1),
    maintenance=date(2021, 1, 1),
    deprecated=date(2021, 8, 1),
    sunset=date(2021, 12, 1),
    guide="/docs/from-v1-to-v2",
)
NEW = ApiVersion("v2", active=date(2021, 1, 1))


@pytest.mark.parametrize(
    ("day", "stage"),
    [
        (date(2020, 12, 31), Stage.ACTIVE),
        (date(2021, 1, 1), Stage.MAINTENANCE),
        (date(2021, 7, 31), Stage.MAINTENANCE),
        (date(2021, 8, 1), Stage.DEPRECATED),
        (date(2021, 11, 30), Stage.DEPRECATED),
        (date(2021, 12, 1), Stage.SUNSET),
    ],
)
def test_a_day_falls_into_one_stage(day, stage):
    assert OLD.stage(day) is stage


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ({"deprecated": date(2021, 8, 1), "guide": "/x"}, "each stage follows"),
        ({"maintenance": date(2019, 1, 1)}, "each stage follows"),
        (
            {"maintenance": date(2021, 1, 1), "deprecated": date(2021, 6, 1), "guide": "/x"},
            "six months",
        ),
        (
            {
                "maintenance": date(2021, 1, 1),
                "deprecated": date(2021, 8, 1),
                "sunset": date(2021, 9, 1),
                "guide": "/x",
            },
            "three months",
        ),
        ({"maintenance": date(2021, 1, 1), "deprecated": date(2021, 8, 1)}, "where to go"),
    ],
)
def test_a_version_that_ends_too_soon_cannot_be_written_down(days, said):
    with pytest.raises(ValueError, match=said):
        ApiVersion("v1", active=date(2020, 1, 1), **days)


def aged(host: ApiHost, today: date) -> Quart:
    """Return a server of that day whose first version is in its life as `OLD` says."""
    app = Quart("aged")
    clock = type("Clock", (), {"now": lambda _: datetime(*today.timetuple()[:3], tzinfo=UTC)})()
    services = type("Services", (), {"clock": clock, "settings": host.host.services.settings})()
    dependencies = type("Host", (), {"services": services})()
    api_versions.install(app, lambda: dependencies, (OLD, NEW))

    @app.get("/api/<version>/things")
    async def things(version: str) -> str:
        return version

    return app


async def test_an_active_version_says_nothing_of_its_end(host: ApiHost):
    heard = await host.nobody.get("/api/versions")
    assert "Deprecation" not in heard.headers
    answer = await aged(host, date(2021, 7, 31)).test_client().get("/api/v1/things")
    assert {"Deprecation", "Sunset", "Link"}.isdisjoint(answer.headers.keys())


async def test_a_deprecated_version_says_in_every_answer_when_it_ends_and_where_to_go(
    host: ApiHost,
):
    client = aged(host, date(2021, 8, 1)).test_client()
    guide = f"{host.host.services.settings.effective_public_url}/docs/from-v1-to-v2"
    for path in ("/api/v1/things", "/api/v1/nothing"):
        answer = await client.get(path)
        moment = datetime.fromtimestamp(int(answer.headers["Deprecation"][1:]), UTC)
        assert moment == datetime(2021, 8, 1, tzinfo=UTC)
        assert parsedate_to_datetime(answer.headers["Sunset"]) == datetime(2021, 12, 1, tzinfo=UTC)
        assert f'<{guide}>; rel="sunset"' in answer.headers["Link"]
        assert answer.headers["X-API-Deprecation"] == "true"
        assert answer.headers["X-API-Sunset-Date"] == "2021-12-01"
        assert answer.headers["X-API-Migration-Guide"] == guide
    newer = await client.get("/api/v2/things")
    assert "Deprecation" not in newer.headers
    assert await newer.get_data(as_text=True) == "v2"


async def test_a_version_that_is_over_answers_410_with_a_link_whatever_is_asked(host: ApiHost):
    client = aged(host, date(2021, 12, 1)).test_client()
    guide = f"{host.host.services.settings.effective_public_url}/docs/from-v1-to-v2"
    for ask in (client.get, client.post, client.delete):
        answer = await ask("/api/v1/things")
        assert answer.status_code == 410
        error = (await answer.get_json())["error"]
        assert error["code"] == "API_VERSION_SUNSET"
        assert error["details"] == {"version": "v1", "newest": "v2", "guide": guide}
        assert f'<{guide}>; rel="sunset"' in answer.headers["Link"]
    assert (await client.get("/api/v2/things")).status_code == 200
    assert (await client.get("/api/v10/things")).status_code == 200


async def test_the_table_is_told_at_an_address_of_its_own(host: ApiHost):
    told = (await host.nobody.get("/api/versions")).data
    assert told["api"] == ["v1"]
    assert [each["version"] for each in told["versions"]] == [each.name for each in API_VERSIONS]
    assert told["versions"][0]["status"] == "active"
    assert told["versions"][0]["sunset"] is None
