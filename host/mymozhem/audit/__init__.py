"""The audit log for operators: appended in the transaction of the act, never changed."""
