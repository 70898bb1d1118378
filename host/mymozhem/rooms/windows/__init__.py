"""Windows: periods in which participants submit; the host counts, judges and settles them."""
