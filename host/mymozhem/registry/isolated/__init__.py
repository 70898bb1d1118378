"""Code of apps in environments of their own: build, install, describe, list."""
