"""The format of the first platform: the request fields and the replies that its apps use.

Its apps know one hook, `select_winners`, and draw among equal tickets by an algorithm of their own.
"""

from collections.abc import Iterator

from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core import to_json

from mymozhem.contract import (
    EventRequest,
    Hook,
    JsonObject,
    Participants,
    RegistrationRequest,
    SelectWinnersRequest,
)
from mymozhem.contract.envelopes import PlatformReply
from mymozhem.contract.hooks import PREPARE_DRAW, SELECT_WINNERS
from mymozhem.dispatch.outcome import CallFailed, FailureKind
from mymozhem.dispatch.transports.base import HookCall, Reply

_EQUAL_TICKETS = Reply(b'{"algorithm":"app","rule":"Everybody has one ticket."}')


def answered_for(hook: Hook[BaseModel, BaseModel]) -> Reply | None:
    """Return the reply that the host gives on behalf of these apps; None if they must be called."""
    return _EQUAL_TICKETS if hook is PREPARE_DRAW else None


def fields_of(call: HookCall, public_url: str) -> JsonObject:
    """Return the additional fields of the body, those that have a value.

    `participants` are those that can win, `{"id", "userId", "metadata"}` each; `prizes` are
    `{"id", "name", "quantity", "quantityRemaining", "metadata"}`. A `userId` is that of the person
    for this app, the same in all of its rooms.
    """
    return dict(_fields(call, public_url))


def read_platform(call: HookCall, document: object) -> Reply:
    """Return the reply in a document of the first platform's format; raises `CallFailed` if none.

    A document without `success` is the result itself. `success: false` is not a refusal, whose
    message people would see: the app could not reply. If `retryable`, it counts against the app;
    otherwise it means that the app did not accept this call.
    """
    if isinstance(document, dict) and "success" not in document:
        return Reply(to_json(_result(call.hook, document)))
    try:
        reply = PlatformReply.model_validate(document)
    except ValidationError as error:
        message = f"{call.app.app_id} answered with an invalid envelope."
        raise CallFailed(FailureKind.BAD_RESULT, message) from error
    if not reply.success:
        retry = reply.error is not None and reply.error.retryable
        kind = FailureKind.BAD_STATUS if retry else FailureKind.REFUSED_CALL
        raise CallFailed(kind, f"{call.app.app_id} answered that it did not succeed.")
    return Reply(to_json(_result(call.hook, reply.data)))


def _fields(call: HookCall, public_url: str) -> Iterator[tuple[str, JsonValue]]:
    context, request = call.context, call.request
    yield "requestId", context.call_id
    if context.room is not None:
        yield "roomId", context.room.id
        yield "appSettings", context.room.settings
    if isinstance(request, SelectWinnersRequest):
        left_out = set(request.exclude)
        known = _people(context.participants)
        able = [each for each in request.participants if each not in left_out]
        yield "participants", [known.get(each, {"id": each}) for each in able]
        yield "prizes", [_prize(p.prize_id, p.name, p.count, p.metadata) for p in request.prizes]
        return
    if isinstance(request, RegistrationRequest):
        applicant = request.applicant
        yield "userId", applicant.person_id
        yield "user", {"id": applicant.person_id, "name": applicant.name, "avatar": None}
        yield "metadata", {**request.answers, **applicant.metadata}
    if isinstance(request, EventRequest):
        yield "eventType", request.event.type
        yield "data", request.event.payload
    if not call.hook.asked:
        where = f"/api/v1/callbacks/{call.hook.capability}/{context.call_id}"
        yield "callbackUrl", public_url + where
    if context.participants is not None:
        yield "participants", list(_people(context.participants).values())
    if context.prizes is not None:
        yield (
            "prizes",
            [_prize(p.id, p.name, p.quantity_remaining, p.metadata) for p in context.prizes],
        )


def _people(found: Participants | None) -> dict[str, JsonObject]:
    if not isinstance(found, Participants):  # a reference to a stored list, or nothing
        return {}
    rows = zip(found.id, found.person_id, found.metadata, strict=True)
    return {each: {"id": each, "userId": who, "metadata": data} for each, who, data in rows}


def _prize(id: str, name: str, quantity: int, metadata: JsonObject) -> JsonObject:
    """Return a prize; of a draw, what remains is what is drawn now."""
    return {
        "id": id,
        "name": name,
        "quantity": quantity,
        "quantityRemaining": quantity,
        "metadata": metadata,
    }


def _result(hook: Hook[BaseModel, BaseModel], data: JsonValue) -> JsonValue:
    """Return the result in the contract's format: `winners` of such apps are `picks`."""
    if hook is not SELECT_WINNERS or not isinstance(data, dict):
        return data
    rows = data.get("winners", data.get("picks"))
    if not isinstance(rows, list):
        return data
    return {"picks": [_pick(row) for row in rows]}


def _pick(row: JsonValue) -> JsonValue:
    if not isinstance(row, dict):
        return row
    return {name: row[name] for name in ("prizeId", "participantId", "metadata") if name in row}
