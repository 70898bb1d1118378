"""The steps, in their order; Alembic reads the files and never imports this."""
