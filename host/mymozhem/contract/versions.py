"""Ranges of versions, and the version of the contract that host and app have in common."""

import re
from dataclasses import dataclass

import semver

#: the newest version of the contract that the host speaks
CONTRACT_VERSION = "1.1"

#: every version that the host speaks, the newest first
CONTRACT_VERSIONS = (CONTRACT_VERSION, "1.0")

_PART = re.compile(r"^(>=|<=|>|<|==|=|!=)?(\d+)(?:\.(\d+))?(?:\.(\d+))?((?:-[0-9A-Za-z.-]+)?)$")


@dataclass(frozen=True)
class VersionRange:
    """A range such as `>=1,<2` or `>=1.0 <2.0`: comparisons that must all hold."""

    text: str
    parts: tuple[tuple[str, semver.Version], ...]

    @classmethod
    def parse(cls, text: str) -> "VersionRange":
        """Parse a range; ValueError if it is invalid. A bare version means exactly that version."""
        words = [word for word in re.split(r"[,\s]+", text.strip()) if word]
        if not words:
            msg = "a version range needs at least one comparison, such as '>=1,<2'"
            raise ValueError(msg)
        return cls(text, tuple(_part(word) for word in words))

    def __contains__(self, version: str) -> bool:
        found = as_version(version)
        return all(_holds(found, operator, bound) for operator, bound in self.parts)


def as_version(text: str) -> semver.Version:
    """Parse `1`, `1.0` or `1.0.0` as a version; ValueError if it is invalid."""
    return semver.Version.parse(text, optional_minor_and_patch=True)


def spoken(contract_range: str) -> str | None:
    """Return the newest version of the contract that host and app speak; None if there is none.

    `contract_range` is what the app's manifest declares. ValueError if it is no range.
    """
    declared = VersionRange.parse(contract_range)
    return next((version for version in CONTRACT_VERSIONS if version in declared), None)


def _part(word: str) -> tuple[str, semver.Version]:
    match = _PART.match(word)
    if match is None:
        msg = f"{word!r} is no version comparison; write one such as '>=1.2'"
        raise ValueError(msg)
    operator, major, minor, patch, pre = match.groups()
    bound = semver.Version.parse(f"{major}.{minor or 0}.{patch or 0}{pre}")
    return ("==" if operator in (None, "=") else operator), bound


def _holds(version: semver.Version, operator: str, bound: semver.Version) -> bool:
    order = version.compare(bound)
    return {
        ">=": order >= 0,
        "<=": order <= 0,
        ">": order > 0,
        "<": order < 0,
        "==": order == 0,
        "!=": order != 0,
    }[operator]
