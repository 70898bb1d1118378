"""Find `migrations` that are well-formed, but lead nowhere, in circles, or in two ways."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import semver
from pydantic import JsonValue

from mymozhem.contract import VersionRange
from mymozhem.manifests.json_pointer import Part, pointer
from mymozhem.manifests.problems import Problem

from .step_checks import step_problem

Comparison = tuple[str, semver.Version]


@dataclass(frozen=True)
class Entry:
    """The place of an entry in the list, and its readable parts; None for unreadable ones."""

    place: tuple[Part, ...]
    start: VersionRange | None
    to: semver.Version | None

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """Return the comparisons that hold for a version from which the entry leads up."""
        below = () if self.to is None else (("<", self.to),)
        return (*(self.start.parts if self.start is not None else ()), *below)


def migration_problems(document: Mapping[str, JsonValue]) -> Iterator[Problem]:
    """Yield the migrations of a manifest that make no sense; skip parts of the wrong shape."""
    meta, said = document.get("meta"), document.get("migrations")
    own = _version(meta.get("version") if isinstance(meta, dict) else None)
    known: list[Entry] = []
    for position, given in enumerate(said if isinstance(said, list) else ()):
        if isinstance(given, dict):
            place = ("migrations", position)
            entry = Entry(place, _range(given.get("from")), _version(given.get("to")))
            yield from _unread(given, entry)
            yield from _about_versions(entry, own)
            yield from _twice(entry, known)
            yield from _about_steps(given, place)
            known.append(entry)


def can_hold(comparisons: Sequence[Comparison]) -> bool:
    """Return whether some version satisfies all comparisons; between two versions there is one."""
    lows = [(bound, op != ">") for op, bound in comparisons if op in (">", ">=", "==")]
    highs = [(bound, op != "<") for op, bound in comparisons if op in ("<", "<=", "==")]
    excluded = [bound for op, bound in comparisons if op == "!="]
    return all(
        low < high or (low == high and with_low and with_high and low not in excluded)
        for low, with_low in lows
        for high, with_high in highs
    )


def _unread(given: Mapping[str, JsonValue], entry: Entry) -> Iterator[Problem]:
    if isinstance(given.get("from"), str) and entry.start is None:
        place, message = pointer([*entry.place, "from"]), "this is no range of versions"
        yield Problem(place, "VERSION_RANGE", message, "write one: >=1.0 <2.0")
    if isinstance(given.get("to"), str) and entry.to is None:
        place, message = pointer([*entry.place, "to"]), "this is no semantic version"
        yield Problem(place, "VERSION_NOT_SEMVER", message, "write one such as 1.0.0")


def _about_versions(entry: Entry, own: semver.Version | None) -> Iterator[Problem]:
    start, to = pointer([*entry.place, "from"]), pointer([*entry.place, "to"])
    if entry.to is None:
        return
    if own is not None and entry.to > own:
        message = f"the manifest's own version is {own}, which is below"
        yield Problem(to, "MIGRATION_BEYOND", message, f"write {own}, or an older version")
    if entry.start is None:
        return
    if str(entry.to) in entry.start:
        message = f"the range holds {entry.to} itself, to which the steps lead"
        hint = f"end the range before it: {entry.start.text} <{entry.to}"
        yield Problem(start, "MIGRATION_ENDLESS", message, hint)
    elif not can_hold(entry.comparisons):
        message = f"no version below {entry.to} is in this range"
        yield Problem(start, "MIGRATION_NOWHERE", message, "name the versions the steps start from")


def _twice(entry: Entry, known: Sequence[Entry]) -> Iterator[Problem]:
    for other in known:
        both = (*entry.comparisons, *other.comparisons)
        if entry.start and other.start and entry.to and entry.to == other.to and can_hold(both):
            message = f"{pointer(other.place)} leads to {entry.to} from some of these versions too"
            place = pointer([*entry.place, "from"])
            yield Problem(
                place, "MIGRATION_TWICE", message, "separate the ranges, or keep one entry"
            )
            return


def _about_steps(
    given: Mapping[str, JsonValue], place: tuple[Part, ...]
) -> Iterator[Problem]:  # fmt: skip
    for way in ("steps", "down"):
        steps = given.get(way)
        for number, step in enumerate(steps if isinstance(steps, list) else ()):
            found = step_problem(step) if isinstance(step, dict) else None
            if found is not None:
                yield found.under(pointer([*place, way, number]))


def _version(text: JsonValue) -> semver.Version | None:
    if not isinstance(text, str) or not semver.Version.is_valid(text):
        return None
    return semver.Version.parse(text)


def _range(text: JsonValue) -> VersionRange | None:
    try:
        return VersionRange.parse(text) if isinstance(text, str) else None
    except ValueError:
        return None
