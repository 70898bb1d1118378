# ruff: noqa: RUF001  letters that look alike
"""Files are read in the encoding that they have; a wrong guess is worse than none."""

import pytest

from mymozhem.rooms.core.uploaded_text import decode_text

FILES = [
    ("ru", "windows-1251", "имя;билеты\r\nИван Петров;3\r\nООО «Ромашка»;1"),
    ("uk", "windows-1251", "ім'я;квитки\r\nОлексій Їжак;1"),
    ("de-AT", "windows-1252", "Name;Lose\r\nJürgen Müller;3\r\nÖztürk;1"),
    ("fr", "windows-1252", "nom\r\nHélène Ève\r\nÀ la claire"),
    ("pl", "windows-1250", "imię\r\nŁukasz Żółć\r\nŚwiętosława"),
    ("cs", "windows-1250", "jméno\r\nJiří Dvořák"),
    ("hu", "windows-1250", "név\r\nGyőző Űrhajó"),
    ("tr", "windows-1254", "isim\r\nŞükrü Işık\r\nÇağla"),
    ("el", "windows-1253", "όνομα\r\nΕλένη Παπαδοπούλου"),
    ("he", "windows-1255", "שם\r\nשלום כהן"),
    ("ar", "windows-1256", "name\r\nمحمد علي"),
    ("lt", "windows-1257", "vardas\r\nŽydrūnas Šešelgis"),
]


@pytest.mark.parametrize(("locale", "page", "text"), FILES)
def test_every_encoding_of_a_spreadsheet_is_read(locale: str, page: str, text: str):
    assert decode_text(text.encode(page), locale=locale).text == text
    assert decode_text(text.encode(page), charset=page).text == text
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"):
        assert decode_text(text.encode(encoding), locale=locale).text == text


@pytest.mark.parametrize("text", [FILES[0][2], FILES[1][2]])
def test_cyrillic_is_recognized_in_a_room_of_the_default_language(text: str):
    found = decode_text(text.encode("windows-1251"), locale="en")
    assert (found.text, found.encoding) == (text, "windows-1251")


@pytest.mark.parametrize(
    ("data", "locale"),
    [
        ("Ελένη Παπαδοπούλου".encode("windows-1253"), "en"),
        ("שלום כהן".encode("windows-1255"), "en"),
        (b"\x00\x01\xff\x00\x02", "en"),
        (b"Bella\r\n\x81\x98\xff", "ru"),
    ],
)
def test_what_gives_no_words_is_not_guessed(data: bytes, locale: str):
    assert "\ufffd" in decode_text(data, locale=locale).text


@pytest.mark.parametrize("charset", ["zip", "rot13", "hex", "idna", "x", "", "unicode_escape"])
def test_only_encodings_of_text_can_be_named(charset: str):
    assert decode_text("Ünder".encode(), charset=charset).text == "Ünder"
