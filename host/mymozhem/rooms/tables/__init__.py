"""The tables of rooms, one module per feature."""
