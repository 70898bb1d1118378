"""JSON Pointers are written and followed as RFC 6901 says."""

import pytest

from mymozhem.manifests.json_pointer import find, parts, pointer

#: the document and the pointers of RFC 6901, section 5
DOCUMENT = {
    "foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, 'k"l': 6,
    " ": 7, "m~n": 8,
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", DOCUMENT), ("/foo", ["bar", "baz"]), ("/foo/0", "bar"), ("/", 0), ("/a~1b", 1),
        ("/c%d", 2), ("/e^f", 3), ("/g|h", 4), ("/i\\j", 5), ('/k"l', 6), ("/ ", 7), ("/m~0n", 8),
    ],
)  # fmt: skip
def test_a_pointer_finds_its_place(text, found):
    assert find(DOCUMENT, text) == found
    assert pointer(parts(text)) == text


@pytest.mark.parametrize("text", ["/bar", "/foo/2", "/foo/-1", "/foo/00", "/foo/²", "/foo/0/x"])
def test_a_pointer_to_nothing_finds_nothing(text):
    with pytest.raises(KeyError):
        find(DOCUMENT, text)


def test_what_does_not_start_with_a_slash_is_no_pointer():
    with pytest.raises(ValueError, match="slash"):
        find(DOCUMENT, "foo")
