"""What a host hands over to a worker, and what it never shows."""

import os

import pytest

from mymozhem.isolation.protocol import WorkerConfig

ORDERS = WorkerConfig(
    app_id="counter",
    distribution="acme-counter",
    version="1.0.0",
    folder="/tmp/own",
    secret="whsec_secret",
    memory_bytes=1,
    body_bytes=2,
)


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)


def test_orders_are_read_as_they_were_written_and_what_follows_is_left(pipe):
    reading, writing = pipe
    os.write(writing, ORDERS.line() + b"rest")
    os.close(writing)
    assert WorkerConfig.read(reading) == ORDERS
    assert os.read(reading, 10) == b"rest"


@pytest.mark.parametrize("said", [b"", b"{", b"x" * 60_000, b"[]\n", b"nonsense\n", b"{}\n"])
def test_whoever_starts_the_program_by_hand_is_told(pipe, said):
    reading, writing = pipe
    os.write(writing, said)
    os.close(writing)
    with pytest.raises((ValueError, TypeError)):
        WorkerConfig.read(reading)


def test_a_secret_stands_in_no_text_of_the_orders():
    assert "secret" not in repr(ORDERS)
    assert ORDERS.socket == "/tmp/own/app.sock"
