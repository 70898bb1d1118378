"""Use cases of accounts: invitations, sign-up, passwords, deactivation.

Each opens its transaction, writes the audit entry with it, and ends the sessions that it must end.
The API and the command line use them.
"""
