"""Moving rooms to another version of their app: planned, done, undone, one by one or in bulk."""
