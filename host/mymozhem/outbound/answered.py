"""What comes back from a request."""

from typing import NamedTuple


class Answered(NamedTuple):
    """An answer: the media type in lower case without parameters; a body where the status is 200.

    Bodies of other statuses are not read.
    """

    status: int
    content_type: str
    body: bytes
