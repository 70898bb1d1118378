"""The only way out over HTTP: one client with limits, and a guard over the addresses it reaches."""

from .client import Answered, Outbound
from .errors import AddressForbidden, Unreachable, Unreadable
from .guard import Guard

__all__ = ["AddressForbidden", "Answered", "Guard", "Outbound", "Unreachable", "Unreadable"]
