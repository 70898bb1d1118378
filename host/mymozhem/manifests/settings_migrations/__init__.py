"""Steps that carry a room's settings from one version of an app to another: read, and done."""
