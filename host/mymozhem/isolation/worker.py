"""One worker process, from the host's side.

One thread starts it and waits for its end, another one reads its reports. So the event loop never
blocks, and the end is noticed even if other processes hold the pipe.
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from mymozhem.concurrency import child_processes
from mymozhem.contract.envelopes import MAX_BODY_BYTES
from mymozhem.contract.signing import SharedKey, new_secret, parse_key
from mymozhem.registry.endpoint import Endpoint
from mymozhem.registry.isolated.environments import interpreter, log_folder
from mymozhem.registry.isolated.os_user import NoSeparateUser, OsUser, variables
from mymozhem.registry.loaded_code import IsolatedCode

from .errors import NotStarted
from .protocol import ENDED, MAX_LINE_BYTES, PID, PROBLEM, READY, SOCKET_NAME, WorkerConfig

#: the maximum length of a request to a worker: it includes long lists
MAX_QUESTION_BYTES = 256 * MAX_BODY_BYTES

#: longer than a supervisor takes to end all processes
STOP_SECONDS = 4.0

#: how long to read remaining reports after the end
LAST_WORDS_SECONDS = 0.3

#: there are at most four reports; an app that writes more into the pipe must not delay the host
MOST_REPORTS = 16

#: processes and threads of a user that only workers use
MAX_PROCESSES = 1_024

LOG_NAME = "worker.log"

#: an address of a Unix socket has 104 bytes on some systems, including the final NUL
_LONGEST_FOLDER = 103 - len(f"/{SOCKET_NAME}")

logger = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True)
class Launch:
    """The parameters of a worker's start."""

    code: IsolatedCode
    account: Callable[[], OsUser]
    memory_mb: int
    start_seconds: float


class Worker:
    """A process that serves one app; used from one event loop, in which it is started.

    `ready` is done once the worker can be called, and raises `NotStarted` if it never can. `ended`
    is done with a sentence on how it ended, once all its processes are gone. `misses` is the
    number of deadlines in a row that it missed.
    """

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[Endpoint] = self._loop.create_future()
        self.ended: asyncio.Future[str] = self._loop.create_future()
        self.account: OsUser | None = None
        self.pid: int | None = None
        self.began = self._loop.time()
        self.stopping = False
        self.misses = 0
        self._key = _new_key()
        self._socket = ""
        self._how: str | None = None
        self._refusal: str | None = None
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        # Possibly no caller waits any more; the failure is also in `ended`.
        self.ready.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._late = self._loop.call_later(launch.start_seconds, self._give_up)
        name = f"worker-{launch.code.name}"
        threading.Thread(target=self._run, name=name, daemon=True).start()

    @property
    def code(self) -> IsolatedCode:
        """The code that it serves."""
        return self._launch.code

    @property
    def seconds(self) -> float:
        """How long ago it was started, in seconds."""
        return self._loop.time() - self.began

    def stop(self) -> None:
        """Ask the process to stop, and kill it if it does not; returns immediately. Idempotent."""
        with self._lock:
            if self.stopping:
                return
            self.stopping = True
            self._ask_to_stop()
        self._loop.call_later(STOP_SECONDS, self.kill)

    def kill(self) -> None:
        """Kill the process and its supervisor; does nothing if it has ended."""
        with self._lock:
            process = self._process
            if process is None or process.poll() is not None:
                return
            if self.pid is not None:
                _kill_group(self.pid, session=process.pid)
            _kill_group(process.pid, session=process.pid)

    def _ask_to_stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(OSError):
                self._process.send_signal(signal.SIGTERM)

    def _give_up(self) -> None:
        if not self.ready.done():
            seconds = self._launch.start_seconds
            self.ready.set_exception(NotStarted(f"It was not ready within {seconds:g} seconds."))
            self.stop()

    def _run(self) -> None:
        """Start the process, pass on its reports, wait for its end; in a thread."""
        try:
            with contextlib.ExitStack() as stack:
                process = self._start(stack)
                since = child_processes.moment_of(process.pid)
                reader = threading.Thread(target=self._read, args=(process,), daemon=True)
                reader.start()
                process.wait()
                # The supervisor has ended everything, unless code of the app has killed it.
                uid = self.account.uid if self.account is not None else None
                child_processes.end_orphans(process, since, uid=uid)
                reader.join(LAST_WORDS_SECONDS)
        except NoSeparateUser as error:
            self._refusal = error.message
        except Exception as error:
            logger.exception("a worker could not be started", worker=self._launch.code.name)
            self._how = f"could not be started ({type(error).__name__})"
        self._tell(self._ended)

    def _tell(self, told: Callable[..., None], *words: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: no caller waits
            self._loop.call_soon_threadsafe(told, *words)

    def _start(self, stack: contextlib.ExitStack) -> subprocess.Popen[bytes]:
        code = self._launch.code
        account = self.account = self._launch.account()
        folder = _own_folder(account)
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        orders = WorkerConfig(
            app_id=code.app_id,
            distribution=code.distribution,
            version=code.distribution_version,
            folder=folder,
            secret=self._key.text,
            memory_bytes=self._launch.memory_mb * 1024 * 1024,
            body_bytes=MAX_QUESTION_BYTES,
            processes=MAX_PROCESSES if account.apart else None,
        )
        self._socket = orders.socket
        log = _opened_log(log_folder(code.folder))
        stack.callback(os.close, log)
        program = [str(interpreter(code.folder)), "-I", "-u", "-X", "faulthandler"]
        with self._lock:
            process = child_processes.start(
                [*program, "-m", "mymozhem.isolation.worker_main"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=variables(folder, os.environ),
                cwd=folder,
                user=account.uid,
                group=account.gid,
                extra_groups=[] if account.apart else None,
                umask=0o077,
            )
            stack.enter_context(_closing(process))
            self._process = process
            if self.stopping:
                self._ask_to_stop()
        _hand_over(process, orders)
        return process

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        """Pass on reports, until no process can send any more; in a thread.

        If there are too many reports, only the last one counts: it may be the supervisor's, on the
        end.
        """
        if process.stdout is None:
            raise TypeError  # it was started with a pipe
        count, last = 0, b""
        with process.stdout as reports:
            while line := reports.readline(MAX_LINE_BYTES):
                count, last = count + 1, line
                if count <= MOST_REPORTS:
                    self._tell(self._on_report, _words(line))
                elif count == MOST_REPORTS + 1:
                    self._tell(self.stop)
        if count > MOST_REPORTS:
            self._tell(self._on_report, _words(last))

    def _on_report(self, words: dict[str, object]) -> None:
        if isinstance(pid := words.get(PID), int) and self.pid is None:
            self.pid = pid
        if words.get(READY) is True and not self.ready.done():
            self._late.cancel()
            self.ready.set_result(self._endpoint())
        if (problem := words.get(PROBLEM)) is not None and not self.ready.done():
            detail = f"The app could not be loaded: {problem}."
            sentence = "The app could not be loaded; the host's log says why."
            self.ready.set_exception(NotStarted(sentence, detail=detail, by_app=True))
            self.stop()  # it ends on its own, unless the app sent this report
        if (how := words.get(ENDED)) is not None:
            self._how = str(how)[:200]

    def _ended(self) -> None:
        self._late.cancel()
        how = self._how or "was ended together with its supervisor"
        if self._refusal is not None:
            how = "was not started"
        if self.pid is not None and self._process is not None:
            _kill_group(self.pid, session=self._process.pid)
        if not self.ready.done():
            sentence = f"The process {how} before it was ready; its log may say why."
            self.ready.set_exception(NotStarted(self._refusal or sentence))
        self.ended.set_result(how)

    def _endpoint(self) -> Endpoint:
        key = self._key.key
        return Endpoint("http://worker", (key,), key, socket=self._socket)


@dataclass(frozen=True)
class _Key:
    """The secret of one start, as text and as a key."""

    text: str
    key: SharedKey

    def __repr__(self) -> str:
        return "_Key(…)"


def _new_key() -> _Key:
    text = new_secret()
    key = parse_key(text)
    if not isinstance(key, SharedKey):  # new secrets are shared secrets
        raise TypeError
    return _Key(text, key)


def _own_folder(account: OsUser) -> str:
    """Create the folder of a worker: nobody else can read it, and its path is short enough."""
    base = tempfile.gettempdir()
    if len(base) > _LONGEST_FOLDER - 20 or (account.apart and not _is_open_to_all(Path(base))):
        base = "/tmp"  # noqa: S108  the folder in it has a random name and is private
    folder = tempfile.mkdtemp(prefix="mymozhem-", dir=base)
    if account.uid is not None and account.gid is not None:
        os.chown(folder, account.uid, account.gid)
    return folder


def _is_open_to_all(folder: Path) -> bool:
    return all(each.stat().st_mode & stat.S_IXOTH for each in (folder, *folder.parents))


def _opened_log(folder: Path) -> int:
    """Open the log of an environment's workers for appending, and shorten it if it is long."""
    folder.mkdir(mode=0o700, exist_ok=True)
    return os.open(folder / LOG_NAME, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)


def _hand_over(process: subprocess.Popen[bytes], orders: WorkerConfig) -> None:
    if process.stdin is None:
        raise TypeError  # it was started with a pipe
    with contextlib.suppress(BrokenPipeError):  # it has ended already; its status is read below
        process.stdin.write(orders.line())
        process.stdin.flush()


@contextlib.contextmanager
def _closing(process: subprocess.Popen[bytes]) -> Iterator[None]:
    yield
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()


def _words(line: bytes) -> dict[str, object]:
    """Parse a report; it may be anything, since an app may have written into the pipe."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _kill_group(leader: int, *, session: int) -> None:
    """Kill a group of processes, but only if it is of the session of this worker."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.getsid(leader) == session:
            os.killpg(leader, signal.SIGKILL)
