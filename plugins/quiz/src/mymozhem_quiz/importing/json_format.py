"""Questions as JSON: a list, `{"questions": [...]}`, rounds, or a response of Open Trivia DB.

The questions have the form of a room's settings (see `question_rules`); the id may be missing or a
whole number. An object with `correct_answer` is a question of Open Trivia DB:

    {"type": "multiple", "question": "Who wrote &quot;Emma&quot;?",
     "correct_answer": "Jane Austen", "incorrect_answers": ["George Eliot", "Mary Shelley"]}

Its HTML entities become characters, `boolean` stays boolean, every other type becomes `single`, and
the options are sorted alphabetically, so that the right one is not always the first. Difficulty and
category are not read.

For rooms with rounds, `{"rounds": [...]}` and a list of rounds are accepted too: objects with
`title`, `questions` and optionally `id`, `points` and `timePerQuestion`, as in the settings. A
problem of a round names the line on which the round begins, and excludes no question.

Problems name the line on which the question begins; lost characters name their own line. The
elements of the list are read one by one: if the text stops being JSON, everything before that place
is kept, and one problem names the place. NaN, and a repeated name in an object, exclude only that
question.
"""

import html
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

from pydantic import JsonValue

from mymozhem.contract import JsonObject, fold_text

from .collect import Draft, Heading, Located, Reading
from .lines import LineNumbers, one_line, paragraph
from .problems import Fault, fault
from .values import LOST

LISTS = ("questions", "results")
ROUNDS = "rounds"

_QUESTIONS = re.compile(r'"questions"[ \t\r\n]*:[ \t\r\n]*\[')
_SPACE = re.compile(r"[ \t\r\n]*")
_LONGEST_INTEGER = 17  # a sign and sixteen digits; a longer one is out of every range


class _Broken(Exception):
    """The rest of the text cannot be read."""

    def __init__(self, offset: int, found: Fault) -> None:
        super().__init__(found.code)
        self.offset = offset
        self.fault = found


def read(text: str, rounds: bool = False) -> Reading:  # noqa: FBT001, FBT002  as each format is read
    """Yield a draft for every element of the list; never raises, and takes linear time."""
    scanner = _Scanner(text, rounds=rounds)
    try:
        yield from scanner.read()
    except _Broken as broken:
        yield Located(scanner.numbers.at(broken.offset), broken.fault)


class _Scanner:
    """A position in the text, which moves from value to value."""

    def __init__(self, text: str, *, rounds: bool) -> None:
        self.text = text
        self.numbers = LineNumbers(text)
        self._rounds = rounds
        self._place = len(text) - len(text.removeprefix("\ufeff"))
        self._found: list[Fault] = []
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_int=lambda digits: (
                int(digits) if len(digits) <= _LONGEST_INTEGER else float(digits)
            ),
            parse_constant=self._constant,
        )

    def read(self) -> Reading:
        """Yield the questions; raise _Broken if the text is not JSON."""
        if not self._peek():
            return
        if self._skip("["):
            yield from self._list(self._either if self._rounds else self._element)
        elif self._skip("{"):
            yield from self._members()
        else:
            raise self._bad("expecting a list of questions")
        if self._peek():
            raise self._bad("extra data after the end")

    def _list(self, each: Callable[[], Reading]) -> Reading:
        if self._skip("]"):
            return
        while True:
            yield from each()
            if self._skip("]"):
                return
            self._need(",")

    def _members(self) -> Reading:
        """Read an object; only the first list of questions of each name counts."""
        lists = (*LISTS, ROUNDS) if self._rounds else LISTS
        seen: set[str] = set()
        for name in self._names():
            if name in lists and name not in seen and self._skip("["):
                yield from self._list(self._round if name == ROUNDS else self._element)
            elif name in lists:
                yield self._not_read(name, twice=name in seen)
            else:
                self._value()
            seen.add(name)

    def _names(self) -> Iterator[str]:
        """Yield the names of an object; the caller reads each value before the next name."""
        if self._skip("}"):
            return
        while True:
            name = self._name()
            self._need(":")
            yield name
            if self._skip("}"):
                return
            self._need(",")

    def _either(self) -> Reading:
        """Read an element of the outer list: a round if it has questions, else a question."""
        self._peek()
        begin = self._place
        try:
            draft, value = self._draft()
        except _Broken as broken:
            if not _QUESTIONS.search(self.text, begin, broken.offset):
                raise
            is_round = True
        else:
            is_round = isinstance(value, dict) and isinstance(value.get(LISTS[0]), list)
        if is_round:
            self._place = begin
            yield from self._round()
        else:
            yield draft

    def _round(self) -> Reading:
        """Read a round; its fields may follow its questions."""
        heading = Heading(self._line())
        if not self._skip("{"):
            self._value()
            yield Located(heading.line, fault("NOT_A_ROUND"))
            return
        seen: set[str] = set()
        for name in self._names():
            if name == LISTS[0] and name not in seen and self._skip("["):
                for each in self._list(self._element):
                    yield replace(each, under=heading) if isinstance(each, Draft) else each
            elif name == LISTS[0]:
                yield self._not_read(name, twice=name in seen)
            else:
                value = self._value()
                twice = [fault("DUPLICATE_KEY", name=name)] if name in seen else []
                yield from (Located(heading.line, each) for each in (*self._found, *twice))
                heading.said.setdefault(name, _as_id(value) if name == "id" else value)
            seen.add(name)

    def _not_read(self, name: str, *, twice: bool) -> Located:
        line = self._line()
        self._value()
        wrong = fault("DUPLICATE_KEY", name=name) if twice else fault("NOT_LIST", field=name)
        return Located(line, wrong)

    def _name(self) -> str:
        if self._peek() != '"':
            raise self._bad("expecting a name in double quotes")
        return str(self._value())

    def _element(self) -> Reading:
        yield self._draft()[0]

    def _draft(self) -> tuple[Draft, JsonValue]:
        """Return the next value as a question, and as it is in the text."""
        line = self._line()
        begin = self._place
        value = self._value()
        faults = [Located(line, each) for each in self._found]
        lost = self.text.find(LOST, begin, self._place)
        if lost >= 0:
            faults.append(Located(self.numbers.at(lost), fault("BAD_ENCODING")))
        question, more = _question(value)
        faults += [Located(line, each) for each in more]
        return Draft(line, question, tuple(faults)), value

    def _value(self) -> JsonValue:
        self._peek()
        self._found = []
        value: JsonValue
        try:
            value, self._place = self._decoder.raw_decode(self.text, self._place)
        except json.JSONDecodeError as error:
            raise _Broken(error.pos, fault("BAD_JSON", detail=error.msg)) from error
        except RecursionError as error:
            raise _Broken(self._place, fault("TOO_DEEP")) from error
        return value

    def _line(self) -> int:
        self._peek()
        return self.numbers.at(self._place)

    def _peek(self) -> str:
        """Move to the next character that is not a space, and return it; empty at the end."""
        space = _SPACE.match(self.text, self._place)
        self._place = space.end() if space else self._place
        return self.text[self._place : self._place + 1]

    def _skip(self, sign: str) -> bool:
        if self._peek() != sign:
            return False
        self._place += 1
        return True

    def _need(self, sign: str) -> None:
        if not self._skip(sign):
            raise self._bad(f"expecting {sign}")

    def _bad(self, detail: str) -> _Broken:
        return _Broken(self._place, fault("BAD_JSON", detail=detail))

    def _object(self, pairs: list[tuple[str, JsonValue]]) -> JsonObject:
        made = dict(pairs)
        if len(made) != len(pairs):
            ((name, _),) = Counter(name for name, _ in pairs).most_common(1)
            self._found.append(fault("DUPLICATE_KEY", name=name))
        return made

    def _constant(self, text: str) -> None:
        self._found.append(fault("NOT_JSON_NUMBER", found=text))


def _question(value: JsonValue) -> tuple[JsonValue, list[Fault]]:
    if not isinstance(value, dict):
        return None, [fault("NOT_A_QUESTION")]
    if "correct_answer" in value:
        return _of_open_trivia_db(value)
    return ({**value, "id": _as_id(value["id"])} if "id" in value else value), []


def _as_id(value: JsonValue) -> JsonValue:
    """Return an id as a text if it is a whole number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _of_open_trivia_db(value: JsonObject) -> tuple[JsonValue, list[Fault]]:
    text = value.get("question", "")
    if isinstance(text, str):
        text = paragraph(html.unescape(text).split("\n"))
    right = _plain(value["correct_answer"])
    if value.get("type") == "boolean":
        said = fold_text(right) if isinstance(right, str) else ""
        answer = {"true": True, "false": False}.get(said)
        if answer is None:
            unreadable = fault("NOT_BOOLEAN", field="correct_answer")
            return {"type": "boolean", "text": text, "answer": False}, [unreadable]
        return {"type": "boolean", "text": text, "answer": answer}, []
    wrong = value.get("incorrect_answers", [])
    if not isinstance(wrong, list):
        return None, [fault("NOT_LIST", field="incorrect_answers")]
    options: list[JsonObject] = [{"text": right, "right": True}]
    options += [{"text": _plain(each)} for each in wrong]
    options.sort(key=_letters)
    return {"type": "single", "text": text, "options": [*options]}, []


def _letters(option: JsonObject) -> str:
    text = option["text"]
    return fold_text(text) if isinstance(text, str) else ""


def _plain(value: JsonValue) -> JsonValue:
    return one_line(html.unescape(value)) if isinstance(value, str) else value
