"""Group the questions of one import into rounds, each with an id and a title."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from mymozhem.contract import JsonObject, SettingsImportResult

from .collect import Collected, Heading, Kept, Located, first_questions, result
from .messages_en import say
from .problems import fault
from .question_rules import MAX_ROUNDS, check_round, valid_id

#: the fields of a round besides its id and its questions
_FIELDS = ("title", "points", "timePerQuestion")


@dataclass
class _Round:
    """A round that is being filled; without a heading it holds the questions of no round."""

    heading: Heading
    questions: list[JsonObject] = field(default_factory=list)


def rounds_of(
    collected: Collected, locale: str, *, taken: Sequence[str] = ()
) -> SettingsImportResult:
    """Return rounds in the order in which they begin: at most 50, with 500 questions in all.

    A round keeps its title if it is valid, and its id if it is valid and not used before. New ids
    are r1, r2, … and skip those that are given or `taken`; new titles continue the numbers of
    existing rounds.
    """
    kept, faults = first_questions(collected)
    rounds, more = _grouped(kept)
    ids, about_ids = _ids(rounds, taken)
    said = [_said(each.heading) for each in rounds]
    value: list[JsonObject] = []
    for number, (each, own, (fields, _)) in enumerate(
        zip(rounds, ids, said, strict=True), start=len(taken) + 1
    ):
        title = fields.pop("title", None) or say(locale, "ROUND", number=number)
        value.append({"id": own, "title": title, **fields, "questions": [*each.questions]})
    about_fields = [located for _, found in said for located in found]
    return result(locale, value, (*faults, *more, *about_ids, *about_fields))


def _grouped(kept: Iterable[Kept]) -> tuple[list[_Round], list[Located]]:
    """Put each question into its round, and report if there are too many rounds."""
    nowhere = Heading(1)
    rounds: dict[int, _Round] = {}
    faults: list[Located] = []
    for each in kept:
        heading = each.under or nowhere
        if id(heading) not in rounds:
            if len(rounds) == MAX_ROUNDS:
                faults = faults or [Located(each.line, fault("MANY_ROUNDS", most=MAX_ROUNDS))]
                continue
            rounds[id(heading)] = _Round(heading)
        rounds[id(heading)].questions.append(each.question)
    return [*rounds.values()], faults


def _said(heading: Heading) -> tuple[JsonObject, list[Located]]:
    """Return the good fields of a round, apart from its id, and what is wrong with the others."""
    faults = list(check_round(heading.said))
    bad = {each.pointer for each in faults}
    good = {
        name: value
        for name, value in heading.said.items()
        if name != "id" and f"/{name}" not in bad and name in _FIELDS
    }
    return good, [Located(heading.line, each) for each in faults]


def _ids(rounds: Sequence[_Round], taken: Iterable[str]) -> tuple[list[str], list[Located]]:
    given: dict[int, str] = {}
    lines: dict[str, int] = {}
    faults: list[Located] = []
    for index, each in enumerate(rounds):
        own, line = each.heading.said.get("id"), each.heading.line
        if own is None:
            continue
        if not isinstance(own, str) or not valid_id(own):
            faults.append(Located(line, fault("BAD_ID", id=own)))
        elif own in lines:
            faults.append(Located(line, fault("DUPLICATE_ROUND_ID", id=own, line=lines[own])))
        else:
            given[index], lines[own] = own, line
    used = {*given.values(), *taken}
    number = 0
    for index in range(len(rounds)):
        if index not in given:
            number += 1
            while f"r{number}" in used:
                number += 1
            given[index] = f"r{number}"
    return [given[index] for index in range(len(rounds))], faults
