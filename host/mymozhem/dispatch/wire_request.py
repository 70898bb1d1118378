"""A question as bytes: the envelope of the contract, joined from pieces.

The pieces are what pydantic writes; a model of the whole would be built only to be written.
"""

from pydantic_core import to_json

from mymozhem.clock import iso

from .transport import Call
from .wire_platform import fields_of


def body_of(call: Call, *, platform_form: bool, lists: tuple[str, ...] = ()) -> bytes:
    """Return the body of a call; `lists` names the places where a `ListRef` stands.

    Two calls that differ in the attempt and the time left alone differ there alone.
    """
    context = call.context
    # With references in them, the values are no longer of the types that the fields say.
    as_any = bool(lists)
    body = b"".join(
        (
            b'{"id":%b,"hook":"%b","contract":%b,"attempt":%d,"budgetMs":%d,"mode":"%b",'
            % (
                to_json(context.call_id),
                call.hook.name.encode(),
                to_json(context.contract),
                call.attempt,
                context.deadline_ms,
                call.mode.value.encode(),
            ),
            b'"occurredAt":"%b","context":' % iso(call.occurred_at or context.now).encode(),
            to_json(context, by_alias=True, serialize_as_any=as_any),
            b',"request":',
            to_json(call.request, by_alias=True, serialize_as_any=as_any),
        )
    )
    if lists:
        body += b',"lists":' + to_json(lists)
    if platform_form:
        body += fields_of(call)
    return body + b"}"
