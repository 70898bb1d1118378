"""Start to ready, with two apps, against a process that imports Quart and SQLAlchemy and answers.

Both are served by uvicorn and asked until they answer. The host finds its database made, as at
every start but the first. Installed is not enabled: 200 more plugins are there and not loaded.
"""

import asyncio
import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from mymozhem.config import Settings
from mymozhem.demo.host_process import environment, free_port
from mymozhem.migrations import upgrade

from .figures import Figure, at_most

PLUGINS = 200
ROUNDS = 4
TARGET, TARGET_PLUGINS = 2.0, 4.0
PATIENCE_SECONDS = 30
BARE = """
import sys
import sqlalchemy.ext.asyncio, sqlalchemy.orm
import uvicorn
from quart import Quart
app = Quart("bare")
@app.get("/health/ready")
async def ready():
    return {"status": "ready"}
uvicorn.run(app, port=int(sys.argv[1]), log_config=None, ws="none")
"""


def measure() -> Iterable[Figure]:
    """Measure the bare process, the host, and the host among many plugins, in turns."""
    with TemporaryDirectory(prefix="mymozhem-bench-") as temporary:
        folder = Path(temporary)
        settings = Settings(data_dir=folder / "data", enable_apps=("lottery", "quiz"))
        settings.data_dir.mkdir()
        asyncio.run(upgrade(settings.effective_database_url))
        many = _plugins(folder / "plugins")
        rounds = [
            (_bare(), _host(settings, {}), _host(settings, {"PYTHONPATH": str(many)}))
            for _ in range(ROUNDS)
        ]
    bare, ours, crowded = (min(spans) for spans in zip(*rounds, strict=True))
    yield at_most("start to ready, two apps", TARGET, bare=bare, ours=ours, unit="s")
    what = f"the same with {PLUGINS} plugins installed"
    yield at_most(what, TARGET_PLUGINS, bare=bare, ours=crowded, unit="s")


def _plugins(folder: Path) -> Path:
    """Write the metadata of many distributions; whoever imports one of them finds nothing."""
    for number in range(PLUGINS):
        known = folder / f"bench_plugin_{number}-1.0.dist-info"
        known.mkdir(parents=True)
        metadata = f"Metadata-Version: 2.1\nName: bench-plugin-{number}\nVersion: 1.0\n"
        (known / "METADATA").write_text(metadata)
        entry = f"[mymozhem.apps]\nbench-{number} = bench_plugin_{number}\n"
        (known / "entry_points.txt").write_text(entry)
    return folder


def _bare() -> float:
    port = free_port()
    return _until_ready((sys.executable, "-c", BARE, str(port)), os.environ, port)


def _host(settings: Settings, more: Mapping[str, str]) -> float:
    port = free_port()
    command = (sys.executable, "-m", "mymozhem", "serve")
    return _until_ready(command, environment(settings, port=port) | more, port)


def _until_ready(command: Sequence[str], env: Mapping[str, str], port: int) -> float:
    """Return the seconds from the start of a process to its first good answer."""
    started = time.perf_counter()
    with subprocess.Popen(
        command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            while not _is_ready(port):
                if process.poll() is not None or time.perf_counter() - started > PATIENCE_SECONDS:
                    raise SystemExit(f"{command[1:3]} did not start")
            return time.perf_counter() - started
        finally:
            process.terminate()


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except OSError:
        time.sleep(0.005)  # nobody listens yet
        return False
    finally:
        connection.close()
