"""Any app object as a web service: with it a plugin becomes a remote app as it stands."""

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

#: how long after its deadline the answer of a plain function is still sent, to be taken note of
LATE_SECONDS = 30.0

#: threads of plain functions and of fetching lists, together
MAX_THREADS = 32


def serve(  # noqa: PLR0913  all that may differ, by name
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
    """Return an ASGI application that answers signed questions to an app.

    `app` is a module or an object with `@hookimpl` functions. `keys` are those of the platform,
    as keys or as text (`whsec_…`, `whpk_…`): two while one is being changed. `manifest` is what
    GET / tells of, by default what the app says itself. `clock` gives seconds since 1970;
    messages may be `tolerance` seconds old or new. `fetch` gets long lists. At most `threads` plain
    functions run at once; one that misses its deadline may still answer `late_seconds` after it. A
    question of more than `max_body_bytes` is not read.

    Raises `NotServable` where the object is no app, `KeyRefused` where a key is none, ValueError
    without a key. The reference `webhooks.md` says what the application answers.
    """
    known = tuple(parse_key(key) if isinstance(key, str) else key for key in keys)
    if not known:
        raise ValueError("give a key: nobody could sign a question")
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
    """Return what an app says of itself; `NotServable` where it is no app or says nothing."""
    document = Plugin(app).manifest
    if not document:
        raise NotServable("it does not implement app_manifest, or returns nothing from it")
    return document


def remote_manifest(document: JsonObject, base_url: str, *, path: str = "/hooks") -> JsonObject:
    """Return the manifest that registers a plugin as a remote app at `base_url`.

    All hooks are answered at one path. What the plugin says of itself stays, but for timeouts that
    are too short for a network, which become the shortest that there is, 2 s. A valid manifest of
    a plugin stays valid; it names its format, so that nobody takes it for one of before.
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
