"""Actions: a participant or organizer lets the app of a room do something."""
