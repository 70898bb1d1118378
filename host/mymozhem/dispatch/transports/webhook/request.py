"""The body of a call: the envelope of the contract, as bytes.

It is written directly from its parts; a model of the whole envelope would only cost time.
"""

from pydantic_core import to_json

from mymozhem.dispatch.transports.base import HookCall

from .js_json import as_javascript
from .legacy_format import fields_of


def body_of(
    call: HookCall,
    *,
    platform_form: bool,
    lists: tuple[str, ...] = (),
    public_url: str = "",
) -> bytes:
    """Return the body of a call; `lists` are the paths of the values that are `ListRef`s.

    `public_url` is the address of this host, for callbacks.

    The bodies of two attempts differ only in the attempt and the time left.
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
        envelope |= fields_of(call, public_url)
    # With references in them, the values no longer have the types of the fields.
    body = to_json(envelope, by_alias=True, serialize_as_any=bool(lists))
    return as_javascript(body) if platform_form else body
