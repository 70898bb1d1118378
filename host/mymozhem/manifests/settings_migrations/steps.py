"""A manifest's `migrations` as frozen types: entries from version to version, made of steps.

A path is a JSON Pointer into the settings, in which `*` means each element of a list, or each
property of an object.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, Literal

import semver
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, ValidationError
from pydantic import model_validator as check_model

from mymozhem.contract import VersionRange
from mymozhem.manifests.json_pointer import parts

EACH = "*"


class Spec(BaseModel):
    """A frozen part of a migration."""

    model_config = ConfigDict(frozen=True, populate_by_name=True, defer_build=True)


def names_of(path: str) -> tuple[str, ...]:
    """Return the names of a path; ValueError if it is no JSON Pointer, or is empty."""
    names = tuple(parts(path))
    if not names:
        msg = "a path leads to a setting, never to all of them"
        raise ValueError(msg)
    return names


def through_last_each(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names up to and including the last `*`; none if there is no `*`."""
    count = max((place + 1 for place, name in enumerate(names) if name == EACH), default=0)
    return tuple(names[:count])


def is_beside(source: Sequence[str], target: Sequence[str]) -> bool:
    """Return whether a target has one place for each source: it starts with the same `*`."""
    shared = through_last_each(source)
    return tuple(target[: len(shared)]) == shared


def _is_path(text: str) -> str:
    names_of(text)
    return text


def _is_named(text: str) -> str:
    if names_of(text)[-1] == EACH:
        msg = "many properties cannot have one name"
        raise ValueError(msg)
    return text


def _is_version(text: str) -> str:
    semver.Version.parse(text)
    return text


def _is_range(text: str) -> str:
    VersionRange.parse(text)
    return text


Path = Annotated[str, AfterValidator(_is_path)]


class Rename(Spec):
    """Rename the last name of `path` to `to`, in the same object; an existing `to` is replaced."""

    op: Literal["rename"]
    path: Annotated[Path, AfterValidator(_is_named)]
    to: str


class _FromTo(Spec):
    source: Path = Field(alias="from")
    path: Path

    @check_model(mode="after")
    def _one_place_each(self) -> "_FromTo":
        if not is_beside(names_of(self.source), names_of(self.path)):
            msg = "`path` does not start with the `*` of `from`"
            raise ValueError(msg)
        return self


class Move(_FromTo):
    """Move the value at `from` to `path`."""

    op: Literal["move"]


class Copy(_FromTo):
    """Copy the value at `from` to `path`."""

    op: Literal["copy"]


class Set(Spec):
    """Set `path` to `value`, whether it has a value or not."""

    op: Literal["set"]
    path: Path
    value: JsonValue


class Default(Spec):
    """Set `path` to `value` if it has no value; null is a value."""

    op: Literal["default"]
    path: Path
    value: JsonValue


class Remove(Spec):
    """Remove the value at `path`."""

    op: Literal["remove"]
    path: Path


class Replacement(Spec):
    """A value, and its replacement."""

    source: JsonValue = Field(alias="from")
    to: JsonValue


class Map(Spec):
    """Replace a value that equals a `from` of `values` by its `to`, others by `otherwise`.

    Without `otherwise`, other values stay.
    """

    op: Literal["map"]
    path: Path
    values: tuple[Replacement, ...]
    otherwise: JsonValue = None

    @property
    def has_otherwise(self) -> bool:
        """True if other values are replaced as well; null is a replacement, too."""
        return "otherwise" in self.model_fields_set


Step = Annotated[
    Rename | Move | Copy | Set | Default | Remove | Map, Field(discriminator="op")
]  # fmt: skip


class Migration(Spec):
    """Steps from every version in `start` (a range) to `to`, and the `down` steps back.

    `down` is None if the manifest does not declare the way back.
    """

    start: Annotated[str, AfterValidator(_is_range)] = Field(alias="from")
    to: Annotated[str, AfterValidator(_is_version)]
    steps: tuple[Step, ...]
    down: tuple[Step, ...] | None = None

    @cached_property
    def starts(self) -> VersionRange:
        """Return the range of versions that the steps start from."""
        return VersionRange.parse(self.start)


def readable(given: object) -> object:
    """Return the readable entries of a list from a manifest.

    A published manifest has readable entries only. Entries from the history, from before steps had
    a meaning, may have any shape: they are skipped, and only the schema decides.
    """
    return [each for each in map(_read, given) if each] if isinstance(given, list) else given


def _read(entry: object) -> Migration | None:
    try:
        return Migration.model_validate(entry)
    except ValidationError:
        return None
