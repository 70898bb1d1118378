"""Texts of a manifest show what they say: titles, descriptions, labels and translations."""

from copy import deepcopy

import pytest

from mymozhem.manifests.validate import validate_manifest

MANIFEST = {
    "id": "stall",
    "meta": {"name": "Stall", "version": "1.0.0", "description": "Two lines,\nas they are."},
    "settings": {
        "type": "object",
        "properties": {
            "title": {"type": "string", "title": "Title", "default": " "},
            "size": {"enum": ["s", "l"], "x-ui": {"labels": {"s": "Small", "l": "Large"}}},
        },
    },
    "capabilities": ["actions"],
    "permissions": [],
    "actions": {"buy": {"title": "Buy", "confirm": "Buy it?"}},
    "events": {"stall:sold": {"title": "Sold"}},
    "locales": {"ar": {"/meta/name": "\u0643\u0634\u0643 \u200fA"}},
}

PLACES = [
    "/meta/name",
    "/meta/description",
    "/settings/properties/title/title",
    "/settings/properties/size/x-ui/labels/s",
    "/actions/buy/title",
    "/actions/buy/confirm",
    "/events/stall:sold/title",
    "/locales/ar/~1meta~1name",
]


def problems_with(place, text):
    document = deepcopy(MANIFEST)
    *path, last = [each.replace("~1", "/") for each in place[1:].split("/")]
    found = document
    for each in path:
        found = found[each]
    found[last] = text
    return {(each.pointer, each.code) for each in validate_manifest(document).problems}


def test_visible_text_is_accepted_in_any_direction():
    assert validate_manifest(MANIFEST).problems == ()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("hidden", ["\ufeff", "\u202e", "\u2066"])
def test_text_with_a_hidden_character_is_a_problem_at_its_place(place, hidden):
    assert (place, "TEXT_HIDDEN") in problems_with(place, f"Stall{hidden} 1")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("blank", [" ", "\n", "\u200b", "\u3164", "\ufeff"])
def test_text_of_blanks_alone_is_a_problem_at_its_place(place, blank):
    assert (place, "TEXT_BLANK") in problems_with(place, blank)
