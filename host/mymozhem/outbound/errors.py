"""Errors of requests; the messages contain no address and no content.

A timeout is Python's own `TimeoutError`.
"""

from mymozhem.errors import Invalid, Unavailable


class AddressForbidden(Invalid):
    """This address may not be reached; an operator can allow its network."""

    default_code = "ADDRESS_FORBIDDEN"


class Unreachable(Unavailable):
    """No connection: an unknown name, a closed port, a TLS failure, or a broken connection."""

    default_code = "UNREACHABLE"


class Unreadable(Unavailable):
    """The response is larger than the limit, encoded, or not HTTP."""

    default_code = "UNREADABLE"
