"""The webhook transport: a signed POST, and the reading of its response."""
