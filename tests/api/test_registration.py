"""What people are asked when they join, over HTTP: checked, told to the app, kept as metadata."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mymozhem.clock import Clock
from mymozhem.contract import (
    ActionRequest,
    Context,
    JsonObject,
    RegistrationRequest,
    RegistrationResult,
    hookimpl,
)
from tests.support.api_host import ApiHost, Heard, make_api_host


class Dinner:
    """An app that asks for a diet; those who eat nothing are turned away."""

    @hookimpl
    def app_manifest(self) -> JsonObject:
        return {
            "id": "dinner",
            "meta": {"name": "Dinner", "version": "1.0.0", "description": "Asks for a diet."},
            "capabilities": ["participantRegistration", "actions"],
            "permissions": [],
            "registration": {
                "type": "object",
                "additionalProperties": False,
                "required": ["diet"],
                "properties": {
                    "diet": {"enum": ["all", "vegan", "nothing"]},
                    "guests": {"type": "integer", "minimum": 0, "maximum": 3},
                    "allergy": {"type": "string", "maxLength": 80},
                },
            },
            "actions": {"whatDoIEat": {"roles": ["PARTICIPANT"]}},
        }

    @hookimpl
    def register_participant(self, request: RegistrationRequest) -> RegistrationResult:
        if request.answers["diet"] == "nothing":
            return RegistrationResult(decision="reject", reason="You would be bored.")
        return RegistrationResult()

    @hookimpl
    def handle_action(self, context: Context, request: ActionRequest) -> JsonObject:
        assert context.actor is not None
        return {"effects": [{"effect": "reply", "data": context.actor.metadata}]}


@pytest.fixture
async def host(database_url: str, clock: Clock, tmp_path: Path) -> AsyncIterator[ApiHost]:
    async with make_api_host(database_url, clock, tmp_path, apps={"dinner": Dinner()}) as built:
        yield built


async def enter(host: ApiHost, room: Any, answers: object, name: str = "Ada") -> Heard:
    body = {"code": room["code"], "name": name, "answers": answers}
    return await host.nobody.post("/auth/guest", body)


async def test_everybody_learns_what_is_asked_before_they_answer(host: ApiHost):
    room = await host.start(appId="dinner")
    guest, _ = await host.guest(room, answers={"diet": "vegan"})
    manifest = (await guest.get("/apps/dinner")).data["manifest"]
    assert manifest["registration"]["required"] == ["diet"]


async def test_answers_are_kept_and_the_app_acts_on_them(host: ApiHost):
    room = await host.start(appId="dinner")
    answers = {"diet": "vegan", "guests": 2}
    guest, joined = await host.guest(room, answers=answers)
    path = f"/rooms/{room['id']}"
    mine = f"{path}/participants/{joined['participant']['id']}"
    assert (await guest.get(mine)).data["metadata"] == answers
    assert (await host.organizer.get(mine)).data["metadata"] == answers
    acted = await guest.post(f"{path}/actions/whatDoIEat", {})
    assert (acted.status, acted.data["reply"]) == (200, answers)


async def test_answers_reach_no_other_participant(host: ApiHost):
    room = await host.start(appId="dinner")
    await host.guest(room, answers={"diet": "vegan", "allergy": "hazelnut"})
    other, _ = await host.guest(room, "Bob", answers={"diet": "all"})
    for path in ("", "/participants", "/state", "/events"):
        assert b"hazelnut" not in (await other.get(f"/rooms/{room['id']}{path}")).raw


@pytest.mark.parametrize(
    ("answers", "field"),
    [
        ({}, "/answers/diet"),
        ({"diet": "soup"}, "/answers/diet"),
        ({"diet": "all", "guests": 4}, "/answers/guests"),
        ({"diet": "all", "tickets": 1000}, "/answers/tickets"),
        (["all"], "/answers"),
    ],
)
async def test_wrong_answers_are_named_and_nobody_is_let_in(
    host: ApiHost, answers: object, field: str
):
    room = await host.start(appId="dinner")
    heard = await enter(host, room, answers)
    assert heard.status == 422
    assert heard.body["error"]["details"]["fields"].keys() == {field}
    shown = (await host.organizer.get(f"/rooms/{room['id']}")).data
    assert shown["participantCount"] == 0


async def test_the_app_turns_away_for_an_answer_and_says_why(host: ApiHost):
    room = await host.start(appId="dinner")
    heard = await enter(host, room, {"diet": "nothing"})
    assert (heard.status, heard.body["error"]["message"]) == (403, "You would be bored.")


async def test_people_with_an_account_are_asked_the_same(host: ApiHost):
    room = await host.start(appId="dinner")
    ada = await host.person("ada@example.com")
    path = f"/rooms/{room['id']}/participants"
    missing = await ada.post(path, {"code": room["code"]})
    assert missing.body["error"]["details"]["fields"].keys() == {"/answers/diet"}
    joined = await ada.post(path, {"code": room["code"], "answers": {"diet": "all"}})
    assert joined.status == 201
    pid = joined.data["id"]
    assert (await ada.get(f"{path}/{pid}")).data["metadata"] == {"diet": "all"}


async def test_an_answer_never_replaces_what_organizers_noted(host: ApiHost):
    room = await host.start(appId="dinner")
    ada = await host.person("ada@example.com")
    path = f"/rooms/{room['id']}/participants"
    body = {"code": room["code"], "answers": {"diet": "all"}}
    pid = (await ada.post(path, body)).data["id"]
    noted = {"metadata": {"diet": "vegan", "table": 4}}
    assert (await host.organizer.patch(f"{path}/{pid}", noted)).status == 200
    assert (await ada.delete(f"{path}/me")).status == 200
    again = await ada.post(path, body | {"answers": {"diet": "all", "guests": 1}})
    assert again.status == 201
    metadata = (await ada.get(f"{path}/{pid}")).data["metadata"]
    assert metadata == {"diet": "vegan", "table": 4, "guests": 1}


async def test_an_app_that_asks_nothing_takes_no_answers(host: ApiHost):
    room = await host.start()
    heard = await enter(host, room, {"diet": "all"})
    assert heard.body["error"]["details"]["fields"].keys() == {"/answers/diet"}
