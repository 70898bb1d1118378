# ruff: noqa: RUF001  characters that look alike are what is tested
"""Texts are equal if keyboards, autocorrection or habit make the difference, and only then."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mymozhem.contract import fold_text

SAME = [
    ("", "Rock 'n' Roll", "Rock ’n’ Roll", "rock ‘n’ roll", "Rock ´n´ Roll", "Rock `n` Roll"),
    ("", "'n Sync", "´n Sync", "ʼn sync"),
    ("", "Jean-Paul", "Jean‐Paul", "Jean‑Paul", "Jean–Paul", "Jean—Paul", "jean--paul"),
    ("", "−5", "-5", "–5"),
    ("", "Королёв", "Королев", "КОРОЛЁВ", "Короле\u0308в"),
    ("", '"x"', "“x”", "„x“", "«x»", "‟x”", "''x''", "＂x＂"),
    ("", "Wait...", "Wait…", "wait⋯"),
    ("", "New York", "new\u00a0york", " New\u202fYork ", "New \u200bYork", "New\u3000 York. "),
    ("", "cooperate", "co\u00adoperate"),
    ("", "5' 3\"", "5′ 3″", "5’ 3”"),
    ("", "123", "١٢٣", "۱۲۳", "１２３", "१२३"),
    ("", "½", "1/2", "1⁄2"),
    ("", "20 °C", "20 ºC", "20 ˚C"),
    ("", "3x4", "3×4", "3х4"),
    ("", "Istanbul", "İstanbul", "ıstanbul", "ISTANBUL"),
    ("", "Αθήνα", "ΑΘΗΝΑ", "αθηνα"),
    ("", "علي", "علی", "على"),
    ("", "أحمد", "احمد", "أَحْمَد"),
    ("", "כתב 'ה", "כתב ׳ה"),
    ("", 'צה"ל', "צה״ל", "צה”ל"),
    ("", "שלום", "שָׁלוֹם"),
    ("", "تهران؟", "تهران?"),
    ("", "北京。", "北京."),
    ("", "Леонардо·да·Винчи", "Леонардо・да・Винчи", "Леонардо•да•Винчи"),
    ("", "❤️", "❤"),
    ("", "ВВС", "BBC"),
    ("", "Витамин С", "витамин C"),
    ("", "Москва", "Mосква", "Москва\u0301"),
    ("uk", "м'ята", "мʼята", "м’ята", "м`ята"),
    ("uk", "ґанок", "ганок"),
    ("ru", "подъезд", "подьезд"),
    ("de", "Müller", "Mueller", "MÜLLER", "Mu\u0308ller"),
    ("de-AT", "Straße", "STRASSE", "strasse"),
    ("de", "Café", "cafe"),
    ("da", "Århus", "Aarhus"),
    ("nb", "Tromsø", "Tromsoe", "Tromsö"),
    ("sv", "Öresund", "Øresund"),
    ("en", "Beyoncé", "Beyonce", "BEYONCÉ"),
    ("en", "Łódź", "Lodz"),
    ("en-GB", "Ångström", "angstrom"),
    ("es", "Málaga", "Malaga"),
    ("fr", "Quoi ?", "Quoi\u202f?", "quoi?"),
    ("fr", "« Les Misérables »", "«Les Miserables»", '"Les Misérables"', "“les misérables”"),
    ("it", "È", "E'", "e’"),
    ("it", "città", "citta'"),
    ("pt-BR", "São Paulo", "Sao Paulo"),
    ("ro", "București", "Bucureşti", "Bucuresti"),
    ("vi", "hoà", "hòa"),
]  # fmt: skip

DIFFERENT = [
    ("", "café", "cafe"),
    ("", "мой", "мои"),
    ("", "кит", "kit"),
    ("", "А", "Б"),
    ("", "-5", "5"),
    ("", "1.5", "15"),
    ("", "C++", "C"),
    ("", "Jean-Paul", "Jean Paul"),
    ("", "'x'", '"x"'),
    ("", "Paris?", "Paris"),
    ("", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"),
    ("de", "schön", "schon"),
    ("es", "año", "ano"),
    ("sv", "får", "far"),
    ("tr", "göl", "gol"),
    ("hr", "čaša", "casa"),
    ("vi", "ma", "má"),
    ("uk", "їжак", "іжак"),
]

PAIRS = [(locale, first, other) for locale, first, *others in SAME for other in others]


@pytest.mark.parametrize(("locale", "one", "other"), PAIRS)
def test_what_keyboards_substitute_is_equal(locale: str, one: str, other: str):
    assert fold_text(one, locale) == fold_text(other, locale)


@pytest.mark.parametrize(("locale", "one", "other"), DIFFERENT)
def test_what_is_another_answer_stays_different(locale: str, one: str, other: str):
    assert fold_text(one, locale) != fold_text(other, locale)


LETTERS = st.characters(exclude_categories=["Cs"]) | st.sampled_from(
    "'`´˚°.-–—ıİéёЕавекнхABehxX «»!? \u0301\u0308\u030a\u200d\u0640\u064b\u0654اأ١½…⋯ｧハ\u3099ṩΆΐ"
)
LOCALES = st.sampled_from(["", "en", "de", "fr", "it", "vi", "ru", "tr", "da", "es"])


@settings(max_examples=200)
@given(st.text(LETTERS, max_size=10), LOCALES)
def test_folding_is_idempotent_and_ignores_forms(text: str, locale: str):
    folded = fold_text(text, locale)
    assert fold_text(folded, locale) == folded
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert fold_text(unicodedata.normalize(form, text), locale) == folded


def test_a_long_run_of_marks_is_cut():
    marks = "\u0345\u0301\u0323" * 10_000  # to put them in order would take minutes
    assert len(fold_text("a" + marks)) <= 100
