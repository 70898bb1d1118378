"""The text format of OpenTriviaQA.

    #Q What is the next number?
    1, 4, 9, 16, ...
    ^ 25
    A 20
    B 25
    C 36

A block begins with `#Q`. The question ends at the line with `^` and may have any number of lines,
including empty ones; its line ends are kept, empty lines are not. After `^` comes the right answer,
then the options, which begin with the letters A, B, C, … in order; a question can have two to six.
A line that does not begin with a possible next letter belongs to the answer or option before it.
After an empty line behind the options only another option or the next `#Q` can come: anything else
is a stray line, which is reported once per block and excludes no question.

The answer is the option with exactly the same text, or else the only option that is equal after
NFKC, case folding and collapsing of spaces. A block whose options are True and False, in either
order, becomes a question of type `boolean`; every other block, including Yes and No, is `single`.

Leading white space, runs of white space and mixed line ends make no difference.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from mymozhem.contract import JsonObject, fold_text

from .collect import Draft, Located, Reading
from .lines import lines_of, one_line, paragraph
from .problems import Fault, fault
from .values import LOST

_BEGIN = "#Q"
_ANSWER = "^"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_USUAL = "ABCDEF"

Line = tuple[int, str]


@dataclass
class _Part:
    """The answer or an option, and the lines that continue it."""

    line: int
    letter: str
    texts: list[str]

    @property
    def text(self) -> str:
        return one_line(" ".join(self.texts))


@dataclass
class _Tail:
    """The part of a block after the question."""

    answer: _Part | None = None
    options: list[_Part] = field(default_factory=list)
    faults: dict[str, Located] = field(default_factory=dict)
    stray: list[Located] = field(default_factory=list)

    @property
    def last(self) -> _Part | None:
        return self.options[-1] if self.options else self.answer

    def fault(self, line: int, found: Fault) -> None:
        """Note a fault; later faults of the same code mostly follow from the first one."""
        self.faults.setdefault(found.code, Located(line, found))


def read(text: str) -> Reading:
    """Yield a draft for every `#Q`; never raises, and takes linear time."""
    for block in _blocks(text):
        if _begins(block[0][1]):
            draft, stray = _draft(block)
            yield draft
            yield from stray
        else:
            yield from (_stray(line) for line in _first_written(block))


def _blocks(text: str) -> Iterator[list[Line]]:
    """Yield the lines of each question; first the lines before the first question, if any."""
    block: list[Line] = []
    for line in enumerate(lines_of(text), start=1):
        if _begins(line[1]):
            if block:
                yield block
            block = []
        block.append(line)
    yield block


def _first_written(block: list[Line]) -> list[Line]:
    return next(([line] for line in block if line[1].strip()), [])


def _begins(line: str) -> bool:
    return line.lstrip()[: len(_BEGIN)].upper() == _BEGIN


def _draft(block: list[Line]) -> tuple[Draft, list[Located]]:
    number, first = block[0]
    split = _end_of_question(block)
    tail = _tail(block[split:])
    question = paragraph([first.lstrip()[len(_BEGIN) :], *(line for _, line in block[1:split])])
    right, faults = _right(tail, number)
    lines = {f"/options/{index}": option.line for index, option in enumerate(tail.options)}
    lost = _lost(block, tail)
    draft = Draft(
        line=number,
        question=_question(question, [option.text for option in tail.options], right),
        faults=(*lost, *tail.faults.values(), *faults),
        lines=lines,
    )
    return draft, tail.stray


def _end_of_question(block: list[Line]) -> int:
    """Return where the answer begins; without an answer, where the options seem to begin."""
    for index, (_, line) in enumerate(block):
        if line.lstrip().startswith(_ANSWER):
            return index
    for index, (_, line) in enumerate(block):
        if _letter(line) == _LETTERS[0]:
            return index
    return len(block)


def _letter(line: str) -> str | None:
    word = line.split(None, 1)[:1]
    return word[0] if word and len(word[0]) == 1 and word[0] in _LETTERS else None


def _tail(lines: list[Line]) -> _Tail:
    tail = _Tail()
    gap = False
    for number, line in lines:
        if not line.strip():
            gap = True
        elif not _take(tail, number, line.strip(), gap=gap):
            tail.stray.append(_stray((number, line)))
            break
        else:
            gap = False
    return tail


def _take(tail: _Tail, number: int, line: str, *, gap: bool) -> bool:
    """Add a line to the part that it belongs to; return False if there is no such part."""
    letter = _letter(line)
    expected = _next_letter(tail)
    if line.startswith(_ANSWER) and tail.last is None:
        tail.answer = _Part(number, "", [line[1:]])
    elif letter is not None and letter == expected:
        tail.options.append(_Part(number, letter, [line[1:]]))
    elif gap or tail.last is None:
        return False
    elif line.startswith(_ANSWER):
        tail.fault(number, fault("SEVERAL_ANSWERS"))
    elif letter is not None and letter in _USUAL:
        tail.fault(number, fault("OPTION_OUT_OF_ORDER", expected=expected, found=letter))
        tail.options.append(_Part(number, letter, [line[1:]]))
    else:
        tail.last.texts.append(line)
    return True


def _next_letter(tail: _Tail) -> str:
    """Return the letter of the next option; empty after Z."""
    place = _LETTERS.index(tail.options[-1].letter) + 1 if tail.options else 0
    return _LETTERS[place : place + 1]


def _stray(line: Line) -> Located:
    return Located(line[0], fault("STRAY_LINE", found=line[1]))


def _lost(block: list[Line], tail: _Tail) -> Iterator[Located]:
    end = tail.stray[0].line if tail.stray else block[-1][0] + 1
    for number, line in block:
        if number < end and LOST in line:
            yield Located(number, fault("BAD_ENCODING"))


def _right(tail: _Tail, first: int) -> tuple[int | None, list[Located]]:
    """Return which option is right, or the reason why none is."""
    answer = tail.answer
    if answer is None or not answer.text:
        return None, [Located(answer.line if answer else first, fault("NO_ANSWER"))]
    texts = [option.text for option in tail.options]
    if answer.text in texts:
        return texts.index(answer.text), []
    wanted = fold_text(answer.text)
    alike = [index for index, text in enumerate(texts) if fold_text(text) == wanted]
    if len(alike) == 1 or not texts:
        return (alike[0] if alike else None), []
    code = "ANSWER_UNCLEAR" if alike else "ANSWER_NOT_AN_OPTION"
    return None, [Located(answer.line, fault(code, answer=answer.text))]


def _question(text: str, options: list[str], right: int | None) -> JsonObject:
    folded = [fold_text(option) for option in options]
    if sorted(folded) == ["false", "true"] and right is not None:
        return {"type": "boolean", "text": text, "answer": folded[right] == "true"}
    listed: JsonObject = {
        "options": [
            {"text": option, "right": True} if index == right else {"text": option}
            for index, option in enumerate(options)
        ]
    }
    return {"type": "single", "text": text, **listed}
