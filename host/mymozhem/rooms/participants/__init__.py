"""Join a room, and manage who is in it."""
