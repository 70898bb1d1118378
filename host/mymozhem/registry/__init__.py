"""The apps of a host: their versions, their state, and the code that is loaded for them."""
