"""The webhook transport: send a signed POST and read the response."""
