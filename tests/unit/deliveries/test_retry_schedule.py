"""When a delivery is tried again: the operator's waits, and what a manifest may say."""

import pytest

from mymozhem.config import Settings
from mymozhem.deliveries.retry_schedule import LONGEST, Schedule, Schedules
from mymozhem.errors import NotFound
from mymozhem.manifests.model import Manifest


@pytest.mark.parametrize(
    ("schedule", "waits"),
    [
        (Schedule(), [30, 600, None]),
        (Schedule(1), [None]),
        (Schedule(4, 10, 2, "exponential"), [10, 20, 40, None]),
        (Schedule(4, 10, 2, "linear"), [10, 20, 30, None]),
        (Schedule(4, 10, 2, "fixed"), [10, 10, 10, None]),
        (Schedule(5), [30, 600, LONGEST, LONGEST, None]),
        (Schedule(3, 0), [0, 0, None]),
    ],
)
def test_waits_grow_as_the_schedule_says_and_end_with_the_last_attempt(schedule, waits):
    assert [schedule.wait(number, chance=0) for number in range(1, len(waits) + 1)] == waits


def test_jitter_makes_a_wait_longer_by_a_fifth_at_most():
    assert Schedule().wait(1, chance=1) == 36
    assert Schedule().wait(1, chance=0.5) == 33


class Shelf:
    def __init__(self, webhooks):
        document = {
            "meta": {"name": "A", "version": "1.0.0", "description": "An app."},
            "baseUrl": "https://a.example.com",
            "capabilities": ["analytics"],
            "permissions": [],
            "webhooks": webhooks,
        }
        self._manifest = Manifest.of(document, registered_as="a")

    def manifest(self, app_id, version):
        if (app_id, version) != ("a", "1.0.0"):
            message = "no such app"
            raise NotFound(message)
        return self._manifest


@pytest.mark.parametrize(
    ("webhooks", "found"),
    [
        ("/all", Schedule(3)),
        ({"analytics": "/events"}, Schedule(3)),
        ({"analytics": {"path": "/e"}}, Schedule(3)),
        ({"analytics": {"path": "/e", "retry": {"enabled": False}}}, Schedule(1)),
        ({"analytics": {"path": "/e", "retry": {"enabled": True}}}, Schedule(3)),
        ({"analytics": {"path": "/e", "retry": {"maxAttempts": 7}}}, Schedule(7)),
        (
            {"analytics": {"path": "/e", "retry": {"maxAttempts": 5, "backoff": "linear"}}},
            Schedule(5, backoff="linear"),
        ),
        (
            {"analytics": {"path": "/e", "retry": {"backoff": "fixed"}}},
            Schedule(3, backoff="fixed"),
        ),
    ],
)
def test_a_manifest_says_how_often_and_how_its_deliveries_are_tried(webhooks, found):
    assert Schedules(Shelf(webhooks), Settings()).of("a", "1.0.0", "analytics") == found


def test_the_operator_says_what_a_manifest_does_not():
    settings = Settings(delivery_attempts=2, delivery_wait_seconds=5, delivery_wait_growth=3)
    of = Schedules(Shelf("/all"), settings).of
    assert of("a", "1.0.0", "analytics") == of("gone", "1.0.0", "analytics") == Schedule(2, 5, 3)
