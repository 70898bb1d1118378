"""Whatever an app raises, it is logged as a text of a bounded length."""

import json
import logging
import sys
from io import StringIO

import pytest
import structlog

from mymozhem.config import Settings
from mymozhem.observability.exception_text import (
    FIRST_FRAMES,
    LAST_FRAMES,
    MAX_EXCEPTIONS,
    MAX_MESSAGE,
    MAX_TEXT,
    exception_text,
)
from mymozhem.observability.logging import configure_logging


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no")


def deep(levels: int) -> None:
    if levels:
        deep(levels - 1)
    else:
        raise ValueError("at the bottom")


def fail(message: str) -> None:
    raise ValueError(message)


def chained(count: int) -> Exception:
    error = ValueError("link 0")
    for number in range(1, count):
        later = ValueError(f"link {number}")
        later.__cause__ = error
        error = later
    return error


def group(width: int, depth: int) -> Exception:
    if not depth:
        return ValueError("inside")
    return ExceptionGroup("a group", [group(width, depth - 1) for _ in range(width)])


def text_of(error: BaseException) -> str:
    return exception_text((type(error), error, error.__traceback__))


def raised(levels: int) -> ValueError:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  the text is what is tested
        deep(levels)
    return caught.value


def test_a_short_traceback_is_as_python_writes_it():
    text = text_of(raised(1))
    assert text.startswith("Traceback (most recent call last):\n")
    assert text.endswith("ValueError: at the bottom")
    assert "left out" not in text


def test_both_ends_of_a_deep_traceback_are_shown():
    text = text_of(raised(500))
    assert "frames are left out" in text
    assert "in raised" in text
    assert "ValueError: at the bottom" in text
    assert text.count("  File ") <= FIRST_FRAMES + LAST_FRAMES


def test_the_message_and_the_notes_are_cut():
    error = ValueError("a" * 10_000_000 + "end")
    error.__notes__ = ["n" * 1_000_000] * 100
    text = text_of(error)
    assert len(text) < 2 * MAX_MESSAGE * (MAX_EXCEPTIONS + 1)
    assert "characters left out" in text
    assert "aaend" in text


def test_a_chain_is_cut_and_may_be_a_circle():
    text = text_of(chained(10_000))
    assert text.count("link ") == MAX_EXCEPTIONS
    assert text.endswith("link 9999")
    assert "earlier exceptions are left out" in text
    circle = ValueError("round")
    circle.__cause__ = circle
    assert text_of(circle).count("round") == 1


def test_cause_and_context_are_named():
    try:
        try:
            dict[str, int]().__getitem__("first")
        except KeyError as first:
            raise ValueError("second") from first
    except ValueError as second:
        text = text_of(second)
    assert text.index("KeyError: 'first'") < text.index("direct cause") < text.index("second")


def test_a_group_is_cut_in_width_and_depth():
    text = text_of(group(30, 3))
    assert text.count("Exception ") <= MAX_EXCEPTIONS + 2
    assert "more exceptions of the group are left out" in text


def test_an_exception_without_a_readable_message_is_named():
    assert text_of(Mute()).endswith("Mute: <the exception has no readable message>")


@pytest.mark.parametrize("form", ["json", "text"])
def test_every_logger_writes_bounded_lines(form, monkeypatch):
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    written = StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    configure_logging(Settings(log_format=form, log_level="info"))
    huge = "x" * 10_000_000
    try:
        for logger in (structlog.stdlib.get_logger("ours"), logging.getLogger("theirs")):
            try:
                fail(huge)
            except ValueError:
                logger.exception(huge)
        structlog.stdlib.get_logger("ours").info("said", text=huge, inner={"text": huge})
        logging.getLogger("theirs").error(
            "nothing was raised",
            exc_info=True,  # noqa: LOG014  a library may do that
        )
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    text = written.getvalue()
    assert text.count("ValueError: xxx") == 2
    assert len(text) < 6 * MAX_TEXT
    if form == "json":
        assert [json.loads(line)["level"] for line in text.splitlines()] == [
            "error", "error", "info", "error",
        ]  # fmt: skip
