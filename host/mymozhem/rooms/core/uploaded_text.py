"""Decode uploaded text: UTF-8, UTF-16, or the code page of the room's language.

Spreadsheets store "Unicode text" as UTF-16, and CSV in the code page that Windows has for the
language of the computer. Guessing is kept to what can be checked: a code page is used only if every
word that it gives is written in one script, and in its own case.
"""

import codecs
import re
from dataclasses import dataclass
from itertools import pairwise

UTF_8 = "utf-8"

_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: UTF_8,
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}

#: the code page of Windows by language; Western European for all others
_PAGES = {
    language: page
    for page, languages in {
        "windows-1250": "bs cs hr hu pl ro sk sl sq",
        "windows-1251": "be bg kk ky mk ru sr tg uk",
        "windows-1253": "el",
        "windows-1254": "az tr",
        "windows-1255": "he",
        "windows-1256": "ar fa ur",
        "windows-1257": "et lt lv",
        "windows-1258": "vi",
    }.items()
    for language in languages.split()
}
_WESTERN, _CYRILLIC = "windows-1252", "windows-1251"
_LATIN_PAGES = frozenset(
    ["windows-1250", "windows-1252", "windows-1254", "windows-1257", "windows-1258"]
)

#: the encodings that a Content-Type may name
_KNOWN = re.compile(
    "utf-?8|utf-?16(le|be)?|(windows-|cp)125[0-8]|iso-?8859-[0-9]{1,2}|latin-?1|koi8-[ru]|"
    "cp(437|850|852|855|857|866)|mac-?(roman|cyrillic)|us-ascii|ascii|shift_jis|gbk|gb18030|big5|"
    "euc-(jp|kr)"
)
#: zero bytes from which on they are no accident: every column has a name
_ENOUGH = 3
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_WORD = re.compile(r"[^\W\d_]+")
#: what a code page has beside letters: quotes, dashes, currencies; no control characters
_SIGNS = frozenset(
    "\u00a0\u00ab\u00bb\u2018\u2019\u201a\u201c\u201d\u201e\u2013\u2014\u2026\u2022\u2116\u00a7\u00b0\u00a9\u00ae"
    "\u2122\u20ac\u00a3\u00b1\u00b7\u00b2\u00b3\u00bf\u00a1\u00bd\u00bc\u00be\u00b4\u00a5"
)


@dataclass(frozen=True)
class UploadedText:
    """Uploaded text, and the encoding by which it was read."""

    text: str
    encoding: str


def decode_text(data: bytes, *, charset: str | None = None, locale: str = "") -> UploadedText:
    """Return uploaded bytes as text; bytes that have no meaning become U+FFFD.

    A byte order mark decides, then a known `charset`, then UTF-8 if the bytes are UTF-8, then the
    code page of the language if it gives words.
    """
    encoding = _marked(data) or _zeros(data) or _named(charset)
    if encoding is None:
        encoding = UTF_8 if _is_utf_8(data) else _code_page(data, locale)
    text = data.decode(encoding, errors="replace")
    return UploadedText(text.removeprefix("\ufeff"), encoding)


def _marked(data: bytes) -> str | None:
    return next((name for mark, name in _BYTE_ORDER_MARKS.items() if data.startswith(mark)), None)


def _zeros(data: bytes) -> str | None:
    """Return the UTF-16 that text with zero bytes is in: its digits and separators have them."""
    high, low = data[::2].count(0), data[1::2].count(0)
    if len(data) % 2 or max(high, low) < _ENOUGH or min(high, low):
        return None
    return "utf-16-be" if high > low else "utf-16-le"


def _named(charset: str | None) -> str | None:
    """Return the encoding that a Content-Type names, unless UTF-8, which is checked anyway."""
    name = (charset or "").strip().strip('"').lower()
    if not _KNOWN.fullmatch(name) or codecs.lookup(name).name == UTF_8:
        return None
    return codecs.lookup(name).name


def _is_utf_8(data: bytes) -> bool:
    try:
        data.decode(UTF_8)
    except UnicodeDecodeError:
        return False
    return True


def _code_page(data: bytes, locale: str) -> str:
    """Return the code page that gives words; UTF-8 if none does.

    Cyrillic is tried for other languages too: the language of a room is often the default one.
    """
    own = _PAGES.get(re.split("[-_]", locale.lower(), maxsplit=1)[0], _WESTERN)
    if _gives_words(data, own):
        return own
    if own not in _LATIN_PAGES:
        return _WESTERN if _gives_words(data, _WESTERN) else UTF_8
    return _CYRILLIC if _gives_words(data, _CYRILLIC) and _has_capitals(data) else UTF_8


def _gives_words(data: bytes, page: str) -> bool:
    try:
        text = data.decode(page)
    except UnicodeDecodeError:
        return False
    if _CONTROL.search(text) or any(
        not one.isascii() and not one.isalpha() and one not in _SIGNS for one in set(text)
    ):
        return False
    words = [found[0] for found in _WORD.finditer(text) if not found[0].isascii()]
    if page in _LATIN_PAGES:
        return _are_latin(words)
    return all(map(_is_of_one_script, words))


def _are_latin(words: list[str]) -> bool:
    """Return whether words have enough plain letters: no language has marks on most of them."""
    longer = "".join(word for word in words if len(word) > 1)
    return sum(one.isascii() for one in longer) * 3 >= len(longer)


def _is_of_one_script(word: str) -> bool:
    """Return whether a word has no plain letters, and no capital letter behind a small one."""
    if any(one.isascii() for one in word):
        return False
    return not any(a.islower() and b.isupper() for a, b in pairwise(word))


def _has_capitals(data: bytes) -> bool:
    """Return whether a Cyrillic text has capital letters; other alphabets have none there."""
    return any(one.isupper() and not one.isascii() for one in data.decode(_CYRILLIC))
