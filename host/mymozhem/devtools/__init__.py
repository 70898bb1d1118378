"""Tools for authors of apps: create a project, try it on a host, check it."""
