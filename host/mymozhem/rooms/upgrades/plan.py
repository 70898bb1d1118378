"""What moving a room to another version would mean, before and after it is done: values only."""

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
    """A room's way to another version.

    `before` is what it has, `carried` what it would have. `refusals` are all the reasons why it
    cannot be moved now, as the errors that they would be.
    """

    way: MigrationPath
    before: CurrentRoom
    carried: MigratedRoom
    refusals: tuple[MymozhemError, ...] = ()

    @property
    def version_before(self) -> str:
        """Return the version that the room has."""
        return self.way.source.version

    @property
    def version_after(self) -> str:
        """Return the version that it would have."""
        return self.way.target.version

    @property
    def diff(self) -> Diff:
        """Return what has changed between the two, in the referee's words."""
        return self.way.diff

    @property
    def settings_before(self) -> JsonValue:
        """Return the settings as organizers see them now; private ones are left out."""
        return project(self.way.source.settings_outline, self.before.settings, Level.ORGANIZER)

    @property
    def settings_after(self) -> JsonValue:
        """Return the settings as organizers would see them."""
        return project(self.way.target.settings_outline, self.carried.settings, Level.ORGANIZER)

    @property
    def strategy(self) -> Strategy:
        """Return how the room would come there."""
        return self.carried.strategy

    @property
    def allowed(self) -> bool:
        """Tell whether it can be done now."""
        return not self.refusals

    @property
    def consents(self) -> tuple[Change, ...]:
        """Return the changes that the organizer has to agree to."""
        return (*organizer_consents(self.diff), *self.way.shown)

    @property
    def changed_state(self) -> dict[str, JsonObject]:
        """Return the parts of the state that would be others."""
        return changed_parts(self.before.state, self.carried.state)

    def refuse(self) -> None:
        """Raise the first of the refusals, if there is one."""
        if self.refusals:
            raise self.refusals[0]

    def refused(self, *more: MymozhemError, carried: MigratedRoom | None = None) -> "Plan":
        """Return the same with more refusals, and, where it is given, other settings and state."""
        return replace(self, refusals=(*self.refusals, *more), carried=carried or self.carried)


def organizer_consents(diff: Diff) -> tuple[Change, ...]:
    """Return the changes that the organizer of a room has to agree to."""
    return tuple(each for each in diff.consents if each.consent is Consenter.ORGANIZER)


def changed_parts(before: State, after: State) -> dict[str, JsonObject]:
    """Return the parts of a state that are others than before."""
    return {name: part for name, part in after.items() if not same(part, before[name])}


def migration_required(version: str, carried: MigratedRoom) -> MigrationRequired:
    """Return the error that lists every missing or invalid field, so that a form can be made."""
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
