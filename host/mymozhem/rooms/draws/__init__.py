"""Draws: requested, committed, drawn, revealed or voided; each step is one transaction."""
