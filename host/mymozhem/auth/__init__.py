"""Authentication and access: keys, tokens, accounts, and the table of who may call what."""
