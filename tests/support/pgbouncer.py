"""PgBouncer in front of a database of a test."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")


@contextmanager
def pgbouncer(database_url: str) -> Iterator[str]:
    """Run PgBouncer in transaction mode, with two connections to the server; yield its address.

    Skips the test if it is not installed.
    """
    if PROGRAM is None:
        pytest.skip("PgBouncer is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    parts = urlsplit(database_url)
    name, user = parts.path[1:], parts.username or "postgres"
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        folder.chmod(0o755)  # it does not run as root
        (folder / "users").write_text(f'"{user}" "{parts.password or ""}"\n')
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\n{name} = host={parts.hostname} port={parts.port or 5432} user={user}"
            f" dbname={name} pool_size=2\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
            f"listen_port = {port}\nauth_type = trust\nauth_file = {folder}/users\n"
            "pool_mode = transaction\nunix_socket_dir =\n"
        )
        command = [PROGRAM, "-q", str(folder / "pgbouncer.ini")]
        command += ["-u", "nobody"] if os.getuid() == 0 else []
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            _wait_for(port)
            yield f"postgresql://{user}@127.0.0.1:{port}/{name}"
        finally:
            process.terminate()
            process.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("PgBouncer does not listen")
