"""The plan of a move to another version; values only."""

from dataclasses import dataclass, replace

from pydantic import JsonValue

from mymozhem.contract import JsonObject, Level
from mymozhem.errors import Invalid, MymozhemError
from mymozhem.manifests.referee import Change, Consenter, Diff
from mymozhem.manifests.referee.json_values import same
from mymozhem.manifests.settings import project

from .form import as_json
from .migrate import CurrentRoom, MigratedRoom, MigrationPath, State, Strategy


class MigrationRequired(Invalid):
    """The room does not fit that version as it is; `details.form` lists what is to be given."""

    default_code = "MIGRATION_REQUIRED"


@dataclass(frozen=True)
class Plan:
    """The plan to move a room to another version.

    `before` is what the room has, `carried` what it would have. `refusals` are all reasons against
    the move now, as the errors that would be raised.
    """

    way: MigrationPath
    before: CurrentRoom
    carried: MigratedRoom
    refusals: tuple[MymozhemError, ...] = ()

    @property
    def version_before(self) -> str:
        """Return the current version."""
        return self.way.source.version

    @property
    def version_after(self) -> str:
        """Return the target version."""
        return self.way.target.version

    @property
    def diff(self) -> Diff:
        """Return the referee's diff of the two versions."""
        return self.way.diff

    @property
    def settings_before(self) -> JsonValue:
        """Return the current settings as organizers see them, without private ones."""
        return project(self.way.source.settings_outline, self.before.settings, Level.ORGANIZER)

    @property
    def settings_after(self) -> JsonValue:
        """Return the settings as organizers would see them."""
        return project(self.way.target.settings_outline, self.carried.settings, Level.ORGANIZER)

    @property
    def strategy(self) -> Strategy:
        """Return how the room would be migrated."""
        return self.carried.strategy

    @property
    def allowed(self) -> bool:
        """Return whether the move is possible now."""
        return not self.refusals

    @property
    def consents(self) -> tuple[Change, ...]:
        """Return the changes that the organizer has to consent to."""
        return (*organizer_consents(self.diff), *self.way.shown)

    @property
    def changed_state(self) -> dict[str, JsonObject]:
        """Return the parts of the state that would change."""
        return changed_parts(self.before.state, self.carried.state)

    def refuse(self) -> None:
        """Raise the first of the refusals, if any."""
        if self.refusals:
            raise self.refusals[0]

    def refused(self, *more: MymozhemError, carried: MigratedRoom | None = None) -> "Plan":
        """Return a copy with more refusals and, if given, other settings and state."""
        return replace(self, refusals=(*self.refusals, *more), carried=carried or self.carried)


def organizer_consents(diff: Diff) -> tuple[Change, ...]:
    """Return the changes that the organizer of a room has to consent to."""
    return tuple(each for each in diff.consents if each.consent is Consenter.ORGANIZER)


def changed_parts(before: State, after: State) -> dict[str, JsonObject]:
    """Return the parts of a state that differ."""
    return {name: part for name, part in after.items() if not same(part, before[name])}


def migration_required(version: str, carried: MigratedRoom) -> MigrationRequired:
    """Return the error that lists every missing or invalid field for a form."""
    count = len(carried.fields)
    given = f"{count} setting{'' if count == 1 else 's'} must be given or changed."
    sentences = [
        f"The room does not fit {version} as it is.",
        *carried.reasons,
        *([given] if count else []),
    ]
    fields: dict[str, list[str]] = {}
    for each in carried.fields:
        fields.setdefault(each.pointer or "/", []).append(each.problem)
    return MigrationRequired(
        " ".join(sentences),
        fields=fields,
        details={
            "form": [as_json(each) for each in carried.fields],
            "reasons": list(carried.reasons),
        },
    )
