"""The result of a call that a remote app accepted with 202 and processed later."""

from typing import Literal

from pydantic import ValidationError
from quart import request

from mymozhem.api.error_handlers import invalid
from mymozhem.api.idempotency import Repeat
from mymozhem.api.request_parsing import refused
from mymozhem.api.request_pipeline import RequestContext
from mymozhem.api.routes import Routes
from mymozhem.contract import CONTRACT_VERSION
from mymozhem.contract.envelopes import CONTENT_TYPE, MAX_BODY_BYTES, ReplyEnvelope
from mymozhem.errors import Invalid, UnsupportedMediaType
from mymozhem.manifests.strict_json import StrictJsonError, loads
from mymozhem.rooms.views.base import View

routes = Routes("callbacks", "Results that remote apps send later.")


class Received(View):
    """A result that has arrived."""

    received: Literal[True]


@routes.add(
    "POST /callbacks/{capability}/{deliveryId}", repeat=Repeat.FREE, max_bytes=MAX_BODY_BYTES,
    refuses=frozenset({404, 409, 413, 415}), takes=ReplyEnvelope,
)  # fmt: skip
async def take_result(
    context: RequestContext, capability: str, delivery_id: str, raw: bytes
) -> Received:
    """Accept the result of an asynchronous call; idempotent.

    The body is the reply that the call would have had: its `id` is the call's, as in the path. The
    first platform's `{success, result}` is accepted as well.
    """
    app = await context.calling_app()
    envelope = _read(raw, delivery_id)
    if envelope.id != delivery_id:
        raise Invalid(fields={"/id": ["Give the id of the call, the one in the address."]})
    await context.host.callbacks.accept(app.app_id, capability, delivery_id, envelope)
    return Received(received=True)


def _read(raw: bytes, call_id: str) -> ReplyEnvelope:
    if request.mimetype != CONTENT_TYPE:
        raise UnsupportedMediaType
    try:
        document = loads(raw, max_bytes=MAX_BODY_BYTES)
        if isinstance(document, dict) and document.get("success") is True:
            result = document.get("result", document.get("data"))
            return ReplyEnvelope(id=call_id, contract=str(CONTRACT_VERSION), data=result)
        return ReplyEnvelope.model_validate(document)
    except StrictJsonError as error:
        raise refused(error) from error
    except ValidationError as error:
        raise invalid(error) from None
