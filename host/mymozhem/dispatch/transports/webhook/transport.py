"""Calls to apps that run elsewhere: a signed POST to the path that the manifest names."""

from typing import Protocol

from mymozhem.clock import Clock
from mymozhem.contract.envelopes import MAX_BODY_BYTES
from mymozhem.dispatch.outcome import CallFailed, FailureKind
from mymozhem.dispatch.transports.base import HookCall, Reply
from mymozhem.manifests.model import Webhook
from mymozhem.outbound import Outbound
from mymozhem.registry.endpoint import Endpoint

from .legacy_format import answered_for
from .long_lists import Lists, fitting_body
from .request import body_of
from .sender import Post


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
        self._post = Post(outbound, clock)
        self._lists = lists

    async def send(self, call: HookCall) -> Reply:
        """Ask the app and return its reply, not yet validated; see `Transport`."""
        endpoint, webhook = self._place(call)
        if endpoint.platform_form and (known := answered_for(call.hook)) is not None:
            return known
        body = body_of(call, platform_form=endpoint.platform_form)
        if len(body) > MAX_BODY_BYTES:
            body = await fitting_body(call, self._lists, platform_form=endpoint.platform_form)
        return await self._post.ask(call, endpoint, webhook, body)

    async def close(self) -> None:
        """Cut every connection; twice is safe."""
        await self._post.close()

    def _place(self, call: HookCall) -> tuple[Endpoint, Webhook]:
        app_id, version = call.app.app_id, call.app.version
        endpoint = self._remotes.endpoint(app_id, version)
        webhook = self._remotes.manifest(app_id, version).webhook(call.hook.capability)
        if endpoint is None or webhook is None:
            message = f"Nothing says where {app_id} {version} answers {call.hook.name}."
            raise CallFailed(FailureKind.MISCONFIGURED, message)
        return endpoint, webhook
