"""Which apps exist, in which versions, and the code that was loaded for them."""
