"""Who did what, for operators: appended with the act itself, never changed."""
