"""What operators see of breakers, and how they close one."""

import pytest

from mymozhem.dispatch.breakers.breaker import Key, Verdict

KEY = Key("stall", "1.0.0", "actions")
RESET = {"appId": "stall", "version": "1.0.0", "capability": "actions"}


@pytest.fixture
async def admin(host):
    return await host.person("admin@example.com", is_admin=True)


async def fail(host, key=KEY, times=5):
    for _ in range(times):
        permit = await host.host.services.breakers.admit(key)
        permit.report(Verdict.FAILURE, "APP_TIMEOUT")


async def test_breakers_that_are_not_well_are_listed_by_app(host, admin):
    assert (await admin.get("/admin/breakers")).data == []
    await fail(host)
    await fail(host, Key("stall", "1.0.0", "settingsImport"), times=2)
    heard = await admin.get("/admin/breakers")
    opened, failing = heard.data
    assert (opened["appId"], opened["version"], opened["capability"]) == KEY
    assert (opened["state"], opened["failures"], opened["code"]) == ("open", 5, "APP_TIMEOUT")
    assert opened["openedAt"] < opened["until"]
    assert (failing["state"], failing["failures"], failing["until"]) == ("closed", 2, None)
    page = await admin.get("/admin/breakers?page=2&limit=1")
    assert (page.data, page.body["meta"]["total"]) == ([failing], 2)


async def test_an_operator_closes_a_breaker_and_that_is_noted(host, admin):
    await fail(host)
    heard = await admin.post("/admin/breakers/reset", RESET)
    assert (heard.status, heard.data["state"], heard.data["failures"]) == (200, "closed", 0)
    assert (await admin.get("/admin/breakers")).data == []
    assert (await admin.post("/admin/breakers/reset", RESET)).status == 200
    noted = (await admin.get("/admin/audit?action=breaker.reset")).data
    assert [(each["actorId"], each["details"]) for each in noted] == [(admin.id, RESET)] * 2


@pytest.mark.parametrize("wrong", [{"appId": "nobody"}, {"version": "9.0.0"}, {"capability": "x"}])
async def test_what_is_not_published_has_no_breaker(host, admin, wrong):
    assert (await admin.post("/admin/breakers/reset", RESET | wrong)).status == 404


async def test_others_than_admins_are_refused(host):
    assert (await host.organizer.get("/admin/breakers")).status == 403
    assert (await host.organizer.post("/admin/breakers/reset", RESET)).status == 403
    assert (await host.nobody.get("/admin/breakers")).status == 401
