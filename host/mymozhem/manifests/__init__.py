"""Manifests and their schemas: pure functions over documents, without network access."""
