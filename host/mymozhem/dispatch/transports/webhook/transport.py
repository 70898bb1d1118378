"""Calls to remote apps: a signed POST to the path that the manifest names."""

from typing import Protocol

from mymozhem.clock import Clock
from mymozhem.contract.envelopes import MAX_BODY_BYTES
from mymozhem.contract.hooks import CHECK_HEALTH
from mymozhem.dispatch.outcome import CallFailed, FailureKind
from mymozhem.dispatch.transports.base import HookCall, Reply
from mymozhem.manifests.model import Webhook
from mymozhem.outbound import Outbound
from mymozhem.registry.endpoint import Endpoint

from .legacy_format import answered_for
from .long_lists import Lists, fitting_body
from .request import body_of
from .sender import Post

#: where the apps of the first platform say how they are
HEALTH_PATH = "/health"


class Paths(Protocol):
    """What the transport reads of a manifest."""

    def webhook(self, capability: str, /) -> Webhook | None:
        """Return the path of a capability, None if the manifest names none."""
        ...


class Remotes(Protocol):
    """Finds remote apps; answered from memory."""

    def manifest(self, app_id: str, version: str, /) -> Paths:
        """Return the manifest of a published version; raises `NotFound`."""
        ...

    def endpoint(self, app_id: str, version: str, /) -> Endpoint | None:
        """Return the address of a remote app, None if the app is not remote."""
        ...


class WebhookTransport:
    """The transport to apps that are reached over HTTP.

    It sends each call once. If a kept-alive connection was closed meanwhile, it sends the same call
    a second time under the same id; apps reply as before.
    """

    def __init__(
        self,
        remotes: Remotes,
        outbound: Outbound,
        lists: Lists,
        clock: Clock,
        *,
        public_url: str = "",
    ) -> None:
        self._remotes = remotes
        self._post = Post(outbound, clock)
        self._lists = lists
        self._public_url = public_url

    async def send(self, call: HookCall) -> Reply:
        """Call the app and return its reply, not yet validated; see `Transport`."""
        endpoint, webhook = self._place(call)
        if webhook is None:
            return await self._post.look(call, endpoint, HEALTH_PATH)
        if endpoint.platform_form and (known := answered_for(call.hook)) is not None:
            return known
        form, url = endpoint.platform_form, self._public_url
        body = body_of(call, platform_form=form, public_url=url)
        if len(body) > MAX_BODY_BYTES:
            body = await fitting_body(call, self._lists, platform_form=form, public_url=url)
        return await self._post.send(call, endpoint, webhook, body)

    async def close(self) -> None:
        """Close every connection. Idempotent."""
        await self._post.close()

    def _place(self, call: HookCall) -> tuple[Endpoint, Webhook | None]:
        """Return where to send a call; None in place of a path for a page of health."""
        app_id, version = call.app.app_id, call.app.version
        endpoint = self._remotes.endpoint(app_id, version)
        webhook = self._remotes.manifest(app_id, version).webhook(call.hook.capability)
        page = endpoint is not None and endpoint.platform_form and call.hook is CHECK_HEALTH
        if endpoint is None or (webhook is None and not page):
            message = f"No path of {app_id} {version} is declared for {call.hook.name}."
            raise CallFailed(FailureKind.MISCONFIGURED, message)
        return endpoint, webhook
