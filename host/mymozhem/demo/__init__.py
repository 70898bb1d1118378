"""A host with something to see: sample rooms, demo people, and evenings that apps play."""
