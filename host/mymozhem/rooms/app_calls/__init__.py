"""Calling the app of a room: exchanges, pending calls, retries, fallbacks."""
