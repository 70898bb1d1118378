"""Which transport a call takes: by where the code is that answers for the version."""

from mymozhem.config import Settings
from mymozhem.contract.signing import SharedKey
from mymozhem.dispatch import Dispatcher, FailureKind
from mymozhem.dispatch.transports.base import Reply
from mymozhem.registry.endpoint import Endpoint
from tests.support.timing import LoadTolerantClock
from tests.unit.dispatch.conftest import DispatchHost, FakeApps


async def test_isolated_code_is_out_of_reach_for_a_process_without_workers(host):
    host.add(None)
    host.apps.isolated["counter"] = object()
    outcome = await host.ask()
    assert outcome.failure.kind is FailureKind.NO_CODE
    assert "in an environment of its own, and this process reaches none" in outcome.failure.message


class Wire:
    """Notes what it carries."""

    def __init__(self):
        self.calls = []

    async def send(self, call):
        self.calls.append(call)
        return Reply(b'{"effects": []}')

    async def close(self):
        """Hold nothing."""


async def test_each_version_is_asked_where_its_code_is():
    apps, remote, isolated = FakeApps(), Wire(), Wire()
    settings = Settings(_env_file=None)
    dispatcher = Dispatcher(apps, LoadTolerantClock(), settings, remote=remote, isolated=isolated)
    host = DispatchHost(apps, dispatcher)
    for app_id in ("apart", "far"):
        host.add(None, app_id)
    key = SharedKey(bytes(32))
    apps.isolated["apart"] = object()
    apps.endpoints["far"] = Endpoint("https://app.example", (key,), key)
    await host.ask("apart")
    await host.ask("far")
    assert [call.app.app_id for call in isolated.calls] == ["apart"]
    assert [call.app.app_id for call in remote.calls] == ["far"]
    await dispatcher.close()
