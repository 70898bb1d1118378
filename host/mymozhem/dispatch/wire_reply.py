"""What a remote app's answer means: a reply, or why there is none."""

from http import HTTPStatus

import structlog
from pydantic import ValidationError
from pydantic_core import from_json, to_json

from mymozhem.contract.envelopes import CONTENT_TYPE, ReplyEnvelope
from mymozhem.outbound import Answered

from .outcome import CallFailed, FailureKind
from .transport import Call, Reply
from .wire_platform import read_platform

_KINDS: dict[int, FailureKind] = {
    HTTPStatus.BAD_REQUEST: FailureKind.REFUSED_CALL,
    HTTPStatus.UNAUTHORIZED: FailureKind.MISCONFIGURED,
    HTTPStatus.FORBIDDEN: FailureKind.MISCONFIGURED,
    HTTPStatus.NOT_FOUND: FailureKind.MISCONFIGURED,
    HTTPStatus.CONFLICT: FailureKind.REFUSED_CALL,
    HTTPStatus.GONE: FailureKind.GONE,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: FailureKind.REFUSED_CALL,
    HTTPStatus.UNPROCESSABLE_ENTITY: FailureKind.REFUSED_CALL,
}

logger = structlog.stdlib.get_logger(__name__)


def read_reply(call: Call, answered: Answered, *, asynchronous: bool, platform_form: bool) -> Reply:
    """Return the reply in an answer, its data not yet validated; `CallFailed` where there is none.

    `asynchronous` apps may answer 202 and send the result later, `platform_form` ones may use the
    first platform's envelope.
    """
    if answered.status != HTTPStatus.OK:
        raise _no_answer(call, answered.status, asynchronous=asynchronous)
    if answered.content_type != CONTENT_TYPE:
        raise _bad(call, "something other than JSON")
    try:
        document = from_json(answered.body, allow_inf_nan=False)
    except ValueError as error:
        raise _bad(call, "something that is no JSON") from error
    if platform_form and isinstance(document, dict) and "success" in document:
        return _finite(call, read_platform(call, document))
    return _finite(call, _read(call, document))


def _read(call: Call, document: object) -> Reply:
    try:
        envelope = ReplyEnvelope.model_validate(document)
    except ValidationError as error:
        raise _bad(call, "an envelope that breaks its rules") from error
    context = call.context
    if envelope.id != context.call_id:
        raise _bad(call, "the id of another question")
    if _major(envelope.contract) != _major(context.contract):
        raise _bad(call, "another contract than it was asked in")
    if envelope.lock is not None and envelope.lock != context.lock:
        logger.warning("lock drifted", app=call.app.app_id, call_id=envelope.id)
    return Reply(to_json(envelope.data), envelope.outcome == "refuse", envelope.lock)


def _finite(call: Call, reply: Reply) -> Reply:
    """Refuse numbers beyond every float: JSON can write 1e999, and has no word for what it is."""
    if b"Infinity" in reply.data:
        try:
            from_json(reply.data, allow_inf_nan=False)
        except ValueError as error:
            raise _bad(call, "a number that is too large") from error
    return reply


def _no_answer(call: Call, status: int, *, asynchronous: bool) -> CallFailed:
    name = call.app.app_id
    if status == HTTPStatus.ACCEPTED and asynchronous:
        return CallFailed(FailureKind.ACCEPTED, f"{name} has taken the question; it answers later.")
    if status == HTTPStatus.GONE:
        return CallFailed(FailureKind.GONE, f"{name} answered that it is gone for good.")
    message = f"{name} answered {call.hook.name} with the status {status}."
    return CallFailed(_KINDS.get(status, FailureKind.BAD_STATUS), message)


def _bad(call: Call, what: str) -> CallFailed:
    message = f"{call.app.app_id} answered {call.hook.name} with {what}."
    return CallFailed(FailureKind.BAD_RESULT, message)


def _major(contract: str) -> str:
    return contract.partition(".")[0]
