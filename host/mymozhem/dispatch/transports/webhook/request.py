"""A question as bytes: the envelope of the contract.

It is written from its pieces at once; a model of the whole would be built only to be written.
"""

from pydantic_core import to_json

from mymozhem.dispatch.transports.base import HookCall

from .legacy_format import fields_of


def body_of(call: HookCall, *, platform_form: bool, lists: tuple[str, ...] = ()) -> bytes:
    """Return the body of a call; `lists` names the places where a `ListRef` stands.

    Two calls that differ in the attempt and the time left alone differ there alone.
    """
    context = call.context
    envelope: dict[str, object] = {
        "id": context.call_id,
        "hook": call.hook.name,
        "contract": context.contract,
        "attempt": call.attempt,
        "budgetMs": context.deadline_ms,
        "mode": call.mode.value,
        "occurredAt": call.occurred_at or context.now,
        "context": context,
        "request": call.request,
    }
    if lists:
        envelope["lists"] = lists
    if platform_form:
        envelope |= fields_of(call)
    # With references in them, the values are no longer of the types that the fields say.
    return to_json(envelope, by_alias=True, serialize_as_any=bool(lists))
