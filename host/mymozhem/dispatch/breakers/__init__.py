"""Circuit breakers: one per app version and capability, shared by processes."""
