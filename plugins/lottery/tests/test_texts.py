"""People read every sentence in their room's language."""

import string

import pytest

from mymozhem_lottery.messages_en import ENGLISH, say
from mymozhem_lottery.messages_ru import RUSSIAN


def blanks(sentence):
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def test_both_languages_know_the_same_sentences():
    assert ENGLISH.keys() == RUSSIAN.keys()


@pytest.mark.parametrize("key", ENGLISH)
def test_both_languages_leave_the_same_blanks(key):
    assert blanks(ENGLISH[key]) == blanks(RUSSIAN[key])


@pytest.mark.parametrize(
    ("locale", "sentence"),
    [
        ("en", "Left out: 3."),
        ("ru", RUSSIAN["rule.left_out"].format(count=3)),
        ("ru-RU", RUSSIAN["rule.left_out"].format(count=3)),
        ("fr", "Left out: 3."),
    ],
)
def test_the_room_chooses_the_language(context, locale, sentence):
    assert say(context(locale=locale), "rule.left_out", count=3) == sentence


def test_without_a_room_it_is_english(context):
    nowhere = context().model_copy(update={"room": None})
    assert say(nowhere, "TICKETS_GONE") == ENGLISH["TICKETS_GONE"]
