"""Draws: asked for, committed, drawn, revealed or voided; each step is one transaction."""
