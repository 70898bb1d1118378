"""What operators see of a running host."""
