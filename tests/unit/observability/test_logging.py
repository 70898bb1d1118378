"""Log lines carry the ids they belong to, in the form that was asked for, and never a secret."""

import json
import logging

import pytest
import structlog

from mymozhem.config import Settings
from mymozhem.observability.logging import HIDDEN, configure_logging

JSON = Settings(log_format="json", log_level="info")


@pytest.fixture
def written(capsys):
    """What goes to standard error; logging is as it was afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield lambda: capsys.readouterr().err
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.contextvars.clear_contextvars()


def lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_line_carries_the_ids_of_its_request_room_and_call(written):
    configure_logging(JSON)
    ids = {"request_id": "req_1", "room_id": "room_1", "call_id": "call_1"}
    with structlog.contextvars.bound_contextvars(**ids):
        structlog.stdlib.get_logger("mymozhem.test").info("drawn", winners=3)
        logging.getLogger("somebody.else").warning("as well")
    ours, theirs = lines(written())
    assert ids.items() <= ours.items()
    assert (ours["event"], ours["winners"], ours["level"]) == ("drawn", 3, "info")
    assert ids.items() <= theirs.items()
    assert (theirs["event"], theirs["logger"]) == ("as well", "somebody.else")


@pytest.mark.parametrize("name", ["password", "accessToken", "draw_secret", "Authorization"])
def test_what_is_named_like_a_secret_is_never_written(written, name):
    configure_logging(JSON)
    logger = structlog.stdlib.get_logger("mymozhem.test")
    logger.info("signed in", **{name: "hunter2"}, details={"inner": {name: "hunter2"}})
    text = written()
    (line,) = lines(text)
    assert line[name] == HIDDEN
    assert "hunter2" not in text


def test_a_traceback_shows_no_value_of_a_variable(written):
    configure_logging(JSON)
    logger = structlog.stdlib.get_logger("mymozhem.test")
    hunter = "2" * 8
    try:
        int(f"{hunter}x"[:0])
    except ValueError:
        logger.exception("broken")
    text = written()
    (line,) = lines(text)
    assert "ValueError" in line["exception"]
    assert hunter not in text


def test_less_severe_lines_are_left_out(written):
    configure_logging(JSON)
    structlog.stdlib.get_logger("mymozhem.test").debug("nothing happened")
    assert written() == ""


def test_people_get_text_without_colours_where_there_is_no_terminal(written):
    configure_logging(Settings(log_format="text"))
    structlog.stdlib.get_logger("mymozhem.test").info("drawn", winners=3)
    (line,) = written().splitlines()
    assert "drawn" in line
    assert "winners=3" in line
    assert "\x1b" not in line


def test_configured_twice_writes_once(written):
    configure_logging(JSON)
    configure_logging(JSON)
    structlog.stdlib.get_logger("mymozhem.test").info("drawn")
    assert len(lines(written())) == 1
