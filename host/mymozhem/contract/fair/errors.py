"""Why a draw cannot be computed, or a record cannot be read.

::

    FairnessError             a ValueError: these values give no verifiable draw
    ├── ChainExhausted        the chain has no link with that number
    ├── DrawTooLarge          more entries, tickets or rounds than a draw may have
    ├── InvalidPublicInput    a value of a public source that has no canonical text
    ├── NotComputable         the app's own algorithm; nobody else can compute it
    └── UnreadableRecord      a file that is no JSON document, or an ambiguous one
"""


class FairnessError(ValueError):
    """These values give no verifiable draw; the message says why."""


class ChainExhausted(FairnessError):
    """A chain has links 1 to 65535; open a new room for further draws."""


class DrawTooLarge(FairnessError):
    """A draw exceeds a limit: it has `found` of `what`, and `limit` are allowed."""

    def __init__(self, what: str, *, found: int, limit: int) -> None:
        super().__init__(f"{found} {what}, but a draw may have {limit} at most")
        self.what = what
        self.found = found
        self.limit = limit


class InvalidPublicInput(FairnessError):
    """The values of the public sources do not fit the rule; correct them and run again."""


class NotComputable(FairnessError):
    """Only the app knows its own algorithm; call the app, or use the announced fallback."""


class UnreadableRecord(FairnessError):
    """The file is no JSON document that can be a draw's record."""
