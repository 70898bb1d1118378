"""The protocol between a host and a worker: one line of JSON in each direction."""

import json
import os
from dataclasses import asdict, dataclass, field
from typing import Final

#: longer than any line that either side writes
MAX_LINE_BYTES = 64 * 1024

SOCKET_NAME = "app.sock"

#: the keys of the reports, in their order; after `PROBLEM` there is no `READY`
PID: Final = "pid"
READY: Final = "ready"
PROBLEM: Final = "problem"
ENDED: Final = "ended"


@dataclass(frozen=True)
class WorkerConfig:
    """The configuration of a worker; it is never in its arguments or environment variables.

    `folder` is the worker's own: its home, and the place of its scratch files and its socket; it is
    removed when the worker ends. `secret` is valid for this start only. `processes` is None if the
    worker's user has other processes, too. `body_bytes` is the maximum length of a request.
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
        """The socket that the worker listens on."""
        return f"{self.folder}/{SOCKET_NAME}"

    def line(self) -> bytes:
        """Return the configuration as a line."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def read(cls, descriptor: int) -> "WorkerConfig":
        """Read the configuration's line, and no byte after it; ValueError if it is invalid."""
        line = bytearray()
        while not line.endswith(b"\n"):
            byte = os.read(descriptor, 1)
            if not byte or len(line) > MAX_LINE_BYTES:
                message = "there is no configuration; only a host starts this program"
                raise ValueError(message)
            line += byte
        return cls(**json.loads(line))


def report(descriptor: int, word: str, value: object = True) -> None:  # noqa: FBT002  a JSON value
    """Report something to the host; no error if the host is gone."""
    try:
        os.write(descriptor, json.dumps({word: value}).encode()[: MAX_LINE_BYTES - 1] + b"\n")
    except BrokenPipeError:
        return
