"""What callers may see of rooms, each at their own level; nothing here writes."""
