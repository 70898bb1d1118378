"""Wait until a host is ready and has printed a word.

The exit status is 1 if the host ends before, or if it hangs.

A walk waits in this one process, because a shell needs several processes each time it looks.
"""

import os
import socket
import sys
import time
from pathlib import Path

_LOOK_AGAIN = 0.1


def main(seconds: str, port: str, log: str, word: str, pid: str) -> int:
    """Wait for the host with that port, log file and process id, for `seconds` at most."""
    ends = time.monotonic() + float(seconds)
    while not (_is_ready(int(port), float(seconds)) and word in _text(Path(log))):
        if not _lives(int(pid)) or time.monotonic() > ends:
            return 1
        time.sleep(_LOOK_AGAIN)
    return 0


def _text(log: Path) -> str:
    # The host may have written only a part of a letter.
    return log.read_text(encoding="utf-8", errors="replace")


def _is_ready(port: int, seconds: float) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), seconds) as host:
            host.sendall(b"GET /health/ready HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
            return host.makefile("rb").readline().split()[1:2] == [b"200"]
    except OSError:
        return False


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
