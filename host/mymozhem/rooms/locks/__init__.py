"""What a room is pinned to, who answers for it, and how both are proved."""
