"""People read every sentence in their room's language."""

import string

import pytest

from mymozhem_quiz.messages_en import ENGLISH, say
from mymozhem_quiz.messages_ru import RUSSIAN


def blanks(sentence):
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def test_both_languages_know_the_same_sentences():
    assert ENGLISH.keys() == RUSSIAN.keys()


@pytest.mark.parametrize("key", ENGLISH)
def test_both_languages_leave_the_same_blanks(key):
    assert blanks(ENGLISH[key]) == blanks(RUSSIAN[key])


@pytest.mark.parametrize(
    ("locale", "language"), [("en", ENGLISH), ("ru-RU", RUSSIAN), ("fr", ENGLISH)]
)
def test_the_room_chooses_the_language(room, locale, language):
    assert say(room(locale=locale).context(), "TRUE") == language["TRUE"]
