"""Read the response of a remote app: a reply, or why there is none."""

from http import HTTPStatus

from pydantic_core import from_json, to_json

from mymozhem.contract.envelopes import CONTENT_TYPE
from mymozhem.dispatch.outcome import CallFailed, FailureKind
from mymozhem.dispatch.transports.base import HookCall, Reply
from mymozhem.outbound import Answered

from .legacy_format import read_platform

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

_ADVICE: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: ": it does not accept the signature; compare its secret and its clock",
    HTTPStatus.FORBIDDEN: ": it does not let the host in",
    HTTPStatus.NOT_FOUND: ": nothing is at the path that the manifest names",
}

_OUTCOMES = ("ok", "refuse")


def read_reply(
    call: HookCall, answered: Answered, *, asynchronous: bool, platform_form: bool
) -> Reply:
    """Return the reply in a response, its data not yet validated; raises `CallFailed` if none.

    `asynchronous` apps may respond with 202 and send the result later; `platform_form` apps may
    use the first platform's envelope.
    """
    if answered.status != HTTPStatus.OK:
        raise _no_answer(call, answered.status, asynchronous=asynchronous)
    if answered.content_type != CONTENT_TYPE:
        raise _bad(call, "something other than JSON")
    try:
        document = from_json(answered.body, allow_inf_nan=False)
    except ValueError as error:
        raise _bad(call, "something that is not valid JSON") from error
    if not isinstance(document, dict):
        raise _bad(call, "JSON that is not an object")
    if platform_form and ("success" in document or "contract" not in document):
        return _finite(call, read_platform(call, document))
    return _finite(call, _reply(call, document))


def read_health(call: HookCall, answered: Answered) -> Reply:
    """Return what a page of health says; raises `CallFailed` if the app does not work.

    An app without such a page has never promised one.
    """
    if answered.status in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED):
        return Reply(to_json({"status": "ok", "details": {"code": "NO_HEALTH_PAGE"}}))
    if answered.status != HTTPStatus.OK:
        raise _no_answer(call, answered.status, asynchronous=False)
    try:
        document = from_json(answered.body, allow_inf_nan=False)
    except ValueError:
        document = None
    details = document if isinstance(document, dict) else {}
    status = "degraded" if details.get("status") == "degraded" else "ok"
    return Reply(to_json({"status": status, "details": details}))


def _reply(call: HookCall, document: dict[str, object]) -> Reply:
    """Return the reply in a `ReplyEnvelope`, read by hand: in half the time of the model."""
    answered, contract = document.get("id"), document.get("contract")
    lock, outcome = document.get("lock"), document.get("outcome", "ok")
    if not (isinstance(answered, str) and isinstance(contract, str) and outcome in _OUTCOMES):
        raise _bad(call, "an invalid envelope")
    if not (lock is None or isinstance(lock, str)):
        raise _bad(call, "a lock that is not a string")
    context = call.context
    if answered != context.call_id:
        raise _bad(call, "the id of another call")
    if contract.partition(".")[0] != context.contract.partition(".")[0]:
        raise _bad(call, "a different contract version than that of the call")
    return Reply(to_json(document.get("data")), outcome == "refuse", lock)


def _finite(call: HookCall, reply: Reply) -> Reply:
    """Reject numbers beyond the range of floats, such as 1e999, which JSON cannot write back."""
    if b"Infinity" in reply.data:
        try:
            from_json(reply.data, allow_inf_nan=False)
        except ValueError as error:
            raise _bad(call, "a number that is too large") from error
    return reply


def _no_answer(call: HookCall, status: int, *, asynchronous: bool) -> CallFailed:
    name = call.app.app_id
    if status == HTTPStatus.ACCEPTED and asynchronous:
        return CallFailed(FailureKind.ACCEPTED, f"{name} accepted the call; the result is pending.")
    if status == HTTPStatus.GONE:
        return CallFailed(FailureKind.GONE, f"{name} replied that it no longer exists.")
    message = f"{name} answered {call.hook.name} with the status {status}{_advice(status)}."
    return CallFailed(_KINDS.get(status, FailureKind.BAD_STATUS), message, status=status)


def _advice(status: int) -> str:
    """Return what a status means to the host, for the app's author; empty if there is no more."""
    if status == HTTPStatus.ACCEPTED:
        return ": a later result needs `async: true` in the manifest's webhooks"
    if status < HTTPStatus.MULTIPLE_CHOICES:
        return ": a reply has the status 200 and an envelope as its body, also without effects"
    if status < HTTPStatus.BAD_REQUEST:
        return ": redirects are not followed; the manifest's baseUrl must be the final address"
    return _ADVICE.get(status, "")


def _bad(call: HookCall, what: str) -> CallFailed:
    message = f"{call.app.app_id} answered {call.hook.name} with {what}."
    return CallFailed(FailureKind.BAD_RESULT, message)
