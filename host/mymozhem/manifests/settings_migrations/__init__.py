"""Steps that migrate a room's settings from one version of an app to another."""
