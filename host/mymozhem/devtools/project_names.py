"""The names that follow from the name of a new app: its id, module, distribution and title."""

import re
from dataclasses import dataclass

from mymozhem.errors import Invalid

#: shorter than the limit of ids, so that files and lines of code stay readable
MIN_LENGTH, MAX_LENGTH = 2, 32
_ID = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")


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
        return cls(name)

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
