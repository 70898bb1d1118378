"""Demo data: sample rooms, demo accounts, and the scripted events of apps."""
