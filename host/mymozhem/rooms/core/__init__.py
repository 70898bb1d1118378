"""What every use case of rooms stands on: the transaction, membership, the event log."""
