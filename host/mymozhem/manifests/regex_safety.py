"""Find patterns on which a backtracking regex engine may run practically for ever.

The host's own engine is linear for every pattern. But browsers run the same pattern in the forms
that are made from a manifest, and their engines are not linear.
"""

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
    (?P<class>\[\^?\]?(?:\\.|[^\]\\])*\])
  | (?P<open>\((?:\?(?:[a-zA-Z-]*:|P?<\w+>))?)
  | (?P<close>\))
  | (?P<or>\|)
  | (?P<edge>\^|\$|\\[bBAz])
  | (?P<atom>\\[pP]\{[^}]*\}|\\.|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_REPEAT = re.compile(r"(?P<endless>[*+]|\{\d+,\})|(?P<optional>\?|\{0,\d+\})|\{\d+(,\d+)?\}")


@dataclass
class _Branch:
    """One alternative of a group: whether a part of it is fixed, and whether a part repeats."""

    fixed: bool = False
    endless: bool = False

    def take(self, *, endless: bool, optional: bool) -> None:
        self.endless = self.endless or endless
        self.fixed = self.fixed or not (endless or optional)

    @property
    def loose(self) -> bool:
        """True if the branch consists only of repetitions, so that it may end anywhere."""
        return self.endless and not self.fixed


def repeats_repeats(pattern: str) -> bool:
    """Return whether a pattern repeats a group of only repetitions, as `^(a+)+$` does.

    A group with a fixed part, as in `^[a-z]+(-[a-z]+)*$`, is safe.
    """
    groups: list[list[_Branch]] = [[_Branch()]]
    position = 0
    while token := _TOKEN.match(pattern, position):
        repeat = _REPEAT.match(pattern, token.end())
        position = token.end()
        endless = bool(repeat and repeat["endless"])
        optional = bool(repeat and repeat["optional"])
        match token.lastgroup:
            case "open":
                groups.append([_Branch()])
                continue
            case "or":
                groups[-1].append(_Branch())
                continue
            case "close" if len(groups) > 1:
                loose = any(branch.loose for branch in groups.pop())
                if loose and endless:
                    return True
                groups[-1][-1].take(endless=endless or loose, optional=optional)
            case "atom" | "class":
                groups[-1][-1].take(endless=endless, optional=optional)
        position = repeat.end() if repeat else position
        position += pattern.startswith("?", position) if repeat else 0
    return False
