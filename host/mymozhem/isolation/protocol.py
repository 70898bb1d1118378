"""What a host tells a worker when it starts it, and what comes back: one line of JSON each."""

import json
import os
from dataclasses import asdict, dataclass, field
from typing import Final

#: longer than any line that one of the two sides writes
MAX_LINE_BYTES = 64 * 1024

SOCKET_NAME = "app.sock"

#: the words of the lines that come back, in their order; after `PROBLEM` there is no `READY`
PID: Final = "pid"
READY: Final = "ready"
PROBLEM: Final = "problem"
ENDED: Final = "ended"


@dataclass(frozen=True)
class WorkerConfig:
    """What a worker needs to know; it never stands in its arguments or variables.

    `folder` is the worker's own: its home, its place for scratch files and for its socket, removed
    when it ends. `secret` is good for this start alone. `processes` is None where the user that it
    runs as has others, too. `body_bytes` is how long a question may be.
    """

    app_id: str
    distribution: str
    version: str
    folder: str
    secret: str = field(repr=False)
    memory_bytes: int
    body_bytes: int
    processes: int | None = None
    open_files: int = 256

    @property
    def socket(self) -> str:
        """Where the worker listens."""
        return f"{self.folder}/{SOCKET_NAME}"

    def line(self) -> bytes:
        """Return the orders as they are handed over."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def read(cls, descriptor: int) -> "WorkerConfig":
        """Read the line of orders, and not a byte behind it; ValueError where it is none."""
        line = bytearray()
        while not line.endswith(b"\n"):
            byte = os.read(descriptor, 1)
            if not byte or len(line) > MAX_LINE_BYTES:
                message = "there is no line of orders; only a host starts this program"
                raise ValueError(message)
            line += byte
        return cls(**json.loads(line))


def report(descriptor: int, word: str, value: object = True) -> None:  # noqa: FBT002  a JSON value
    """Tell the host something; that it is gone is no error."""
    try:
        os.write(descriptor, json.dumps({word: value}).encode()[: MAX_LINE_BYTES - 1] + b"\n")
    except BrokenPipeError:
        return
