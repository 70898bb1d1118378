"""A host that asks isolated code one question, tells of the worker, and waits to be killed."""

import asyncio
import json
import signal
import sys
from pathlib import Path

from structlog.testing import capture_logs

from mymozhem.manifests.model import Manifest
from mymozhem.registry.loaded_code import IsolatedCode
from tests.support.isolated import den, prober_manifest


async def main(folder: Path, action: str, where: str) -> None:
    with capture_logs():  # the parent reads what is written
        manifest = Manifest.of(dict(prober_manifest()), registered_as="prober")
        code = IsolatedCode("prober", manifest, "acme-prober", "1.0.0", "0" * 64, folder)
        stopped = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
        async with den(code) as host:
            told = await host.reply("look-around")
            payload = {"where": where} if action in {"leave-children", "make-files"} else {}
            asked = asyncio.create_task(host.ask(action, **payload))
            await asyncio.wait({asked}, timeout=0.5)
            line = {"pid": host.status.pid, "folder": told["folder"]}
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()
            await stopped.wait()
            asked.cancel()
