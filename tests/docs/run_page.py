"""Walk through a page as a reader does: write its files, type its commands, read what is printed.

The commands run in one shell, in a folder that looks like a checkout after `make install-dev`.
Nothing in them is replaced: the shell has MYMOZHEM_PORT, a free port, which readers may set as
well.
"""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import sysconfig
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
READY="http://127.0.0.1:$MYMOZHEM_PORT/health/ready"
for _ in $(seq 1200); do
  curl -sf "$READY" > /dev/null && grep -q -- {until} {log} && break
  kill -0 $SERVER || {{ cat {log} >&2; exit 1; }}
  sleep 0.1
done"""


@dataclass(frozen=True)
class Walked:
    """What a walk printed, by block; `problem` is None where every command ended well."""

    printed: dict[Block, str]
    problem: str | None


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


def walk(page: Path, folder: Path) -> Walked:
    """Walk through a page in a checkout and return what each block printed."""
    steps = list(blocks(page))
    script = "\n".join([_HEAD, *(_step(n, step) for n, step in enumerate(steps))])
    (folder / "walk.sh").write_text(f"{script}\n")
    run = subprocess.Popen(
        ["bash", "walk.sh"], cwd=folder, env=_environment(folder), text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    try:
        printed, complaints = run.communicate(timeout=HANG_TIMEOUT)
    finally:
        _end(run)
    pieces = re.split(r"^=== block (\d+) ===\n", printed, flags=re.MULTILINE)
    by_block = {steps[int(n)]: text for n, text in zip(pieces[1::2], pieces[2::2], strict=True)}
    for log in folder.glob("server-*.log"):
        by_block[steps[int(log.stem.removeprefix("server-"))]] = log.read_text()
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
        return f"{mark}\n" + _SERVER.format(command=block.text.strip(), log=log, until=until)
    return f"{mark}\n{block.text}"


def _environment(folder: Path) -> dict[str, str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    known = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    return known | {
        "HOME": str(folder), "MYMOZHEM_PORT": str(port), "PYTHONDONTWRITEBYTECODE": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INDEX": "1",
    }  # fmt: skip


def _end(run: "subprocess.Popen[str]") -> None:
    """End the shell and the host that it started: they are a session of their own."""
    try:
        os.killpg(run.pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    run.wait(timeout=HANG_TIMEOUT)
