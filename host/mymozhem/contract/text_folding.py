"""Compare texts as people type them: what keyboards and autocorrection substitute is equal.

`fold_text` returns a text in its form for comparison. The host folds submissions and rules with it,
and an app that compares texts itself can call it too. The section "Folded texts" of
`docs/reference/contract.md` describes it for authors who use other languages.
"""

import re
import unicodedata

#: characters that nobody sees: soft hyphens, joiners, marks of direction, variants of emoji. The
#: tag characters are not among them, because they tell flags apart.
_INVISIBLE = (
    "\u00ad\u034f\u061c\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    "\ufe00-\ufe0f\ufeff"
)
#: marks that are rarely typed: Hebrew points, Arabic vowels and lengthening
_RARELY_TYPED = "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0640\u064b-\u0652\u0670"
_DROPPED = re.compile(f"[{_INVISIBLE}{_RARELY_TYPED}]")

#: a sign or letter, and the characters that stand for it on other keyboards
_SAME = {
    "'": "`\u2018\u2019\u201a\u201b\u2032\u2035\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u02c8\ua78c"
    "\u055a\u05f3\u275b\u275c",
    '"': "\u201c\u201d\u201e\u201f\u00ab\u00bb\u05f4\u301d\u301e\u301f\u275d\u275e",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u02d7\u2043\u05be\u1806\u2e3a\u2e3b",
    ".": "\u3002\u06d4\u0964\u0589\u066b",
    ",": "\u3001\u060c\u066c",
    ";": "\u061b",
    "?": "\u061f",
    "%": "\u066a",
    "/": "\u2044\u2215\u00f7",
    ":": "\u2236",
    "~": "\u301c",
    "\u00b7": "\u2022\u2219\u22c5\u2027\u30fb",
    "x": "\u00d7\u2715\u2a2f",
    "...": "\u22ef",
    "o": "\u00b0",  # typed as the ordinal sign of Spanish keyboards, which NFKC makes an o
    "i": "\u0131",  # the Turkish letter without a dot
    "\u0435": "\u0451",  # Cyrillic ie and io
    "\u0627": "\u0622\u0623\u0625\u0671",  # alef
    "\u064a": "\u0649\u06cc",  # yeh, as Arabic and as Persian keyboards have it
    "\u0643": "\u06a9",  # kaf
    "\u0647": "\u0629\u06c1\u06c2\u06c3",  # heh
    "\u0219": "\u015f",  # Romanian s and t, with the cedilla of old keyboards
    "\u021b": "\u0163",
}
_TABLE = str.maketrans({other: sign for sign, others in _SAME.items() for other in others})

#: what NFKC makes of an acute accent and of a ring that stand alone
_ALONE = ((re.compile(r"(?:^|\s)\u0301"), "'"), (re.compile(r"(?:^|\s)\u030a"), "o"))

#: signs that several characters stand for
_SPELLED = (
    (re.compile("''+"), '"'),
    (re.compile("--+"), "-"),  # autocorrection makes a long dash of it
    (re.compile("i\u0307"), "i"),  # the Turkish capital letter with its dot
    (re.compile("(?<=[\u0400-\u04ff])[\u0300\u0301]"), ""),  # signs of stress
)

#: A double tap on the space bar puts a full stop behind the last word.
_LAST_STOP = re.compile(r"(?<=\w)\.$")

#: The letters with marks that have a key of their own on the language's keyboards. People type the
#: other ones without their marks, so these are compared without them; in a language that is not
#: listed, all marks count.
_OWN_LETTERS = {
    "az": "\u00e7\u011f\u00f6\u0219\u00fc",
    "bs": "\u010d\u0107\u0111\u0161\u017e",
    "ca": "\u00e7",
    "cs": "",
    "da": "\u00e6\u00f8\u00e5",
    "de": "\u00e4\u00f6\u00fc",
    "en": "",
    "es": "\u00f1",
    "et": "\u00f5\u00e4\u00f6\u00fc",
    "fi": "\u00e5\u00e4\u00f6",
    "fr": "",
    "ga": "",
    "gl": "\u00f1",
    "hr": "\u010d\u0107\u0111\u0161\u017e",
    "hu": "\u00e1\u00e9\u00ed\u00f3\u00f6\u0151\u00fa\u00fc\u0171",
    "id": "",
    "it": "",
    "lt": "",
    "lv": "",
    "ms": "",
    "nb": "\u00e6\u00f8\u00e5",
    "nl": "",
    "nn": "\u00e6\u00f8\u00e5",
    "no": "\u00e6\u00f8\u00e5",
    "pl": "",
    "pt": "",
    "ro": "",
    "sk": "",
    "sl": "\u010d\u0161\u017e",
    "sv": "\u00e5\u00e4\u00f6",
    "tr": "\u00e7\u011f\u00f6\u0219\u00fc",
}

#: letters without a decomposition, as people without that key type them
_PLAIN = {
    "\u00e6": "ae", "\u0153": "oe", "\u00f8": "o", "\u0142": "l", "\u0111": "d", "\u00f0": "d",
    "\u00fe": "th", "\u0127": "h", "\u0167": "t",
}  # fmt: skip

_GERMAN = str.maketrans({"\u00e4": "ae", "\u00f6": "oe", "\u00fc": "ue"})
_NORDIC = str.maketrans(
    {"\u00e5": "aa", "\u00e6": "ae", "\u00e4": "ae", "\u00f8": "oe", "\u00f6": "oe"}
)
_SWEDISH = str.maketrans({"\u00e6": "\u00e4", "\u00f8": "\u00f6"})

#: how people of a language write letters of it, or of its neighbours, on another keyboard
_WRITTEN: dict[str, dict[int, str]] = {
    "de": _GERMAN,
    "da": _NORDIC,
    "nb": _NORDIC,
    "nn": _NORDIC,
    "no": _NORDIC,
    "sv": _SWEDISH,
    "fi": _SWEDISH,
    "ru": {0x44A: "\u044c"},  # the hard sign is behind the soft one
    "uk": {0x491: "\u0433"},  # ghe with upturn is behind ghe
}

#: a text of which nothing but case and spaces is folded in any language
_PLAIN_TEXT = re.compile(r"[\w ]*", re.ASCII)

#: as in the stream-safe format of Unicode (UAX 15)
_MOST_MARKS = 30

_FRENCH_SPACE = re.compile(" (?=[;:!?\u00bb])|(?<=\u00ab) ")
_ITALIAN_ACCENT = re.compile(r"(?<=[aeiou])'(?!\w)")
_TONES = "\u0300\u0301\u0303\u0309\u0323"
_WORD = re.compile(r"\w+")

#: a letter that may have marks, with those that no letter includes
_MARKED = re.compile("[a-z][\u0300-\u036f]+|[\u00c0-\u03ff\u1e00-\u1fff][\u0300-\u036f]*")
_DIGIT = re.compile("(?![0-9])\\d")

_GREEK = re.compile("[\u0370-\u03ff\u1f00-\u1fff]")
_CYRILLIC = re.compile("[\u0400-\u04ff]")
_LATIN = re.compile("[a-z]")
_LOOKS_LATIN = dict(zip("авекмнорстухіјѕ", "abekmhopctyxijs", strict=True))
_TO_LATIN = str.maketrans(_LOOKS_LATIN)
_TO_CYRILLIC = str.maketrans(
    {latin: cyrillic for cyrillic, latin in _LOOKS_LATIN.items() if cyrillic not in "іјѕ"}  # noqa: RUF001  they look alike
)


def fold_text(text: str, locale: str = "") -> str:
    """Return a text in its form for comparison, by the language of the locale.

    Two texts are equal if their forms are. Case, spaces, characters that nobody sees, and the kinds
    of quotes, apostrophes, dashes and digits do not count; nor do marks on letters, as far as
    people of that language leave them out. Idempotent.
    """
    language = re.split("[-_]", locale.casefold(), maxsplit=1)[0]
    if text.isascii() and _PLAIN_TEXT.fullmatch(text):  # most texts, without the long way
        return " ".join(text.lower().split())
    folded = _DROPPED.sub("", _compatible(_bounded(text)))
    for alone, sign in _ALONE:
        folded = alone.sub(sign, folded)
    folded = " ".join(folded.split())
    if language == "fr":  # French keyboards put spaces inside quotes and before these signs
        folded = _FRENCH_SPACE.sub("", folded)
    folded = _compatible(folded).translate(_TABLE)
    for spelled, sign in _SPELLED:
        folded = spelled.sub(sign, folded)
    if not folded.isascii():
        folded = _letters(unicodedata.normalize("NFC", folded), language)
    if language == "it":  # an apostrophe behind the letter is the accent of capital letters
        folded = _ITALIAN_ACCENT.sub("", folded)
    return _LAST_STOP.sub("", " ".join(folded.split()))


def _bounded(text: str) -> str:
    """Return a text with at most 30 marks in a row: to put n of them in order takes n² steps."""
    if len(text) <= _MOST_MARKS:
        return text
    kept: list[str] = []
    marks = 0
    for one in text:
        marks = marks + 1 if unicodedata.combining(one) else 0
        if marks <= _MOST_MARKS:
            kept.append(one)
    return "".join(kept)


def _compatible(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _letters(text: str, language: str) -> str:
    """Return a text whose digits are plain, and whose letters are those that people type."""
    text = _DIGIT.sub(lambda found: str(unicodedata.decimal(found[0])), text)
    if language in _WRITTEN:
        text = text.translate(_WRITTEN[language])
    if language == "vi":
        text = _WORD.sub(_tone_last, text)
    own = _OWN_LETTERS.get(language)
    text = _MARKED.sub(lambda found: _plain(found[0], own), text)
    return _WORD.sub(_one_script, text) if _CYRILLIC.search(text) else text


def _plain(marked: str, own: str | None) -> str:
    """Return a letter without the marks that people leave out."""
    letter = unicodedata.normalize("NFD", marked)[0]
    if _GREEK.match(letter):
        return letter  # capital letters have no marks
    if own is None or marked[0] in own:
        return marked
    letter = _PLAIN.get(letter, letter)
    return letter if _LATIN.match(letter) else marked


def _tone_last(word: re.Match[str]) -> str:
    """Return a Vietnamese word with its tone at the end: keyboards put it on different vowels."""
    parts = unicodedata.normalize("NFD", word[0])
    rest = "".join(one for one in parts if one not in _TONES)
    return unicodedata.normalize("NFC", rest + "".join(one for one in parts if one in _TONES))


def _one_script(word: re.Match[str]) -> str:
    """Return a word in one script, if letters that look alike are all that mixes it.

    Somebody with a Cyrillic keyboard writes CO and BBC, or a C behind a Russian word, in Cyrillic.
    """
    found = word[0]
    latin = found.translate(_TO_LATIN)
    if not _CYRILLIC.search(latin):
        return latin
    cyrillic = found.translate(_TO_CYRILLIC)
    return found if _LATIN.search(cyrillic) else cyrillic
