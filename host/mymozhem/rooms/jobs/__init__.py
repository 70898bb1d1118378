"""Jobs: draws, windows, timers and changes that are due, processed under leases."""
