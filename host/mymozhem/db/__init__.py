"""The database: what tables are made of, the engines, and the one place that commits."""
