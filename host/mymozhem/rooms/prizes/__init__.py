"""Prizes, their inventory, and who won them."""
