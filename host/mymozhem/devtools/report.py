"""The findings about an app, and how fit it is to ship."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import IntEnum, StrEnum

from mymozhem.contract import JsonObject

#: the check of the kit that finds what was never reached
REACH = "everything_is_reached"
#: maximum number of OK findings of one area that are listed singly
_MANY = 8


class Level(StrEnum):
    """What a finding means for the app."""

    OK = "ok"  #: all is well
    SKIPPED = "skipped"  #: it could not be checked
    REMARK = "remark"  #: it works, but users will miss something
    PROBLEM = "problem"  #: it must be fixed before the app ships


class Fitness(IntEnum):
    """How fit an app is to ship, computed from the findings."""

    BROKEN = 0  #: something was found that must be fixed
    SOUND = 1  #: nothing that was tried is broken, and not everything was reached
    EXPLORED = 2  #: every action was done, and every hook, timer, change, event and effect occurred
    COMPLETE = 3  #: there is no remark either: the app has tests of its own, and its texts


@dataclass(frozen=True)
class Finding:
    """The result of one check: a sentence, and a sentence for each thing to fix."""

    area: str
    level: Level
    sentence: str
    problems: tuple[str, ...] = ()


#: what leads to the next level
_MISSING = {
    Fitness.BROKEN: "Fix the problems.",
    Fitness.SOUND: "For level 2, let the kit reach what it names above.",
    Fitness.EXPLORED: "For level 3, see the remarks.",
}


@dataclass(frozen=True)
class Report:
    """All findings about an app, and the evidence of what was reached.

    With `strict`, only an app of the highest level is fit to ship.
    """

    app: str
    findings: tuple[Finding, ...]
    strict: bool = False
    evidence: JsonObject | None = None

    @property
    def fitness(self) -> Fitness:
        """Return the level that the findings show."""
        levels = {each.level for each in self.findings}
        if Level.PROBLEM in levels:
            return Fitness.BROKEN
        reach = [each.level for each in self.findings if each.area == "reach"]
        if reach != [Level.OK]:
            return Fitness.SOUND
        return Fitness.EXPLORED if Level.REMARK in levels else Fitness.COMPLETE

    @property
    def fit(self) -> bool:
        """Return whether the app is fit to ship."""
        return self.fitness >= (Fitness.COMPLETE if self.strict else Fitness.SOUND)

    def as_json(self) -> JsonObject:
        """Return the report as JSON."""
        findings = [{**asdict(each), "problems": list(each.problems)} for each in self.findings]
        level: JsonObject = {"number": int(self.fitness), "name": self.fitness.name.lower()}
        return {
            "app": self.app,
            "fit": self.fit,
            "level": level,
            "evidence": self.evidence,
            "findings": [*findings],
        }

    def as_text(self) -> str:
        """Return the report as a table, with the things to fix under each line."""
        lines = [line for area in self._areas() for line in _table(area)]
        word = "fit to ship" if self.fit else "not fit to ship"
        most = int(max(Fitness))
        level = f"level {int(self.fitness)} of {most}, {self.fitness.name.lower()}"
        missing = f" {_MISSING[self.fitness]}" if self.fitness in _MISSING else ""
        return "\n".join([*lines, "", f"{self.app} is {word}: {level}.{missing}"])

    def _areas(self) -> Iterator[list[Finding]]:
        """Yield the findings area by area, in the order of the first of each."""
        for area in dict.fromkeys(each.area for each in self.findings):
            yield [each for each in self.findings if each.area == area]


def found(
    area: str, sentence: str, problems: tuple[str, ...], otherwise: Level = Level.PROBLEM
) -> Finding:
    """Return a finding that is OK if there are no problems, `otherwise` if there are."""
    return Finding(area, otherwise if problems else Level.OK, sentence, problems)


def _table(area: list[Finding]) -> Iterator[str]:
    """Yield the lines of one area; many findings that are OK become one line with their number."""
    well = [each for each in area if each.level is Level.OK]
    if len(well) > _MANY:
        yield _row(well[0].area, Level.OK, f"{len(well)} rules hold.")
        area = [each for each in area if each.level is not Level.OK]
    for each in area:
        yield _row(each.area, each.level, each.sentence)
        yield from (f"{'':<23}- {problem}" for problem in each.problems)


def _row(area: str, level: Level, sentence: str) -> str:
    return f"{area:<14}{level:<9}{sentence}"
