"""Every message about unusable questions, in English; `messages_ru` has the same ones."""

from .messages_ru import RUSSIAN

_SHOWN = 60

ENGLISH = {
    # a question of any format
    "NOT_A_QUESTION": "This is no question: write an object with type, text and the answer.",
    "UNKNOWN_FIELD": "A question has no field “{field}”: check the spelling, or remove it.",
    "FIELD_NOT_FOR_TYPE": "“{field}” is not for questions of type {type}: remove it, or change the"
    " type.",
    "BAD_TYPE": "“{found}” is no type of question: write single, multiple, boolean, number, text"
    " or order.",
    "NOT_TEXT": "“{field}” must be a text.",
    "NOT_NUMBER": "“{field}” must be a number.",
    "NOT_WHOLE": "“{field}” must be a whole number.",
    "NOT_BOOLEAN": "“{field}” must be true or false.",
    "NOT_LIST": "“{field}” must be a list.",
    "NOT_OBJECT": "“{field}” must be an object.",
    "OUT_OF_RANGE": "“{field}” must be from {least} to {most}.",
    "EMPTY_QUESTION": "The question has no text: write it, or remove the question.",
    "EMPTY_TEXT": "“{field}” is empty: write something, or remove it.",
    "EMPTY_OPTION": "This option is empty: write something, or remove it.",
    "TEXT_TOO_LONG": "“{field}” has {length} characters, {limit} are allowed: shorten it.",
    "BAD_ENCODING": "A character here was lost on the way: save the file as UTF-8, or type the"
    " character again.",
    "CONTROL_CHARACTER": "An invisible control character ({name}) is in “{field}”: delete it.",
    "TOO_FEW_OPTIONS": "The question has {found} options and needs {least} at least: add some.",
    "TOO_MANY_OPTIONS": "The question has {found} options, {most} are allowed: remove some.",
    "DUPLICATE_OPTION": "The option “{option}” is there twice: change or remove one of them.",
    "NO_ANSWER": "The right answer is missing: say which one it is.",
    "SEVERAL_ANSWERS": "More than one answer is marked as right: leave one.",
    "TOO_MANY_ACCEPTED": "{found} answers are accepted, {most} are allowed: remove some.",
    "BAD_PICTURE": "The address of a picture begins with https:// and has no spaces.",
    "NO_ALT": "A picture needs a text (alt) for people who cannot see it: describe it.",
    "NO_ID": "The question has no id.",
    "BAD_ID": "“{id}” cannot be an id: take up to 32 letters, digits, hyphens and underscores.",
    # a list of questions
    "DUPLICATE_ID": "The id “{id}” is taken by the question on line {line}: this one got another.",
    "DUPLICATE_QUESTION": "The same question is on line {line} already: this one is left out.",
    "TOO_MANY": "A quiz has {most} questions at most: this one and all that follow are left out.",
    "TOO_LONG": "There are more than {most} questions: from here on nothing was read. Import a part"
    " of them.",
    "NO_QUESTIONS": "No question was found.",
    "MORE_PROBLEMS": "More problems follow from here on: {count}. Fix these first.",
    "FORMAT_UNKNOWN": "There is no format {found}: take opentrivia, csv or json.",
    # rounds
    "ROUND": "Round {number}",
    "NOT_A_ROUND": "This is no round: write an object with a title and questions.",
    "UNKNOWN_ROUND_FIELD": "A round has no field “{field}”: check the spelling, or remove it.",
    "NO_TITLE": "The title of the round is empty: write it, or remove it.",
    "DUPLICATE_ROUND_ID": "The id “{id}” is taken by the round on line {line}: this one got"
    " another.",
    "MANY_ROUNDS": "A quiz has {most} rounds at most: this one and all that follow are left out.",
    # opentrivia
    "STRAY_LINE": "“{found}” belongs to no question: a question begins with #Q, and has no empty"
    " line among its options.",
    "ANSWER_NOT_AN_OPTION": "The right answer “{answer}” is none of the options: write both alike.",
    "ANSWER_UNCLEAR": "The right answer “{answer}” could be several of the options: write it"
    " exactly as the right one.",
    "ANSWER_AMBIGUOUS": "The right answer “{answer}” can mean several options: write the one that"
    " you mean as one of {options}.",
    "OPTION_OUT_OF_ORDER": "Option {expected} is next, not {found}: put the options in order, or"
    " append this line to the one before.",
    # csv
    "NO_QUESTION_COLUMN": "The first row has no column “question”: write the names of the columns"
    " there, such as question, option1, option2, right.",
    "UNKNOWN_COLUMN": "These columns are not known and were not read: {columns}.",
    "DUPLICATE_COLUMN": "Of columns with one name only the first was read: {columns}.",
    "TOO_MANY_CELLS": "The row has more cells than the first one: put quotes around a text that"
    " holds the separator.",
    "BROKEN_QUOTES": "A quoted cell of this row does not end: close its quotes, and double those"
    " inside it.",
    "BAD_NUMBER": "“{found}” in the column “{column}” is no number, or can be read as two: write"
    " digits without groups.",
    "ANSWER_UNREADABLE": "“{found}” in the column “right” is not understood, or can be read in two"
    " ways: write it like {example}.",
    # json
    "BAD_JSON": "From here on the text is no JSON ({detail}): correct it and import again.",
    "DUPLICATE_KEY": "The name “{name}” is there twice in one object: remove one.",
    "NOT_JSON_NUMBER": "{found} is no number that JSON knows.",
    "TOO_DEEP": "The brackets are nested too deep.",
}


def say(locale: str, key: str, /, **values: object) -> str:
    """Return a message in the language of the room, or in English if it is not translated.

    Texts among the values are shortened and lose characters that cannot be shown. Values that are
    neither texts nor numbers are not shown.
    """
    sentences = RUSSIAN if locale.lower().startswith("ru") else ENGLISH
    return sentences[key].format(**{name: _shown(value) for name, value in values.items()})


def _shown(value: object) -> str:
    if not isinstance(value, str):
        return f"{value}" if isinstance(value, int | float) else "…"
    text = value[: 2 * _SHOWN]
    plain = "".join(sign if sign.isprintable() else " " for sign in text)
    words = " ".join(plain.split())
    return words if len(words) <= _SHOWN else f"{words[: _SHOWN - 1]}…"
