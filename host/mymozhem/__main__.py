"""`python -m mymozhem` is `mymozhem`."""

from mymozhem.cli import main

main()
