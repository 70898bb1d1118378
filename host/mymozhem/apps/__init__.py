"""Use cases of apps: a module per use case, the same for the API and for commands.

Each takes the services, the caller and the id of the app. It checks what the caller may do, opens
the transaction, writes the audit entry with it, and refreshes the catalog of this process.
"""
