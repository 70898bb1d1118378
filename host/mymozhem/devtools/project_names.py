"""The names that follow from the name of a new app: its id, module, distribution and title."""

import re
from dataclasses import dataclass

from mymozhem.errors import Invalid

#: less than ids may have, so that files, modules and lines of code stay readable
MIN_LENGTH, MAX_LENGTH = 2, 32
_ID = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")


@dataclass(frozen=True)
class Names:
    """What a new app is called, wherever it is called something."""

    id: str

    @classmethod
    def of(cls, name: str) -> "Names":
        """Return the names of an app; raises `Invalid` where it cannot be called so."""
        if not MIN_LENGTH <= len(name) <= MAX_LENGTH or _ID.fullmatch(name) is None:
            raise Invalid(
                f"An app cannot be called {name!r}: write {MIN_LENGTH} to {MAX_LENGTH} small "
                "letters and digits, beginning with a letter, with single dashes between words.",
                code="APP_NAME",
            )
        return cls(name)

    @property
    def slug(self) -> str:
        """The name as it stands in addresses and names of packages."""
        return self.id.replace("_", "-")

    @property
    def distribution(self) -> str:
        """What pip calls the package."""
        return f"mymozhem-{self.slug}"

    @property
    def module(self) -> str:
        """What Python imports."""
        return f"mymozhem_{self.id.replace('-', '_')}"

    @property
    def title(self) -> str:
        """What people read."""
        return self.slug.replace("-", " ").capitalize()
