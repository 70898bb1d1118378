"""What the checks of `mymozhem doctor` find."""

from dataclasses import asdict, dataclass
from typing import Literal

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class Finding:
    """The result of one check; the level `problem` means that an event would be affected.

    `do` is what to do about it, None if nothing needs to be done.
    """

    level: Level
    what: str
    says: str
    do: str | None = None

    def document(self) -> dict[str, str | None]:
        """Return the finding as JSON."""
        return asdict(self)
