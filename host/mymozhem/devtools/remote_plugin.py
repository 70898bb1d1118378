"""An app that runs elsewhere, as an object with hooks: each call is a signed POST."""

import json
from collections.abc import Awaitable, Callable
from copy import deepcopy
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from types import ModuleType

from pydantic import BaseModel, JsonValue

from mymozhem.clock import SystemClock
from mymozhem.contract import HOOKS, Context, Hook, Refusal, Refuse, hookimpl
from mymozhem.contract.byte_order_marks import as_utf_8
from mymozhem.contract.signing import KeyRefused, SharedKey, parse_key
from mymozhem.dispatch.outcome import CallFailed
from mymozhem.dispatch.transports.base import AppTarget, HookCall
from mymozhem.dispatch.transports.webhook.request import body_of
from mymozhem.dispatch.transports.webhook.sender import Post
from mymozhem.errors import Invalid
from mymozhem.manifests.model import Manifest, Webhook
from mymozhem.manifests.validate import validate_manifest
from mymozhem.outbound import Guard, Outbound
from mymozhem.registry.endpoint import Endpoint

#: an author names the address of an own service, wherever that is
_ANYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))
_OF_REMOTE_APPS = ("baseUrl", "webhooks")


class RemoteCallFailed(RuntimeError):
    """The service gave no usable reply; the message says what it answered."""


@dataclass(frozen=True)
class RemoteApp:
    """A running service: its address, its secret, and the file with its manifest."""

    url: str
    secret: str
    file: Path

    def manifest(self) -> Manifest:
        """Return the manifest in the file; raises `Invalid` with all its problems."""
        report = validate_manifest(as_utf_8(self.file.read_bytes()))
        if report.manifest is None:
            problems = "\n".join(f"  {each.sentence}" for each in report.problems)
            raise Invalid(f"The manifest {self.file} is not valid:\n{problems}")
        if report.manifest.id is None:
            raise Invalid(f'The manifest {self.file} has no id: add "id".')
        return report.manifest

    def key(self) -> SharedKey:
        """Return the key that signs calls; raises `Invalid` for a text that is no secret."""
        try:
            key = parse_key(self.secret)
        except KeyRefused as error:
            raise Invalid(f"This is not a secret: {error}.") from error
        if not isinstance(key, SharedKey):
            raise Invalid("This is not a secret: it begins with whsec_.")
        return key


def remote_plugin(remote: RemoteApp) -> ModuleType:
    """Return an object with the hooks of the manifest's capabilities, which calls the service."""
    manifest, key = remote.manifest(), remote.key()
    made = ModuleType(str(manifest.id))
    document = {
        name: value for name, value in manifest.document.items() if name not in _OF_REMOTE_APPS
    }
    made.app_manifest = hookimpl(lambda: deepcopy(document))  # type: ignore[attr-defined]  # made here
    for hook in HOOKS:
        webhook = manifest.webhook(hook.capability)
        if hook.capability in manifest.capabilities and webhook is not None:
            setattr(made, hook.name, hookimpl(_calling(hook, manifest, webhook, remote, key)))
    return made


def _calling(
    hook: Hook[BaseModel, BaseModel],
    manifest: Manifest,
    webhook: Webhook,
    remote: RemoteApp,
    key: SharedKey,
) -> Callable[[Context, BaseModel], Awaitable[JsonValue]]:
    endpoint = Endpoint(remote.url.rstrip("/"), (key,), key)
    target = AppTarget(str(manifest.id), manifest.version)

    async def call(context: Context, request: BaseModel) -> JsonValue:
        asked = HookCall(hook, target, context, request)
        body = body_of(asked, platform_form=False)
        outbound = Outbound(Guard(_ANYWHERE))  # of this event loop; the kit has several
        try:
            reply = await Post(outbound, SystemClock()).send(asked, endpoint, webhook, body)
        except CallFailed as error:
            raise RemoteCallFailed(error.failure.message) from error
        finally:
            await outbound.close()
        said: JsonValue = json.loads(reply.data)
        if reply.refused:
            no = Refusal.model_validate(said)
            raise Refuse(no.code, no.message, dict(no.details))
        return said

    return call
