"""All outgoing HTTP: one client with limits, and a guard that checks the addresses."""

from .client import Answered, Outbound
from .errors import AddressForbidden, Unreachable, Unreadable
from .guard import Guard

__all__ = ["AddressForbidden", "Answered", "Guard", "Outbound", "Unreachable", "Unreadable"]
