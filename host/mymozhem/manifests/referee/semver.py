"""The bump between two versions, by semver."""

from typing import Literal

import semver

Level = Literal["patch", "minor", "major"]


def declared_level(old: str, new: str) -> Level | None:
    """Return the bump between two versions; None if the new one is not greater, or one is invalid.

    Below 1.0.0 the first number that is not zero counts as the major one: 0.1.0 to 0.2.0 and 0.0.1
    to 0.0.2 are major, 0.1.1 to 0.1.2 is minor. Between pre-releases of one version, and from them
    to the release, everything is allowed that the numbers allow: 2.0.0-rc.1 to 2.0.0 is major,
    1.1.0-rc.1 to 1.1.0 minor. Build metadata makes no version greater. Source: semver 2.0.0,
    clauses 4 and 9 to 11.
    """
    try:
        before, after = semver.Version.parse(old), semver.Version.parse(new)
    except ValueError:
        return None
    if after.compare(before) <= 0:
        return None
    if before.to_tuple()[:3] == after.to_tuple()[:3]:
        return _level_of(after)
    if before.major != after.major:
        return "major"
    if before.minor != after.minor:
        return "minor" if after.major else "major"
    if after.major:
        return "patch"
    return "minor" if after.minor else "major"


def _level_of(version: semver.Version) -> Level:
    if version.major and version.patch:
        return "patch"
    if (version.major and version.minor) or (version.minor and version.patch):
        return "minor"
    return "major"
