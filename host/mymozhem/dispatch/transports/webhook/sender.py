"""Send a call: sign it, post it, and read the response."""

from collections.abc import Iterator
from contextlib import contextmanager

from mymozhem.clock import Clock
from mymozhem.contract.envelopes import (
    ATTEMPT_HEADER,
    CONTENT_TYPE,
    MAX_ATTEMPTS_HEADER,
    REQUEST_ID_HEADER,
    TIMEOUT_HEADER,
)
from mymozhem.contract.signing import (
    ID_HEADER,
    PLATFORM_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    sign,
)
from mymozhem.dispatch.outcome import CallFailed, FailureKind
from mymozhem.dispatch.transports.base import HookCall, Reply
from mymozhem.dispatch.transports.late_replies import LINGER_SECONDS
from mymozhem.manifests.model import Webhook
from mymozhem.outbound import AddressForbidden, Answered, Outbound, Unreachable, Unreadable
from mymozhem.registry.endpoint import Endpoint

from .response import read_health, read_reply


class Post:
    """Posts bodies to endpoints; sends again once if a kept-alive connection was closed."""

    def __init__(self, outbound: Outbound, clock: Clock) -> None:
        self._outbound = outbound
        self._clock = clock

    async def send(
        self, call: HookCall, endpoint: Endpoint, webhook: Webhook, body: bytes
    ) -> Reply:
        """Return the reply to a call with this body, not yet validated; see `Transport`."""
        answered = await self._post(call, endpoint, webhook, body)
        return read_reply(
            call,
            answered,
            asynchronous=webhook.asynchronous,
            platform_form=endpoint.platform_form,
        )

    async def look(self, call: HookCall, endpoint: Endpoint, path: str) -> Reply:
        """Return what an app's page of health says; see `Transport`."""
        with _failures(call):
            answered = await self._outbound.get(
                endpoint.base_url + path,
                pool=call.app.app_id,
                headers={REQUEST_ID_HEADER: call.context.call_id},
                seconds=_seconds(call),
            )
        return read_health(call, answered)

    async def close(self) -> None:
        """Close every connection. Idempotent."""
        await self._outbound.close()

    async def _post(
        self, call: HookCall, endpoint: Endpoint, webhook: Webhook, body: bytes
    ) -> Answered:
        with _failures(call):
            return await self._outbound.post(
                endpoint.base_url + webhook.path,
                body,
                pool=call.app.app_id,
                headers=self._headers(call, endpoint, body),
                seconds=_seconds(call),
                socket=endpoint.socket,
            )

    def _headers(self, call: HookCall, endpoint: Endpoint, body: bytes) -> dict[str, str]:
        call_id, timestamp = call.context.call_id, int(self._clock.now().timestamp())
        return {
            "Content-Type": CONTENT_TYPE,
            ID_HEADER: call_id,
            TIMESTAMP_HEADER: str(timestamp),
            SIGNATURE_HEADER: sign(
                endpoint.keys, message_id=call_id, timestamp=timestamp, body=body
            ),
            PLATFORM_HEADER: endpoint.shared.platform_signature(body),
            REQUEST_ID_HEADER: call_id,
            TIMEOUT_HEADER: str(call.context.deadline_ms),
            ATTEMPT_HEADER: str(call.attempt),
            MAX_ATTEMPTS_HEADER: str(call.max_attempts),
        }


@contextmanager
def _failures(call: HookCall) -> Iterator[None]:
    """Raise what goes wrong on the way to an app as a `CallFailed`."""
    name = call.app.app_id
    try:
        yield
    except TimeoutError as error:
        within_ms = call.context.deadline_ms
        message = f"{name} did not answer {call.hook.name} within {within_ms} ms."
        raise CallFailed(FailureKind.TIMEOUT, message) from error
    except AddressForbidden as error:
        message = f"The address of {name} may not be reached; operators can allow networks."
        raise CallFailed(FailureKind.MISCONFIGURED, message) from error
    except Unreachable as error:
        raise CallFailed(FailureKind.UNREACHABLE, f"{name} cannot be reached.") from error
    except Unreadable as error:
        message = f"The answer of {name} cannot be read. {error.message}"
        raise CallFailed(FailureKind.BAD_RESULT, message) from error


def _seconds(call: HookCall) -> float:
    """Return how long to wait: longer than the deadline if somebody wants a late reply."""
    return call.context.deadline_ms / 1000 + (LINGER_SECONDS if call.late else 0)
