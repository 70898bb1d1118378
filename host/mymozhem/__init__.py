"""mymozhem: a manifest-driven host for live events run by apps."""
