"""The quiz promises nothing that it cannot do yet."""

import jsonschema

import mymozhem_quiz as quiz
from mymozhem.contract import CONTRACT_VERSION, HOOKS, VersionRange

MANIFEST = quiz.app_manifest()


def test_it_takes_nothing_over_and_implements_nothing():
    assert MANIFEST["capabilities"] == []
    assert not any(hasattr(quiz, hook.name) for hook in HOOKS)


def test_it_says_that_the_game_is_still_to_come():
    assert "later version" in MANIFEST["meta"]["description"]


def test_it_speaks_this_contract():
    assert CONTRACT_VERSION in VersionRange.parse(MANIFEST["contract"])


def test_its_defaults_are_settings_that_it_accepts():
    properties = MANIFEST["settings"]["properties"]
    defaults = {name: said["default"] for name, said in properties.items()}
    jsonschema.validate(defaults, MANIFEST["settings"])


def test_every_text_is_there_in_english_and_russian():
    english, russian = MANIFEST["locales"]["en"], MANIFEST["locales"]["ru"]
    assert english["/meta/description"] == MANIFEST["meta"]["description"]
    assert english.keys() == russian.keys()
