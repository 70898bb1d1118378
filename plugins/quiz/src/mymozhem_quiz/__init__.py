"""The quiz app."""
