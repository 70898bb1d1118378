"""What each test of importing asks for: a text read in one go, told as lines and codes."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mymozhem_quiz.importing import read_questions

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def told() -> Callable[[str, str], list[tuple[int, str]]]:
    """Lines and codes of what is wrong with a text."""

    def read(text, format):
        return [(each.line, each.fault.code) for each in read_questions(text, format).faults]

    return read


@pytest.fixture
def questions() -> Callable[[str, str], list[dict]]:
    """The questions of a text in which nothing is wrong, without their ids."""

    def read(text, format):
        collected = read_questions(text, format)
        assert collected.faults == ()
        return [
            {name: value for name, value in each.question.items() if name != "id"}
            for each in collected.kept
        ]

    return read


@pytest.fixture
def trivia() -> Path:
    """The folder of questions as people wrote them; without it the test is skipped."""
    shared = os.environ.get("MYMOZHEM_SHARED_DATA") or ROOT.parent / "shared" / "data"
    folder = Path(shared) / "trivia"
    if not folder.is_dir():
        pytest.skip(f"no questions in {folder}")
    return folder


@pytest.fixture
def transport() -> str:
    """Importing is pure: no hook is asked here, so there is no transport to ask over."""
    return "inprocess"
