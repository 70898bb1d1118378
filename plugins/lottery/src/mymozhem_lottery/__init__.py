"""The lottery app."""
