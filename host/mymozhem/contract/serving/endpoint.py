"""The signed endpoint: check the request, its signature, and whether it is a repeat."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence

from pydantic import ValidationError

from mymozhem.contract.envelopes import CONTENT_TYPE, RequestEnvelope
from mymozhem.contract.signing import Key, SignatureRefused, verify
from mymozhem.contract.versions import CONTRACT_VERSION, as_version

from .app_functions import Function, Plugin
from .asgi_messages import (
    Problem,
    Receive,
    Response,
    Scope,
    Send,
    as_json,
    headers_of,
    read_body,
    respond,
)
from .call_handler import Answerer, too_late
from .lists import places, stand_in
from .reply_cache import Memory


class Endpoint:
    """An ASGI application that answers signed requests to one app, on any path."""

    def __init__(
        self,
        plugin: Plugin,
        *,
        keys: Sequence[Key],
        answerer: Answerer,
        memory: Memory,
        clock: Callable[[], float],
        tolerance: int,
        late_seconds: float,
        max_body_bytes: int,
    ) -> None:
        self._plugin = plugin
        self._keys = tuple(keys)
        self._answerer = answerer
        self._memory = memory
        self._clock = clock
        self._tolerance = tolerance
        self._late_seconds = late_seconds
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one HTTP request, or the lifespan events of the server."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            raise NotImplementedError(f"an app is no server of {scope['type']}")

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self._memory.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._response(scope, receive)
        except Problem as problem:
            response = problem.response()
        if response is None:  # the client disconnected
            return
        await respond(send, response, with_body=scope["method"] != "HEAD")

    async def _response(self, scope: Scope, receive: Receive) -> Response | None:
        if scope["method"] in ("GET", "HEAD"):
            return self._about(str(scope["path"]))
        if scope["method"] != "POST":
            allowed = {"allow": "GET, HEAD, POST"}
            message = "Send requests with POST."
            raise Problem(405, "METHOD_NOT_ALLOWED", message, headers=allowed)
        headers = headers_of(scope)
        body = await _read(headers, receive, self._max_body_bytes)
        return None if body is None else await self._posted(headers, body)

    def _about(self, path: str) -> Response:
        if path == "/health":
            return Response(200, as_json({"status": "ok"}))
        if path != "/":
            raise Problem(
                404, "NOT_FOUND", "There is nothing at this path; send requests with POST."
            )
        manifest = self._plugin.manifest
        meta = manifest.get("meta")
        known = meta if isinstance(meta, dict) else {}
        return Response(
            200,
            as_json(
                {
                    "app": {
                        "id": manifest.get("id"),
                        "name": known.get("name"),
                        "version": known.get("version"),
                    },
                    "contract": CONTRACT_VERSION,
                    "hooks": list(self._plugin.functions),
                }
            ),
        )

    async def _posted(self, headers: Mapping[str, str], body: bytes) -> Response:
        envelope = self._verified(headers, body)
        function = self._function(envelope)
        lists = places(envelope)
        stand_in(lists)
        question = _digest(envelope)
        known = self._memory.find(envelope.id)
        if known is None:
            answering = self._answerer.response(envelope, lists, function)
            known = self._memory.start(envelope.id, question, asyncio.create_task(answering))
        elif known.question != question:
            message = "This id was used for a different call; use a new one."
            raise Problem(409, "ID_REUSED", message)
        late = 0 if function.is_coroutine else self._late_seconds
        await asyncio.wait({known.task}, timeout=max(envelope.budget_ms, 0) / 1000 + late)
        if not known.task.done() or known.task.cancelled():
            raise too_late()
        return known.task.result()

    def _verified(self, headers: Mapping[str, str], body: bytes) -> RequestEnvelope:
        try:
            call_id = verify(
                self._keys, headers, body, now=self._clock(), tolerance=self._tolerance
            )
        except SignatureRefused as error:
            raise Problem(401, error.code, str(error)) from error
        try:
            envelope = RequestEnvelope.model_validate_json(body)
        except ValidationError as error:
            message = "The body is no request of this contract."
            raise Problem(400, "ENVELOPE_INVALID", message) from error
        if envelope.id != call_id:
            message = "The id in the body is not the one in the header webhook-id."
            raise Problem(400, "ID_MISMATCH", message)
        return envelope

    def _function(self, envelope: RequestEnvelope) -> Function:
        if not _speaks(envelope.contract):
            message = f"This app speaks version {CONTRACT_VERSION} of the contract."
            raise Problem(400, "CONTRACT_UNKNOWN", message)
        function = self._plugin.functions.get(envelope.hook)
        if function is None:
            message = "This app does not implement the hook, although its manifest declares it."
            raise Problem(404, "HOOK_NOT_IMPLEMENTED", message)
        return function


async def _read(headers: Mapping[str, str], receive: Receive, most: int) -> bytes | None:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    coded = headers.get("content-encoding", "identity").lower()
    if kind != CONTENT_TYPE or coded != "identity":
        message = "Send uncompressed JSON with the content type application/json."
        raise Problem(415, "UNSUPPORTED_MEDIA_TYPE", message)
    return await read_body(headers, receive, most)


def _digest(envelope: RequestEnvelope) -> str:
    """Return a digest of the call, the same in every attempt."""
    context = {key: value for key, value in envelope.context.items() if key != "deadlineMs"}
    asked = [envelope.hook, context, envelope.request]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def _speaks(version: str) -> bool:
    """Return whether the major version is ours; a later minor version only adds optional fields."""
    try:
        return as_version(version).major == as_version(CONTRACT_VERSION).major
    except ValueError:
        return False
