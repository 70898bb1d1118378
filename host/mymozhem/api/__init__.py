"""HTTP in, HTTP out: what the platform can do, as routes that a table of access governs."""
