"""What happens in rooms: a file per use case, and the only writers of a room's rows."""
