"""The names that follow from the name of a new app: its id, module, distribution and title."""

import keyword
import re
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from mymozhem.errors import Invalid
from mymozhem.manifests.semantic_checks import RESERVED_IDS
from mymozhem.registry.discovery import by_id, discover

#: shorter than the limit of ids, so that files and lines of code stay readable
MIN_LENGTH, MAX_LENGTH = 2, 32
_ID = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")


#: names of packages of the platform
_OURS = frozenset({"host", "testing"})


@dataclass(frozen=True)
class Names:
    """The names of a new app in all places."""

    id: str

    @classmethod
    def of(cls, name: str) -> "Names":
        """Return the names of an app; raises `Invalid` if the name is not allowed."""
        if not MIN_LENGTH <= len(name) <= MAX_LENGTH or _ID.fullmatch(name) is None:
            raise Invalid(
                f"An app cannot be called {name!r}: write {MIN_LENGTH} to {MAX_LENGTH} small "
                "letters and digits, beginning with a letter, with single dashes between words.",
                code="APP_NAME",
            )
        names = cls(name)
        names.require_free()
        return names

    def require_free(self) -> None:
        """Raise `Invalid` if a project of this name would be no valid app, or hide another one."""
        if self.slug in RESERVED_IDS or self.id in RESERVED_IDS:
            raise Invalid(
                f"An app cannot be called {self.id!r}: the events of the platform begin with this "
                "word. Choose another name.",
                code="APP_NAME",
            )
        if _is_word_of_python(self.id):
            raise Invalid(
                f"An app cannot be called {self.id!r}: it is a keyword or a module of Python. "
                f"Choose another name, such as {self.id}-app.",
                code="APP_NAME",
            )
        taken = find_spec(self.module) is not None or _is_installed(self.distribution)
        if taken or self.slug in _OURS or by_id(discover()).get(self.id):
            raise Invalid(
                f"An app cannot be called {self.id!r}: there is already a package "
                f"{self.distribution}, and the new one would hide it. Choose another name.",
                code="APP_NAME",
            )

    @property
    def slug(self) -> str:
        """The name in addresses and package names."""
        return self.id.replace("_", "-")

    @property
    def distribution(self) -> str:
        """The name of the package for pip."""
        return f"mymozhem-{self.slug}"

    @property
    def module(self) -> str:
        """The name of the module in Python."""
        return f"mymozhem_{self.id.replace('-', '_')}"

    @property
    def title(self) -> str:
        """The name that users read."""
        return self.slug.replace("-", " ").capitalize()


def _is_word_of_python(name: str) -> bool:
    word = name.replace("-", "_")
    return keyword.iskeyword(word) or keyword.issoftkeyword(word) or word in sys.stdlib_module_names


def _is_installed(distribution: str) -> bool:
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True
