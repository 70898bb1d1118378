"""Join a room by its code, as a guest or with an account; one permanent row per person."""

import secrets
from dataclasses import replace
from functools import partial

from mymozhem.auth.name_rules import visible_name
from mymozhem.auth.principal import Principal
from mymozhem.auth.tables import UserRow
from mymozhem.contract import (
    Applicant,
    JsonObject,
    RegistrationRequest,
    RegistrationResult,
    Role,
)
from mymozhem.contract.hooks import REGISTER_PARTICIPANT
from mymozhem.db.base import new_id
from mymozhem.dispatch.outcome import BadAnswer, Outcome
from mymozhem.dispatch.policy import Budget
from mymozhem.errors import Invalid, Unauthenticated
from mymozhem.idempotency.keys import current_claim
from mymozhem.manifests.model import Manifest
from mymozhem.manifests.validation_errors import by_field
from mymozhem.rooms.app_calls.pending import new_app_call
from mymozhem.rooms.app_state import MAX_PERSON_BYTES, size_of
from mymozhem.rooms.coordination.join_batches import (
    AnsweredJoin,
    FoundRoom,
    JoinRequest,
    JoinResult,
)
from mymozhem.rooms.core.membership import room_not_found
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.tables.participants import ParticipantRow

from .admit import admit, count_people, record_joined
from .join_policy import is_active, require_capacity, require_not_banned, require_open
from .lookup import find_room_by_code

__all__ = ["count_people", "join", "record_joined", "require_capacity", "require_open"]


async def join(
    services: Services,
    code: str,
    caller: Principal | None,
    *,
    name: str | None,
    answers: JsonObject,
    role: Role | None = None,
    metadata: JsonObject | None = None,
) -> JoinResult:
    """Let a person join the room with this code; as a guest if there is no caller.

    A person has one permanent row in a room: active people stay, people who left return, removed
    people do not. `metadata` is what the person writes about themselves; it decides nothing.
    Idempotent for callers with a token. Raises NotFound for a wrong code, whatever
    exists; for a right one, errors say that the room is not open yet, locked, full or over. Raises
    Invalid for a name or answers that break their rules, and Forbidden if the app or the entry
    policy rejects the person.
    """
    budget = Budget(services.clock, services.settings.action_budget_ms)
    found = await find_room_by_code(services, code, caller)
    request = replace(
        _apply(found, caller, name, answers), role=role, self_metadata=metadata or None
    )
    if found.person is not None and is_active(found.row):
        return JoinResult(found.room, found.row, found.person, new=False)
    outcome = await _ask(services, request, budget)
    answered = AnsweredJoin(request, outcome, current_claim())
    room_id = found.room.id
    return await services.joins.submit(room_id, answered, partial(admit, services, room_id))


def _apply(
    found: FoundRoom, caller: Principal | None, name: str | None, answers: JsonObject
) -> JoinRequest:
    _require_known_caller(found, caller)
    require_not_banned(found.row)
    if not is_active(found.row):
        require_open(found.room, found.kind)
    _check_answers(found.manifest, answers)
    return JoinRequest(found, _name(name, found.person, found.row), answers)


def _require_known_caller(found: FoundRoom, caller: Principal | None) -> None:
    if caller is not None and caller.room_id not in (None, found.room.id):
        raise room_not_found()
    if caller is not None and found.person is None:
        raise Unauthenticated


def _name(name: str | None, person: UserRow | None, row: ParticipantRow | None) -> str:
    if name is not None:
        return visible_name(name)
    if row is not None:
        return row.display_name
    if person is None:
        raise Invalid(fields={"name": ["A name is needed."]})
    return visible_name(person.name)


def _check_answers(manifest: Manifest, answers: JsonObject) -> None:
    problems = manifest.registration_validator.errors(answers)
    if problems:
        raise Invalid(code="ANSWERS_INVALID", fields=by_field(problems, under="/answers"))


async def _ask(
    services: Services, request: JoinRequest, budget: Budget
) -> Outcome[RegistrationResult]:
    room, user_id = request.found.room, request.user_id or new_id("usr")
    call = new_app_call(
        REGISTER_PARTICIPANT,
        # Who looked together sees the same, but each draws lots of their own.
        context=request.found.context.model_copy(update={"seed": secrets.token_hex(32)}),
        request=RegistrationRequest(
            applicant=Applicant(
                person_id=services.keys.person_id(room.app_id, user_id),
                name=request.name,
                kind=request.found.kind,
                role=request.role_inside,
                metadata=request.metadata,
            ),
            answers=request.answers,
        ),
        revision=None,
        check=_check_sizes,
    )
    outcome = await call.answer(services, budget)
    outcome.raise_if_refused()
    outcome.raise_if_failed()
    return outcome


def _check_sizes(request: RegistrationRequest, result: RegistrationResult) -> None:
    """Raise BadAnswer for more data than is kept about one participant."""
    del request
    for part, data in (("own", result.own), ("private", result.private)):
        size = 0 if data is None else size_of(data)
        if size > MAX_PERSON_BYTES:
            message = f"{part} has {size} bytes; at most {MAX_PERSON_BYTES} are kept."
            raise BadAnswer("STATE_TOO_LARGE", message)
