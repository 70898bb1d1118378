"""Code of apps in isolated environments: build, install, describe, list."""
