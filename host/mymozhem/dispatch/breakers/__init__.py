"""Circuit breakers, one per app version and capability; processes share their state."""
