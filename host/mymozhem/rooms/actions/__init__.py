"""Actions: a participant or organizer asks the app of a room to do something."""
