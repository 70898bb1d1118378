"""The HTTP API: routes to the use cases, governed by a table of access."""
