"""The findings about an app, and whether it is fit to ship."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum

from mymozhem.contract import JsonObject

#: maximum number of OK findings of one area that are listed singly
_MANY = 8


class Level(StrEnum):
    """What a finding means for the app."""

    OK = "ok"  #: all is well
    SKIPPED = "skipped"  #: it could not be checked
    REMARK = "remark"  #: it works, but users will miss something
    PROBLEM = "problem"  #: it must be fixed before the app ships


@dataclass(frozen=True)
class Finding:
    """The result of one check: a sentence, and a sentence for each thing to fix."""

    area: str
    level: Level
    sentence: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """All findings about an app; with `strict`, remarks count as problems."""

    app: str
    findings: tuple[Finding, ...]
    strict: bool = False

    @property
    def fit(self) -> bool:
        """Return whether the app is fit to ship."""
        bad = {Level.PROBLEM, Level.REMARK} if self.strict else {Level.PROBLEM}
        return not any(each.level in bad for each in self.findings)

    def as_json(self) -> JsonObject:
        """Return the report as JSON."""
        findings = [{**asdict(each), "problems": list(each.problems)} for each in self.findings]
        return {"app": self.app, "fit": self.fit, "findings": [*findings]}

    def as_text(self) -> str:
        """Return the report as a table, with the things to fix under each line."""
        lines = [line for area in self._areas() for line in _table(area)]
        word = "fit to ship" if self.fit else "not fit to ship"
        return "\n".join([*lines, "", f"{self.app} is {word}."])

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
