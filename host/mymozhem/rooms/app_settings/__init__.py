"""Settings of the app in a room: update and import."""
