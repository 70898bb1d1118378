"""Notifications to the people of a room."""
