"""A web service for apps, as somebody might write their own, that can leave out one rule each."""

import json
import time
from collections.abc import Sequence

from mymozhem.contract import Context
from mymozhem.contract.codec import encode
from mymozhem.contract.serving.app_functions import Plugin
from mymozhem.contract.signing import SharedKey, SignatureRefused, parse_key, verify

MOST = 1024 * 1024


class Service:
    """Answers questions; `without` is the rule that it does not know."""

    def __init__(self, app: object, keys: Sequence[str], without: str = "") -> None:
        self._functions = Plugin(app).functions
        self._keys = [key for key in map(parse_key, keys) if isinstance(key, SharedKey)]
        self._without = without
        self._known: dict[str, tuple[str, bytes]] = {}
        self._asked = 0

    async def __call__(self, scope, receive, send) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        status, answer = self._answer(headers, body)
        kind = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": kind})
        await send({"type": "http.response.body", "body": answer})

    def _answer(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        self._asked += 1
        if self._without == "stamina" and self._asked > 25:
            return 500, b"{}"
        if len(body) > MOST and self._without != "size":
            return 413, b"{}"
        if headers.get("content-type") != "application/json" and self._without != "type":
            return 415, b"{}"
        if not self._is_signed(headers, body):
            return 401, b"{}"
        try:
            asked = json.loads(body)
            function = self._functions.get(asked["hook"])
        except ValueError:
            return (200 if self._without == "reading" else 400), b"{}"
        if asked["contract"].split(".")[0] != "1" and self._without != "contract":
            return 400, b"{}"
        if function is None:
            return (200 if self._without == "hook" else 404), b"{}"
        return self._once(asked, function)

    def _is_signed(self, headers: dict[str, str], body: bytes) -> bool:
        tolerance = {"time": 10**9, "tolerance": 10}.get(self._without, 300)
        try:
            verify(self._keys, headers, body, now=time.time(), tolerance=tolerance)
        except SignatureRefused as error:
            return error.code == {
                "signature": "SIGNATURE_WRONG", "signed": "SIGNATURE_MISSING"
            }.get(self._without)  # fmt: skip
        return True

    def _once(self, asked: dict, function) -> tuple[int, bytes]:
        context = {**asked["context"], "deadlineMs": 0}
        question = json.dumps([asked["hook"], context, asked["request"]], sort_keys=True)
        if self._without != "memory" and asked["id"] in self._known:
            known, answer = self._known[asked["id"]]
            same = known == question or self._without == "comparing"
            return (200, answer) if same else (409, b"{}")
        told = Context.model_validate(asked["context"])
        data = encode(
            function.hook,
            function.invoke(told, function.hook.request.model_validate(asked["request"])),
        ).data
        reply = {"id": asked["id"], "contract": "1.0", "data": json.loads(data)}
        if self._without == "sameness":
            reply["at"] = time.time_ns()
        answer = json.dumps(reply).encode()
        if self._without != "sameness":
            self._known[asked["id"]] = (question, answer)
        return 200, answer
