"""The referee: the differences of two manifests, and which version bump they require.

`compare(old, new)` is a pure function over two valid manifests. For each change it returns the
class and who has to agree; the required bump is the largest class. Schemas are compared by a
documented subset of JSON Schema: a difference outside of it is major, because its effect is
unknown. The classes are in `change_codes.RULES`; `docs/reference/referee.md` explains them.
"""

from .compare import compare
from .model import Bump, Change, Consenter, Diff, as_json, least_version

__all__ = ["Bump", "Change", "Consenter", "Diff", "as_json", "compare", "least_version"]
