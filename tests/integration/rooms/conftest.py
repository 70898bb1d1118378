"""A house with one small app that can do everything an app may ask for."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from mymozhem.clock import Clock
from mymozhem.contract import (
    ActionRequest,
    Context,
    Effects,
    JsonObject,
    Refuse,
    RegistrationRequest,
    RegistrationResult,
    SettingsValidationRequest,
    SettingsValidationResult,
    hookimpl,
)
from mymozhem.contract.payloads import Problem
from mymozhem.db.unit_of_work import Database
from tests.support.host import HostHarness, make_host


class StoreApp:
    """An app that does what the payload of its action says."""

    @hookimpl
    def app_manifest(self) -> JsonObject:
        return {
            "id": "bazaar",
            "meta": {"name": "Bazaar", "version": "1.0.0", "description": "Does as it is told."},
            "capabilities": ["settingsValidation", "participantRegistration", "actions"],
            "permissions": [],
            "settings": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "limit": {
                        "type": "integer",
                        "minimum": 1,
                        "default": 3,
                        "x-visibility": "public",
                    },
                    "banner": {"type": "string", "default": "", "x-live": True},
                    "secret": {"type": "string", "default": "s3cret", "x-visibility": "private"},
                    "opensAt": {"type": "string"},
                },
            },
            "registration": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"table": {"type": "integer"}, "mood": {"type": "string"}},
            },
            "actions": {
                "do": {"roles": ["ORGANIZER", "PARTICIPANT"], "payload": {"type": "object"}},
                "count": {
                    "roles": ["PARTICIPANT"],
                    "payload": {"type": "object", "maxProperties": 0},
                },
                "prepare": {"roles": ["ORGANIZER"], "when": ["DRAFT"]},
            },
            "events": {
                "bazaar:said": {
                    "visibility": "public",
                    "payload": {"type": "object", "required": ["text"]},
                },
                "bazaar:whispered": {"visibility": "organizer", "payload": {"type": "object"}},
            },
        }

    @hookimpl
    def validate_settings(self, request: SettingsValidationRequest) -> SettingsValidationResult:
        if request.purpose == "activate" and request.settings["limit"] == 99:
            problem = Problem(pointer="/limit", message="Nobody can start with 99.")
            return SettingsValidationResult(problems=(problem,))
        return SettingsValidationResult()

    @hookimpl
    def register_participant(self, request: RegistrationRequest) -> RegistrationResult:
        mood = request.answers.get("mood")
        if mood == "broken":
            message = "no idea"
            raise ValueError(message)
        if mood == "bad":
            return RegistrationResult(decision="reject", reason="Not in that mood.")
        if mood == "last":
            return RegistrationResult(seats=1, reason="The seat is taken.")
        return RegistrationResult(decision="pending" if mood == "shy" else "accept")

    @hookimpl
    def handle_action(self, context: Context, request: ActionRequest) -> Effects | JsonObject:
        if request.action == "count":
            assert context.room is not None
            count = cast("int", context.room.state.public.get("count", 0)) + 1
            effects = [{"effect": "setState", "public": {"count": count}}]
            return {"effects": [*effects, {"effect": "reply", "data": count}]}
        if "refuse" in request.payload:
            raise Refuse("TOO_LOW", "Bid more.", {"least": 5})
        return {"effects": request.payload.get("effects", [])}


@pytest.fixture
async def host(database: Database, clock: Clock, tmp_path: Path) -> AsyncIterator[HostHarness]:
    built = await make_host(database, clock, tmp_path, {"bazaar": StoreApp()})
    yield built
    await built.services.dispatcher.close()
