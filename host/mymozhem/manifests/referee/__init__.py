"""The referee: what two versions of a manifest differ in, and how far the version has to move.

`compare(old, new)` is a pure function over two valid manifests. It says change by change what class
it is and who has to agree; the required bump is the largest. Schemas are compared by a documented
subset of JSON Schema: what lies outside it and differs is major, because nobody knows. The classes
are in `table.RULES`, the words around them in `docs/reference/referee.md`.
"""

from .compare import compare
from .model import Bump, Change, Consenter, Diff, as_json, least_version

__all__ = ["Bump", "Change", "Consenter", "Diff", "as_json", "compare", "least_version"]
