"""Why something could not be fetched; the sentences name no address and no content.

A deadline that passes is Python's own `TimeoutError`.
"""

from mymozhem.errors import Invalid, Unavailable


class AddressForbidden(Invalid):
    """This address may not be reached; an operator can allow its network."""

    default_code = "ADDRESS_FORBIDDEN"


class Unreachable(Unavailable):
    """No connection: the name is unknown, the port is closed, TLS failed, or it was cut."""

    default_code = "UNREACHABLE"


class Unreadable(Unavailable):
    """The answer is larger than the limit, encoded, or no HTTP."""

    default_code = "UNREADABLE"
