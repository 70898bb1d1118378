"""An event with six people, whose app draws as the test says."""

import pytest

from tests.support.apps.draw_app import DrawApp
from tests.support.draw_room import Event
from tests.support.host import make_host


@pytest.fixture
def app() -> DrawApp:
    return DrawApp()


@pytest.fixture
async def event(database, clock, tmp_path, app):
    host = await make_host(database, clock, tmp_path, {"drawer": app})
    room = await host.start("drawer")
    people = [joined.participant.id for joined in await host.guests(room, 6)]
    event = Event(host, room, people)
    yield event
    await event.jobs.stop()
    await host.services.dispatcher.close()
