"""Calls to apps that run elsewhere: a signed POST to the path that the manifest names."""

from typing import Protocol

from mymozhem.clock import Clock
from mymozhem.contract.envelopes import (
    ATTEMPT_HEADER,
    CONTENT_TYPE,
    MAX_ATTEMPTS_HEADER,
    MAX_BODY_BYTES,
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
from mymozhem.manifests.model import Webhook
from mymozhem.outbound import AddressForbidden, Answered, Outbound, Unreachable, Unreadable
from mymozhem.registry.endpoint import Endpoint

from .lingering import LINGER_SECONDS
from .outcome import CallFailed, FailureKind
from .transport import Call, Reply
from .wire_lists import Lists, fitting_body
from .wire_platform import answered_for
from .wire_reply import read_reply
from .wire_request import body_of


class Paths(Protocol):
    """What the transport reads of a manifest."""

    def webhook(self, capability: str, /) -> Webhook | None:
        """Return where a capability is answered, None where the manifest does not say."""
        ...


class Remotes(Protocol):
    """Where remote apps are found; answered from memory."""

    def manifest(self, app_id: str, version: str, /) -> Paths:
        """Return the manifest of a published version; raises `NotFound`."""
        ...

    def endpoint(self, app_id: str, version: str, /) -> Endpoint | None:
        """Return where a remote app is reached, None for an app that is none."""
        ...


class WebhookTransport:
    """The transport to apps that answer over HTTP.

    It asks once; where a kept connection was closed meanwhile, the same question goes out a second
    time, under the same id, which an app answers as before.
    """

    def __init__(self, remotes: Remotes, outbound: Outbound, lists: Lists, clock: Clock) -> None:
        self._remotes = remotes
        self._outbound = outbound
        self._lists = lists
        self._clock = clock

    async def send(self, call: Call) -> Reply:
        """Ask the app and return its reply, not yet validated; see `Transport`."""
        endpoint, webhook = self._place(call)
        if endpoint.platform_form and (known := answered_for(call.hook)) is not None:
            return known
        body = body_of(call, platform_form=endpoint.platform_form)
        if len(body) > MAX_BODY_BYTES:
            body = await fitting_body(call, self._lists, platform_form=endpoint.platform_form)
        answered = await self._post(call, endpoint, webhook, body)
        return read_reply(
            call,
            answered,
            asynchronous=webhook.asynchronous,
            platform_form=endpoint.platform_form,
        )

    async def close(self) -> None:
        """Cut every connection; twice is safe."""
        await self._outbound.close()

    def _place(self, call: Call) -> tuple[Endpoint, Webhook]:
        app_id, version = call.app.app_id, call.app.version
        endpoint = self._remotes.endpoint(app_id, version)
        webhook = self._remotes.manifest(app_id, version).webhook(call.hook.capability)
        if endpoint is None or webhook is None:
            message = f"Nothing says where {app_id} {version} answers {call.hook.name}."
            raise CallFailed(FailureKind.MISCONFIGURED, message)
        return endpoint, webhook

    async def _post(
        self, call: Call, endpoint: Endpoint, webhook: Webhook, body: bytes
    ) -> Answered:
        name = call.app.app_id
        try:
            return await self._outbound.post(
                endpoint.base_url + webhook.path,
                body,
                pool=name,
                headers=self._headers(call, endpoint, body),
                seconds=_seconds(call),
                socket=endpoint.socket,
            )
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

    def _headers(self, call: Call, endpoint: Endpoint, body: bytes) -> dict[str, str]:
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


def _seconds(call: Call) -> float:
    """Return how long to wait: where somebody wants a late answer, beyond the deadline."""
    return call.context.deadline_ms / 1000 + (LINGER_SECONDS if call.late else 0)
