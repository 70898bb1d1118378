"""Create, update and delete rooms."""
