"""Give each package in a lock file one line per set of its extras, and one line without extras.

pip 23.2 matches a requirement only with a line that has exactly the same extras. If a lock file has
`foo[x]==1`, and another package requires `foo`, that pip takes the newest release of `foo`, which
has no hash in the lock file. Changes the files that its arguments name. Idempotent.
"""

import re
import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

_ENTRY = re.compile(r"([\w.-]+)(?:\[([\w.,-]+)\])?(==.*)", re.DOTALL)


def spell_out(lock: str) -> str:
    """Return the lock file with a line for every set of extras."""
    entries = re.split(r"^(?=\w)", lock, flags=re.MULTILINE)
    return "".join(dict.fromkeys(line for entry in entries for line in _lines(entry)))


def _lines(entry: str) -> Iterator[str]:
    found = _ENTRY.fullmatch(entry)
    if found is None or found[2] is None:
        yield entry
        return
    name, extras, pinned = found[1], found[2].split(","), found[3]
    yield name + pinned
    for count in range(1, len(extras) + 1):
        for some in combinations(extras, count):
            yield f"{name}[{','.join(some)}]{pinned}"


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_text(spell_out(path.read_text(encoding="utf-8")), encoding="utf-8")
