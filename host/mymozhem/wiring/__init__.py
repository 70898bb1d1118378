"""The composition root: how the parts of a process are put together."""
