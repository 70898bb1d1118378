"""Manifests and their schemas: pure functions over documents. Nothing here opens a socket."""
