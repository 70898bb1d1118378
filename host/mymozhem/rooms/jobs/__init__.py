"""What is due: draws, timers and changes, taken with a lease and done by a host's jobs."""
