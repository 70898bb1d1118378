"""Upgrades: plan, move and roll back rooms to another version of their app, also in bulk."""
