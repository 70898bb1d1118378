"""An app over HTTP that takes down what it is told; it applies a call once, however often it comes.

It answers slowly, fails, or refuses for good, by what an event says and by chance.
"""

import asyncio
import hashlib
import json
from collections import Counter
from contextlib import asynccontextmanager

from aiohttp import web

from tests.support.remote_manifest import remote_manifest

APP = "chronicle"

#: events with such a number are never taken, and die
NEVER = 17

#: how often, and for how long in seconds, the app thinks before it answers
SLOWLY, THINKING = 0.2, 0.05


class DeliveryApp:
    """What the app knows: the calls by id in the order of their arrival, and what it applied."""

    def __init__(self, chance):
        self._chance = chance
        self.url = ""
        self.calls = Counter()
        self.bodies = {}
        self.applied = []

    def manifest(self):
        return remote_manifest(
            baseUrl=self.url,
            capabilities=["analytics"],
            webhooks={
                "analytics": {"path": "/events", "retry": {"maxAttempts": 3, "backoff": "fixed"}}
            },
            events={f"{APP}:said": {"visibility": "public"}},
        )

    @asynccontextmanager
    async def serving(self):
        app = web.Application()
        app.router.add_post("/events", self._take)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0]
        self.url = f"http://{host}:{port}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _take(self, request):
        asked = await request.json()
        call_id, event = asked["id"], asked["request"]["event"]
        self.calls[call_id] += 1
        assert self.bodies.setdefault(call_id, _frozen(asked)) == _frozen(asked)
        if self._chance.random() < SLOWLY:
            await asyncio.sleep(THINKING)
        if event["payload"].get("n", 1) % NEVER == 0:
            return web.Response(status=422)
        if self._chance.random() < 0.02:
            return web.Response(status=503)
        if call_id not in self.applied:
            self.applied.append(call_id)
        reply = {"id": call_id, "contract": "1.0", "lock": asked["context"]["lock"], "data": {}}
        return web.json_response(reply)


def _frozen(asked):
    """Return what is the same in every attempt of a call, as a digest."""
    context = {name: value for name, value in asked["context"].items() if name != "deadlineMs"}
    same = [asked["hook"], asked["occurredAt"], context, asked["request"]]
    return hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()
