"""Serve any app object as a web service: a plugin becomes a remote app without changes."""

import time
from collections.abc import Callable, Iterable

from pydantic import JsonValue

from .envelopes import MAX_BODY_BYTES, MIN_REMOTE_MS
from .serving.app_functions import NotServable, Plugin
from .serving.call_handler import Answerer
from .serving.endpoint import Endpoint
from .serving.list_fetch import Fetch, FetchFailed, fetch_in
from .serving.reply_cache import Memory
from .serving.thread_pool import Threads
from .signing import TOLERANCE_SECONDS, Key, parse_key
from .wire import JsonObject, build_models

__all__ = [
    "Endpoint",
    "Fetch",
    "FetchFailed",
    "NotServable",
    "manifest_of",
    "remote_manifest",
    "serve",
]

#: how long after its deadline the result of a plain function is still sent, to be recorded
LATE_SECONDS = 30.0

#: threads of plain functions and of fetching lists, together
MAX_THREADS = 32


def serve(  # noqa: PLR0913  options, all by keyword
    app: object,
    *,
    keys: Iterable[Key | str],
    manifest: JsonObject | None = None,
    clock: Callable[[], float] = time.time,
    tolerance: int = TOLERANCE_SECONDS,
    fetch: Fetch | None = None,
    threads: int = MAX_THREADS,
    late_seconds: float = LATE_SECONDS,
    max_body_bytes: int = MAX_BODY_BYTES,
) -> Endpoint:
    """Return an ASGI application that answers signed requests to an app.

    `app` is a module or an object with `@hookimpl` functions. `keys` are those of the platform, as
    keys or as text (`whsec_…`, `whpk_…`): two during a key rotation. `manifest` is what GET /
    describes, by default the app's own manifest. `clock` returns seconds since 1970; the timestamp
    of a message may differ from it by `tolerance` seconds. `fetch` fetches long lists. At most
    `threads` plain functions run concurrently; one that misses its deadline may still reply up to
    `late_seconds` later. A request of more than `max_body_bytes` is refused.

    Raises `NotServable` if the object is no app, `KeyRefused` for an invalid key, ValueError
    without a key. The page `webhooks.md` of the reference lists the responses.
    """
    known = tuple(parse_key(key) if isinstance(key, str) else key for key in keys)
    if not known:
        raise ValueError("give a key: without one, nobody can sign a request")
    build_models()
    pool = Threads(threads)
    return Endpoint(
        Plugin(app, manifest),
        keys=known,
        answerer=Answerer(pool, fetch or fetch_in(pool), clock),
        memory=Memory(clock),
        clock=clock,
        tolerance=tolerance,
        late_seconds=late_seconds,
        max_body_bytes=max_body_bytes,
    )


def manifest_of(app: object) -> JsonObject:
    """Return an app's own manifest; `NotServable` if the object is no app or has no manifest."""
    document = Plugin(app).manifest
    if not document:
        raise NotServable("it does not implement app_manifest, or returns nothing from it")
    return document


def remote_manifest(document: JsonObject, base_url: str, *, path: str = "/hooks") -> JsonObject:
    """Return the manifest that registers a plugin as a remote app at `base_url`.

    All hooks have the same path. The plugin's manifest stays as it is, except for timeouts that are
    too short for a network: they become the minimum, 2 s. The result is valid if the plugin's
    manifest is. It names its format, so that it is not taken for a manifest of the first platform.
    """
    remote = {"manifestVersion": 1, **document, "baseUrl": base_url.rstrip("/"), "webhooks": path}
    policies = document.get("policies")
    if isinstance(policies, dict):
        remote["policies"] = {name: _patient(policy) for name, policy in policies.items()}
    return remote


def _patient(policy: JsonValue) -> JsonValue:
    asked = policy.get("timeout") if isinstance(policy, dict) else None
    if isinstance(policy, dict) and isinstance(asked, int | float) and asked < MIN_REMOTE_MS:
        return {**policy, "timeout": MIN_REMOTE_MS}
    return policy
