"""Fields of a later version of the contract: a reader of an older one never meets them."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from mymozhem.contract import (
    ActionRequest,
    Change,
    ChangedParticipant,
    ChangeKind,
    ParticipantStatus,
    PersonKind,
    RegistrationResult,
    Role,
    RoomChangeRequest,
    SetParticipants,
    SetState,
    effects,
    payloads,
)
from mymozhem.contract.wire import Since
from mymozhem.dispatch.older_contracts import as_of, later_fields


def models() -> Iterator[type[BaseModel]]:
    for module in (payloads, effects):
        for found in vars(module).values():
            if isinstance(found, type) and issubclass(found, BaseModel):
                yield found


LATER = [
    (model, name)
    for model in dict.fromkeys(models())
    for name, field in model.model_fields.items()
    if any(isinstance(mark, Since) for mark in field.metadata)
]

JOINED = RoomChangeRequest(
    change=Change(
        kind=ChangeKind.JOINED,
        what="joined",
        participant_id="part_1",
        participant=ChangedParticipant(
            role=Role.PARTICIPANT, kind=PersonKind.GUEST, status=ParticipantStatus.ACTIVE
        ),
    )
)


def test_the_later_fields_are_known():
    assert {(SetState, "merge"), (SetParticipants, "merge"), (Change, "participant")} <= set(LATER)
    assert {(RegistrationResult, "own"), (RegistrationResult, "private")} <= set(LATER)


@pytest.mark.parametrize(("model", "name"), LATER, ids=str)
def test_a_later_field_is_not_in_the_json_while_it_has_its_default(model: Any, name: str):
    assert not model.model_fields[name].is_required()
    made = model.model_construct(**{name: model.model_fields[name].get_default()})
    alias = model.model_fields[name].serialization_alias or name
    assert f'"{alias}":' not in made.model_dump_json(by_alias=True, warnings=False)
    properties = model.model_json_schema(by_alias=True)["properties"]
    assert properties[alias]["x-since"] == "1.1"


def test_what_a_later_field_holds_is_in_the_json():
    assert '"merge":true' in SetState(public={}, merge=True).model_dump_json(by_alias=True)
    assert '"kind":"guest"' in JOINED.model_dump_json(by_alias=True)


def test_an_older_version_of_a_request_has_none_of_them():
    older = as_of(JOINED, "1.0")
    assert older.change.participant is None
    assert older.change.participant_id == "part_1"
    assert 'participant"' not in older.model_dump_json(by_alias=True)
    assert JOINED.change.participant is not None


def test_a_request_of_the_newest_version_is_the_same_object():
    assert as_of(JOINED, "1.1") is JOINED
    plain = ActionRequest(action="go")
    assert as_of(plain, "1.0") is plain


def test_fields_are_later_than_versions_before_theirs_alone():
    assert later_fields(Change, "1.0") == ("participant", "items")
    assert later_fields(Change, "1.1") == ()
