"""What authors of apps work with: a new project, a host to try it on, a verdict."""
