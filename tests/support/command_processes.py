"""Run commands as processes of their own, forked before anything of the host is imported.

A command's process imports what it needs of the host, and no more, as `python -m mymozhem` does;
only other packages are imported already, which is half of the time that a process takes to start.
The common parent is this module, run as a program.
"""

import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

OWN = ("mymozhem", "mymozhem_lottery", "mymozhem_quiz", "tests")


class CommandProcesses:
    """Runs commands, one after the other; a context manager."""

    def __enter__(self) -> Self:
        self._parent = subprocess.Popen(
            [sys.executable, "-m", "tests.support.command_processes"],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._parent.communicate()

    def run(
        self,
        words: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        seconds: float,
        text: str = "",
    ) -> subprocess.CompletedProcess[str]:
        """Run `mymozhem` with these words and wait for it; `text` is its standard input.

        A process that has not ended after `seconds` is ended by SIGALRM.
        """
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder, name) for name in ("stdin", "stdout", "stderr")]
            files[0].write_text(text)
            order = {
                "words": words,
                "cwd": str(cwd),
                "env": env,
                "seconds": seconds,
                "files": list(map(str, files)),
            }
            self._parent.stdin.write(json.dumps(order) + "\n")
            self._parent.stdin.flush()
            status = json.loads(self._parent.stdout.readline())
            return subprocess.CompletedProcess(words, status, *(map(Path.read_text, files[1:])))


def main() -> None:
    """Fork a process for each order on the standard input, and write how it ended."""
    for name in _other_packages():
        with suppress(ImportError):  # what the host tries to import, and does without
            importlib.import_module(name)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _become(json.loads(line))
            return
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201  the answer


def _other_packages() -> list[str]:
    """Return the modules of other packages that a host imports, in the order of their import."""
    program = "import json, sys, mymozhem.app, mymozhem.cli; print(json.dumps([*sys.modules]))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    return [name for name in json.loads(done.stdout) if name.split(".")[0] not in OWN]


def _become(order: Mapping[str, Any]) -> None:
    """Be the process of a command; an error or SystemExit ends it as it ends an interpreter."""
    signal.setitimer(signal.ITIMER_REAL, order["seconds"])
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    for number, file in enumerate(order["files"]):
        opened = os.open(file, os.O_RDWR | os.O_CREAT)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  open until the end
    sys.argv[1:] = order["words"]
    sys.path[0] = order["cwd"]
    runpy.run_module("mymozhem", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
