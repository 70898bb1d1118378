"""What `mymozhem app dev` and the process that holds the app agree on; it imports nothing."""

#: seconds that the process has to end, before it is killed
STOP_SECONDS = 5.0
#: what is written to the process, to print the last call again
AGAIN = b"f"
