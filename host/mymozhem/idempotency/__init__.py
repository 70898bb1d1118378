"""Idempotency keys, stored in the transaction of their effect."""
