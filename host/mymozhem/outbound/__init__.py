"""All outgoing HTTP: one client with limits, and a guard that checks the addresses."""

from .answered import Answered
from .errors import AddressForbidden, Unreachable, Unreadable
from .guard import Guard
from .outbound import Outbound, load_client

__all__ = [
    "AddressForbidden",
    "Answered",
    "Guard",
    "Outbound",
    "Unreachable",
    "Unreadable",
    "load_client",
]
