"""Room locks: what a room is pinned to, what serves it, and how both are verified."""
