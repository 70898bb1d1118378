"""Turn drafts, as the formats read them, into the questions and problems of one import."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from mymozhem.contract import ImportProblem, JsonObject, SettingsImportResult, fold_text

from .lines import one_line
from .problems import Fault, fault
from .question_rules import MAX_QUESTIONS, check_content, valid_id

#: what one result can contain in any language, and more than anybody fixes in one go
MAX_PROBLEMS = 1000

#: more than any real text has; reading must also end if all questions are bad
MAX_DRAFTS = 20_000

#: faults of a format that explain better than the rules why there is no right answer
_ABOUT_THE_ANSWER = frozenset(
    {"ANSWER_AMBIGUOUS", "ANSWER_NOT_AN_OPTION", "ANSWER_UNCLEAR", "ANSWER_UNREADABLE", "NO_ANSWER"}
)


@dataclass(frozen=True)
class Located:
    """A fault and the line where it can be fixed."""

    line: int
    fault: Fault


@dataclass(eq=False)
class Heading:
    """A round as a format read it; its fields may follow its questions."""

    line: int
    said: JsonObject = field(default_factory=dict)


@dataclass(frozen=True)
class Draft:
    """A question as a format read it, not checked yet; None if there is nothing to check.

    `faults` exclude it; `lines` maps a part, by its JSON Pointer, to its first line. `under` is the
    heading of its round, or None if the text names none.
    """

    line: int
    question: JsonValue = None
    faults: tuple[Located, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict)
    under: Heading | None = None

    def line_of(self, pointer: str) -> int:
        """Return the line of the nearest part at or above a pointer."""
        while pointer and pointer not in self.lines:
            pointer = pointer.rpartition("/")[0]
        return self.lines.get(pointer, self.line)


#: what a format finds, in order; a fault without a draft excludes no question
Reading = Iterator[Draft | Located]


@dataclass(frozen=True)
class Kept:
    """A question that can be played, and the line where it begins."""

    line: int
    question: JsonObject
    under: Heading | None = None


@dataclass(frozen=True)
class Collected:
    """Every good question and every fault, without limits, in the order of their lines."""

    kept: tuple[Kept, ...]
    faults: tuple[Located, ...]


def collect(reading: Reading, taken: Iterable[str] = (), *, pictures: bool = False) -> Collected:
    """Check every draft, leave out repeated questions, and give each question an id.

    A given id is kept if it is valid and not used before. New ids are q1, q2, … by the position
    among the good questions; they skip ids that are given or `taken`. After 20,000 questions the
    rest of a text is not read.
    """
    good, faults = _good(reading, pictures=pictures)
    kept, about_ids = _with_ids(good, frozenset(taken))
    found = [*faults, *about_ids]
    if not kept and not found:
        found = [Located(1, fault("NO_QUESTIONS"))]
    return Collected(tuple(kept), tuple(sorted(found, key=lambda each: each.line)))


def result_of(collected: Collected, locale: str) -> SettingsImportResult:
    """Return the result for the host: at most 500 questions and 1000 problems."""
    kept, faults = first_questions(collected)
    return result(locale, [each.question for each in kept], faults)


def first_questions(collected: Collected) -> tuple[tuple[Kept, ...], tuple[Located, ...]]:
    """Return as many questions as a quiz can have, and all faults, including those of the rest."""
    kept, faults = collected.kept, collected.faults
    if len(kept) > MAX_QUESTIONS:
        faults = (*faults, Located(kept[MAX_QUESTIONS].line, fault("TOO_MANY", most=MAX_QUESTIONS)))
    return kept[:MAX_QUESTIONS], faults


def result(locale: str, value: list[JsonObject], found: Iterable[Located]) -> SettingsImportResult:
    """Return the result for the host: a value, and at most 1000 problems, in their order."""
    faults = sorted(found, key=lambda each: each.line)
    if len(faults) > MAX_PROBLEMS:
        told, rest = faults[: MAX_PROBLEMS - 1], faults[MAX_PROBLEMS - 1 :]
        faults = [*told, Located(rest[0].line, fault("MORE_PROBLEMS", count=len(rest)))]
    return SettingsImportResult(
        value=[*value],
        problems=tuple(
            ImportProblem(line=each.line, code=each.fault.code, message=each.fault.said(locale))
            for each in faults
        ),
    )


def _good(reading: Reading, *, pictures: bool) -> tuple[list[Kept], list[Located]]:
    kept: list[Kept] = []
    faults: list[Located] = []
    lines: dict[tuple[str, ...], int] = {}
    drafts = 0
    for each in reading:
        if isinstance(each, Located):
            faults.append(each)
            continue
        drafts += 1
        if drafts > MAX_DRAFTS:
            faults.append(Located(each.line, fault("TOO_LONG", most=MAX_DRAFTS)))
            break
        found = list(_faults(each, pictures=pictures))
        if not found and isinstance(each.question, dict):
            key = _sameness(each.question)
            if key in lines:
                found = [Located(each.line, fault("DUPLICATE_QUESTION", line=lines[key]))]
            else:
                lines[key] = each.line
                kept.append(Kept(each.line, each.question, each.under))
        faults += found
    return kept, faults


def _faults(draft: Draft, *, pictures: bool) -> Iterator[Located]:
    """Yield the faults that the format found, then those by the rules, each code once per line."""
    yield from draft.faults
    told = {each.fault.code for each in draft.faults}
    if told & _ABOUT_THE_ANSWER:
        told |= _ABOUT_THE_ANSWER
    if draft.question is None:
        return
    seen: set[tuple[int, str]] = set()
    for each in check_content(draft.question, pictures=pictures):
        place = (draft.line_of(each.pointer), each.code)
        if each.code not in told and place not in seen:
            seen.add(place)
            yield Located(place[0], each)


def _sameness(question: JsonObject) -> tuple[str, ...]:
    """Return a key that is equal for repeated questions; the right answer may differ."""
    options = question.get("options")
    texts = [_text(option) for option in options] if isinstance(options, list) else []
    if question["type"] != "order":
        texts.sort()
    return (str(question["type"]), fold_text(str(question["text"])), *texts)


def _text(option: JsonValue) -> str:
    return one_line(str(option["text"])) if isinstance(option, dict) else ""


def _with_ids(good: list[Kept], taken: frozenset[str]) -> tuple[list[Kept], list[Located]]:
    given, faults = _given_ids(good)
    used = {*given.values(), *taken}
    kept: list[Kept] = []
    number = 0
    for index, each in enumerate(good):
        if index not in given:
            number = max(number, index) + 1
            while f"q{number}" in used:
                number += 1
            given[index] = f"q{number}"
        content = {name: value for name, value in each.question.items() if name != "id"}
        kept.append(Kept(each.line, {"id": given[index], **content}, each.under))
    return kept, faults


def _given_ids(good: list[Kept]) -> tuple[dict[int, str], list[Located]]:
    """Return the given ids that are kept, by position, and what is wrong with the others."""
    given: dict[int, str] = {}
    faults: list[Located] = []
    lines: dict[str, int] = {}
    for index, each in enumerate(good):
        own = each.question.get("id")
        if own is None:
            continue
        if not isinstance(own, str) or not valid_id(own):
            faults.append(Located(each.line, fault("BAD_ID", id=own)))
        elif own in lines:
            faults.append(Located(each.line, fault("DUPLICATE_ID", id=own, line=lines[own])))
        else:
            lines[own] = each.line
            given[index] = own
    return given, faults
