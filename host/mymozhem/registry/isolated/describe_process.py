"""Describe the app in an environment, in the environment's own interpreter.

Run as `python -I -m mymozhem.registry.isolated.describe_process` with the arguments DISTRIBUTION
VERSION SECONDS MEGABYTES. It prints one object: the app's `manifest`, or the `reasons` why it may
not run.
"""

import json
import os
import resource
import sys

from mymozhem.registry import discovery
from mymozhem.registry.loaded_code import AppCode
from mymozhem.registry.loader import load

from .wheels import normal

#: additional time, for the start of the process
_CPU_SECONDS = 10
_WRITTEN_BYTES = 16 * 1024 * 1024


def describe(distribution: str, version: str, seconds: float) -> dict[str, object]:
    """Import the app of a distribution and return its manifest, or why it may not run."""
    found = [
        each for each in discovery.discover() if normal(each.distribution) == normal(distribution)
    ]
    if [each.version for each in found] != [version]:
        others = ", ".join(each.version for each in found) or "nothing"
        return {"reasons": [f"the import finds {others}, not {distribution} {version}"]}
    code = load(found[0], seconds=seconds)
    if not isinstance(code, AppCode):
        return {"reasons": list(code.reasons)}
    return {"manifest": code.manifest.document}


def main() -> None:
    """Print the description to stdout; output of the app goes to stderr."""
    distribution, version, seconds, megabytes = sys.argv[1:]
    answer = os.dup(1)
    os.dup2(2, 1)
    _bound(resource.RLIMIT_CPU, int(float(seconds)) + _CPU_SECONDS)
    _bound(resource.RLIMIT_FSIZE, _WRITTEN_BYTES)
    _bound(resource.RLIMIT_AS, int(megabytes) * 1024 * 1024)
    said = json.dumps(describe(distribution, version, float(seconds)))
    os.write(answer, said.encode())
    os._exit(0)  # the app may have left threads that never end


def _bound(kind: int, most: int) -> None:
    _, hard = resource.getrlimit(kind)
    least = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (least, least))


if __name__ == "__main__":
    main()
