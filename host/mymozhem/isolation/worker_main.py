"""The program of a worker: `python -I -m mymozhem.isolation.worker_main`.

The environment's own Python runs it.

It reads its configuration from standard input; the end of the input means that the host is gone.
It reports its state on standard output. It forks into a `Supervisor` and the process that loads the
app and serves it on a Unix socket, as `mymozhem app serve` does.
"""

import os
import signal
import sys
from contextlib import suppress
from importlib.metadata import EntryPoint, entry_points
from typing import NoReturn

from mymozhem.concurrency.child_processes import adopt_orphans

from .protocol import PID, PROBLEM, READY, WorkerConfig, report
from .resource_limits import die_with_parent, limit
from .supervisor import Supervisor

#: the same group as `mymozhem.registry.discovery` reads; that module is not imported here
GROUP = "mymozhem.apps"

_LIFE, _HOST, _LOG = 0, 1, 2
_REPORT = 3
#: above every descriptor of such a small process
_DESCRIPTORS = 256


class _NotLoadable(Exception):
    """The app cannot be served; the message is for its operator."""


def main() -> NoReturn:
    """Read the configuration, and serve until the end."""
    orders = WorkerConfig.read(_LIFE)
    adopt_orphans()
    output, output_end = os.pipe()
    supervisor = os.getpid()
    worker = os.fork()
    if worker == 0:
        _become_worker(supervisor, output, output_end)
        _work(orders)
    os.close(output_end)
    with suppress(ProcessLookupError, PermissionError):  # the child may have done it first
        os.setpgid(worker, worker)
    Supervisor(worker, life=_LIFE, said=output, log=_LOG, host=_HOST, folder=orders.folder).run()


def _become_worker(supervisor: int, output: int, output_end: int) -> None:
    """Leave the supervisor's group and descriptors; of the host's, only the report pipe remains."""
    os.setpgid(0, 0)
    die_with_parent(supervisor)
    os.close(output)
    told = os.dup(_HOST)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, place in ((nothing, 0), (output_end, 1), (output_end, 2)):
        os.dup2(descriptor, place)
    if told != _REPORT:
        os.dup2(told, _REPORT, inheritable=False)
    os.closerange(_REPORT + 1, _DESCRIPTORS)


def _work(orders: WorkerConfig) -> NoReturn:
    report(_REPORT, PID, os.getpid())
    limit(
        memory_bytes=orders.memory_bytes,
        open_files=orders.open_files,
        processes=orders.processes,
    )
    try:
        app = _loaded(orders)
    except _NotLoadable as problem:
        _refuse(str(problem))
    except BaseException as error:  # noqa: BLE001  after any error, the app cannot be served
        sys.excepthook(type(error), error, error.__traceback__)
        _refuse(f"loading it raised {type(error).__name__}: {error}"[:1000])
    _serve(app, orders)


def _refuse(problem: str) -> NoReturn:
    """Report why the app cannot be served, and exit immediately, even if threads run."""
    report(_REPORT, PROBLEM, problem)
    os._exit(1)


def _loaded(orders: WorkerConfig) -> object:
    """Return the app object of the configured distribution, and of no other."""
    found = [each for each in entry_points(group=GROUP, name=orders.app_id) if _is(each, orders)]
    if len(found) != 1:
        name = f"{orders.distribution} {orders.version}"
        raise _NotLoadable(f"its environment does not contain {name} with the app {orders.app_id}")
    app: object = found[0].load()
    return app


def _is(point: EntryPoint, orders: WorkerConfig) -> bool:
    if point.dist is None:
        return False
    wanted = (_normal(orders.distribution), orders.version)
    return (_normal(point.dist.name), point.dist.version) == wanted


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def _serve(app: object, orders: WorkerConfig) -> NoReturn:
    # Imported here, so that the supervisor stays small.
    import logging  # noqa: PLC0415
    import socket  # noqa: PLC0415

    import uvicorn  # noqa: PLC0415

    from mymozhem.contract.serve import NotServable, serve  # noqa: PLC0415

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                report(_REPORT, READY)
                os.close(_REPORT)

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    try:
        endpoint = serve(app, keys=(orders.secret,), max_body_bytes=orders.body_bytes)
    except NotServable as error:
        _refuse(str(error))
    config = uvicorn.Config(
        endpoint,
        uds=orders.socket,
        lifespan="on",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    Server(config).run()
    sys.exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main()
