"""The format of the first platform: the request fields and the replies that its apps use.

Its apps know one hook, `select_winners`, and draw among equal tickets by an algorithm of their own.
"""

from collections.abc import Iterator

from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core import to_json

from mymozhem.contract import Hook, JsonObject, SelectWinnersRequest
from mymozhem.contract.envelopes import PlatformReply
from mymozhem.contract.hooks import PREPARE_DRAW, SELECT_WINNERS
from mymozhem.dispatch.outcome import CallFailed, FailureKind
from mymozhem.dispatch.transports.base import HookCall, Reply

_EQUAL_TICKETS = Reply(b'{"algorithm":"app","rule":"Everybody has one ticket."}')


def answered_for(hook: Hook[BaseModel, BaseModel]) -> Reply | None:
    """Return the reply that the host gives on behalf of these apps; None if they must be called."""
    return _EQUAL_TICKETS if hook is PREPARE_DRAW else None


def fields_of(call: HookCall) -> JsonObject:
    """Return the additional fields of the body, those that have a value.

    `participants` are those that can win, `{"id"}` each; `prizes` are `{"id", "name", "quantity",
    "metadata"}`.
    """
    return dict(_fields(call))


def read_platform(call: HookCall, document: object) -> Reply:
    """Return the reply in a document of the first platform's format; raises `CallFailed` if none.

    `success: false` is not a refusal, whose message people would see: the app could not reply. If
    `retryable`, it counts against the app; otherwise it means that the app did not accept this
    call.
    """
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


def _fields(call: HookCall) -> Iterator[tuple[str, JsonValue]]:
    context, request = call.context, call.request
    yield "requestId", context.call_id
    if context.room is not None:
        yield "roomId", context.room.id
        yield "appSettings", context.room.settings
    if isinstance(request, SelectWinnersRequest):
        left_out = set(request.exclude)
        yield (
            "participants",
            [{"id": each} for each in request.participants if each not in left_out],
        )
        yield "prizes", [_prize(p.prize_id, p.name, p.count, p.metadata) for p in request.prizes]
        return
    if context.participants is not None:
        yield "participants", [{"id": each} for each in context.participants.id]
    if context.prizes is not None:
        yield (
            "prizes",
            [_prize(p.id, p.name, p.quantity_remaining, p.metadata) for p in context.prizes],
        )


def _prize(id: str, name: str, quantity: int, metadata: JsonObject) -> JsonObject:
    return {"id": id, "name": name, "quantity": quantity, "metadata": metadata}


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
    return {name: row[name] for name in ("prizeId", "participantId") if name in row}
