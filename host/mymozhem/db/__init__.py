"""The database: base classes of tables, the engines, and the only place that commits."""
