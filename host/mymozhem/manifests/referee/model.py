"""The results of the referee: classes, changes, and what follows from all of them."""

from dataclasses import dataclass, field
from enum import StrEnum

import semver
from pydantic import JsonValue

from mymozhem.contract import JsonObject

from .semver import declared_level


class Bump(StrEnum):
    """The part of a version that changes or has to change."""

    NONE = "none"  #: nothing has changed
    PATCH = "patch"  #: words and looks
    MINOR = "minor"  #: more is possible, and everything valid stays valid
    MAJOR = "major"  #: something valid may become invalid, or the effect is unknown

    @property
    def rank(self) -> int:
        """Return its place in the order, 0 for none to 3 for major."""
        return list(Bump).index(self)

    def at_least(self, other: "Bump") -> bool:
        """Return whether it is as large as the other, or larger."""
        return self.rank >= other.rank


class Consenter(StrEnum):
    """Who has to agree to a change before it takes effect."""

    OPERATOR = "operator"  #: runs the host: the app may do more, or has another address
    ORGANIZER = "organizer"  #: runs the room: more people see something


@dataclass(frozen=True)
class Change:
    """One difference.

    `pointer` is a JSON Pointer into the new manifest, or into the old one for a removed part.
    `known` is False if the class is major because the effect is unknown. `message` is a sentence
    for an organizer. `before` and `after` are the values; None if there is none.
    """

    pointer: str
    code: str
    bump: Bump
    known: bool
    message: str
    consent: Consenter | None = None
    before: JsonValue | None = field(default=None, hash=False)
    after: JsonValue | None = field(default=None, hash=False)


@dataclass(frozen=True)
class Diff:
    """All changes between two versions, the largest class first."""

    old_version: str
    new_version: str
    changes: tuple[Change, ...]

    @property
    def required(self) -> Bump:
        """Return the largest class of all changes; NONE if there are none."""
        return max((change.bump for change in self.changes), key=_rank, default=Bump.NONE)

    @property
    def declared(self) -> Bump | None:
        """Return the bump between the two versions; None if the new one is not greater."""
        level = declared_level(self.old_version, self.new_version)
        return None if level is None else Bump(level)

    @property
    def consents(self) -> tuple[Change, ...]:
        """Return the changes that somebody has to agree to."""
        return tuple(change for change in self.changes if change.consent is not None)

    @property
    def sufficient(self) -> bool:
        """True if the declared bump is large enough; the same version suffices for no change."""
        if self.declared is None:
            return not self.changes and self.old_version == self.new_version
        return self.declared.at_least(self.required)


def _rank(bump: Bump) -> int:
    return bump.rank


def least_version(old: str, required: Bump) -> str:
    """Return the smallest version with the required bump after the old one.

    ValueError if the old one is no version.
    """
    before = semver.Version.parse(old)
    for after in (before.bump_patch(), before.bump_minor()):
        level = declared_level(old, str(after))
        if level is not None and Bump(level).at_least(required):
            return str(after)
    return str(before.bump_major())


def as_json(diff: Diff) -> JsonObject:
    """Return the result of a comparison as JSON, for the REST API and for programs."""
    return {
        "oldVersion": diff.old_version,
        "newVersion": diff.new_version,
        "required": diff.required.value,
        "declared": None if diff.declared is None else diff.declared.value,
        "sufficient": diff.sufficient,
        "changes": [_change(change) for change in diff.changes],
    }


def _change(change: Change) -> JsonObject:
    return {
        "pointer": change.pointer,
        "code": change.code,
        "class": change.bump.value,
        "known": change.known,
        "message": change.message,
        "consent": None if change.consent is None else change.consent.value,
        "before": change.before,
        "after": change.after,
    }
