"""Patterns that a backtracking engine may run for ever on.

The host's own engine is linear whatever the pattern says, but browsers run the same pattern in the
forms that are made from a manifest, and theirs is not.
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
    """One alternative of a group: whether anything in it must be there, anything may go on."""

    fixed: bool = False
    endless: bool = False

    def take(self, *, endless: bool, optional: bool) -> None:
        self.endless = self.endless or endless
        self.fixed = self.fixed or not (endless or optional)

    @property
    def loose(self) -> bool:
        """Tell whether the branch is nothing but repetitions, so that its end may lie anywhere."""
        return self.endless and not self.fixed


def repeats_repeats(pattern: str) -> bool:
    """Tell whether a pattern repeats what is itself nothing but repetitions, as `^(a+)+$` does.

    A group with something fixed in it, as in `^[a-z]+(-[a-z]+)*$`, is no such thing.
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
