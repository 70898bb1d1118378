"""Walk through a page as a reader does: write its files, type its commands, read what is printed.

The commands run in one shell, in a folder that looks like a checkout after `make install-dev`.
Nothing in them is replaced: the shell has MYMOZHEM_PORT, a free port, which readers may set as
well. Pages that begin with the same command, such as `make run`, can share the host that it starts.
"""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.timing import HANG_TIMEOUT

from .blocks import ROOT, Block, blocks

_MARK = "=== block {} ==="
# A server is a job of its own, as in a terminal: Ctrl+C is what ends it before the next one.
_HEAD = """set -euo pipefail
SERVER=
stop() {
  if [ -n "$SERVER" ]; then kill -INT -- "-$SERVER" 2> /dev/null; wait "$SERVER" || true; fi
  SERVER=
}
trap stop EXIT
trap 'exit 1' TERM"""
_SERVER = """stop
set -m
({command}) > {log} 2>&1 &
SERVER=$!
set +m
{wait} "$MYMOZHEM_PORT" {log} {until} "$SERVER" || {{ cat {log} >&2; exit 1; }}"""
_WAIT = shlex.join(
    [sys.executable, "-I", "-S", str(Path(__file__).with_name("wait_ready.py")), str(HANG_TIMEOUT)]
)
_READY = "the host is ready"


@dataclass(frozen=True)
class Walked:
    """What a walk printed, by block; `problem` is None where every command ended well."""

    printed: dict[Block, str]
    problem: str | None


@dataclass(frozen=True)
class SharedHost:
    """A host that a command started in a checkout, for all pages that begin with that command."""

    command: str
    folder: Path
    port: int

    @property
    def printed(self) -> str:
        """What the command has printed until now."""
        return (self.folder / "server.log").read_text(errors="replace")


def checkout(folder: Path) -> Path:
    """Make a folder look like an installed checkout, with an environment of its own."""
    for entry in ROOT.iterdir():
        if entry.name not in {".venv", ".git"}:
            (folder / entry.name).symlink_to(entry)
    environment = folder / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    inside = {"base": str(environment), "platbase": str(environment)}
    site = Path(sysconfig.get_path("purelib", "venv", inside))
    here = sysconfig.get_path("purelib")
    (site / "checkout.pth").write_text(f"import site; site.addsitedir({here!r})\n")
    for name in ("mymozhem", "pip"):
        _command(environment / "bin", name)
    for stamp in (".installed", ".installed-dev"):
        (environment / stamp).touch()
    return folder


@contextmanager
def shared_host(command: str, folder: Path) -> Iterator[SharedHost]:
    """Type a command that starts a host in a checkout; stop the host with Ctrl+C at the end."""
    host = SharedHost(command, folder, _free_port())
    server = _SERVER.format(command=command, log="server.log", until="''", wait=_WAIT)
    (folder / "serve.sh").write_text(f"{_HEAD}\n{server}\necho {_READY}\nread -r || true\n")
    run = _shell("serve.sh", folder, _environment(folder, host.port), stdin=subprocess.PIPE)
    try:
        assert run.stdout is not None
        if run.stdout.readline().strip() != _READY:
            raise AssertionError(run.communicate(timeout=HANG_TIMEOUT)[1])
        yield host
        run.communicate(timeout=HANG_TIMEOUT)
    finally:
        _end(run)


def starts_with(page: Path, command: str) -> bool:
    """Return whether the first command of a page starts a host."""
    first = next(block for block in blocks(page) if block.language == "sh")
    return "server" in first.words and first.text.strip() == command


def walk(page: Path, folder: Path, host: SharedHost | None = None) -> Walked:
    """Walk through a page in a checkout and return what each block printed.

    The first command of the page is not typed again if `host` is what it starts.
    """
    steps = list(blocks(page))
    skipped = steps[0] if host is not None else None
    assert host is None or starts_with(page, host.command)
    script = "\n".join(
        [_HEAD, *(_step(n, step) for n, step in enumerate(steps) if step is not skipped)]
    )
    (folder / "walk.sh").write_text(f"{script}\n")
    home, port = (host.folder, host.port) if host is not None else (folder, _free_port())
    run = _shell("walk.sh", folder, _environment(home, port), stdin=subprocess.DEVNULL)
    try:
        printed, complaints = run.communicate(timeout=HANG_TIMEOUT)
    finally:
        _end(run)
    pieces = re.split(r"^=== block (\d+) ===\n", printed, flags=re.MULTILINE)
    by_block = {steps[int(n)]: text for n, text in zip(pieces[1::2], pieces[2::2], strict=True)}
    for log in folder.glob("server-*.log"):
        by_block[steps[int(log.stem.removeprefix("server-"))]] = log.read_text()
    if host is not None:
        by_block[steps[0]] = host.printed
    if run.returncode == 0:
        return Walked(by_block, None)
    last = list(by_block)[-1] if by_block else page
    return Walked(by_block, f"{last}: exit status {run.returncode}\n{printed}\n{complaints}")


def expectations(page: Path) -> list[tuple[Block, Block]]:
    """Return each block of commands with the block that shows what it prints."""
    found, last = [], None
    for block in blocks(page):
        if block.language == "sh":
            last = block
        elif "output" in block.words and last is not None:
            found.append((last, block))
    return found


def matches(expected: str, printed: str) -> bool:
    """Tell whether a text was printed; `…` stands for anything, also for several lines."""
    parts = [re.escape(part) for part in expected.strip().split("…")]
    return re.fullmatch(".*?".join(parts), printed.strip(), flags=re.DOTALL) is not None


def _command(folder: Path, name: str) -> None:
    command = folder / name
    python = shlex.quote(str(folder / "python"))
    command.write_text(f'#!/bin/sh\nexec {python} -m {name} "$@"\n')
    command.chmod(0o755)


def _step(number: int, block: Block) -> str:
    if block.file is not None:
        path = shlex.quote(block.file)
        return f"cat > {path} <<'END OF FILE'\n{block.text}END OF FILE"
    if block.language != "sh":
        return ""
    mark = f"printf '\\n%s\\n' {shlex.quote(_MARK.format(number))}"
    if "server" in block.words:
        log, until = f"server-{number}.log", shlex.quote(block.until)
        command = block.text.strip()
        return f"{mark}\n" + _SERVER.format(command=command, log=log, until=until, wait=_WAIT)
    return f"{mark}\n{block.text}"


def _shell(
    script: str, folder: Path, environment: dict[str, str], *, stdin: int
) -> "subprocess.Popen[str]":
    """Run a script in a session of its own."""
    return subprocess.Popen(
        ["bash", script], cwd=folder, env=environment, text=True,
        stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def _environment(home: Path, port: int) -> dict[str, str]:
    known = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    return known | {
        "HOME": str(home), "MYMOZHEM_PORT": str(port),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INDEX": "1",
    }  # fmt: skip


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def _end(run: "subprocess.Popen[str]") -> None:
    """End the shell and the host that it started: they are a session of their own."""
    try:
        os.killpg(run.pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    run.wait(timeout=HANG_TIMEOUT)
