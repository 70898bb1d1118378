"""An app that looks around in its process, and breaks it; `VERSION` may be set above."""

import json
import os
import re
import resource
import signal
import sys
import time
from pathlib import Path

from mymozhem.contract import JsonObject, hookimpl

VERSION = globals().get("VERSION", "1.0.0")


@hookimpl
def app_manifest():
    return {
        "id": "prober",
        "meta": {"name": "Prober", "version": VERSION, "description": "Looks around."},
        "permissions": [],
        "capabilities": ["actions", "winnerSelection"],
        "policies": {"actions": {"timeout": 30_000}},  # a busy machine starts workers slowly
        "actions": {
            name.removeprefix("do_").replace("_", "-"): {"roles": ["ORGANIZER"]}
            for name in globals()
            if name.startswith("do_")
        },
    }


@hookimpl
def handle_action(request):
    act = globals()["do_" + request.action.replace("-", "_")]
    return {"effects": [{"effect": "reply", "data": act(**request.payload)}]}


@hookimpl
def prepare_draw(context, request):
    """Let everybody take part; what the key of the draw begins and ends with, says how."""
    ids = list(request.candidates.id)
    assert context.participants is None or list(context.participants.id) == ids
    rule: JsonObject = {"rule": f"{len(ids)} take part.", "entries": {"where": True}}
    if request.key.startswith("slow"):
        time.sleep(0.2)
    return rule | {"algorithm": "app" if request.key.endswith("own") else "vrs-1"}


@hookimpl
def select_winners(request):
    """Choose those whose ids come first after the seed."""
    time.sleep(0.2)
    left = [each for each in request.participants if each not in set(request.exclude)]
    left.sort(key=lambda each: (each < f"part_{request.seed}", each))
    picks = []
    for prize in request.prizes:
        picks += [
            {"prizeId": prize.prize_id, "participantId": left.pop(0)}
            for _ in range(min(prize.count, len(left)))
        ]
    return {"picks": picks}


def do_version():
    return {"version": VERSION, "pid": os.getpid()}


def do_look_around(files=()):
    return {
        "environ": dict(os.environ),
        "argv": sys.orig_argv,
        "descriptors": descriptors(),
        "user": os.geteuid(),
        "groups": [os.getegid(), *os.getgroups()],
        "folder": str(Path.cwd()),
        "folder_mode": Path.cwd().stat().st_mode & 0o777,
        "limits": {
            name: list(resource.getrlimit(getattr(resource, f"RLIMIT_{name}")))
            for name in ("AS", "CORE", "NOFILE", "FSIZE")
        },
        "nice": os.nice(0),
        "can_read": [each for each in files if os.access(each, os.R_OK)],
    }


def descriptors():
    found = {}
    for each in Path("/proc/self/fd").iterdir():
        try:
            found[each.name] = str(each.readlink())
        except FileNotFoundError:  # the one that lists them
            continue
    return found


def do_echo(**payload):
    return payload


def do_nap(seconds):
    time.sleep(seconds)
    return {"pid": os.getpid()}


def do_die(once):
    """Die by kill -9 unless a file says that it has happened; the file is made."""
    if not Path(once).exists():
        Path(once).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return {"pid": os.getpid()}


def do_exit():
    os._exit(3)


def do_hold_everything():
    re.match(r"(a+)+$", "a" * 64 + "b")  # never ends, and lets no other thread run


def do_sleep_for_ever():
    time.sleep(10_000)


def do_eat(mb):
    return {"bytes": len(bytearray(mb * 1024 * 1024))}


def do_flood(lines):
    for number in range(lines):
        sys.stdout.write(f"{number} " + "x" * 1000 + "\n")
    return {}


def do_write_into_everything():
    """Write nonsense into every pipe and socket that there is."""
    for number in map(int, descriptors()):
        try:
            os.set_blocking(number, False)
            os.write(number, b"nonsense\r\n\r\n" * 10)
        except OSError:
            continue
    return {}


def do_leave_children(where):
    """Start a child that is left alone, and one in a session of its own; tell where they are."""
    pids = []
    for apart in (False, True):
        pid = os.fork()
        if pid == 0:
            if apart:
                os.setsid()
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(10_000)
            os._exit(0)
        pids.append(pid)
    Path(where).write_text(json.dumps([os.getpid(), *pids]))
    return {"pids": pids}


def do_make_files(where):
    """Start a child in a session of its own that makes one file after the other."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        number = 0
        while True:
            number += 1
            Path(f"file-{number}").touch()
    Path(where).write_text(json.dumps([os.getpid(), pid]))
    return {}


def do_flee():
    """Let a child of a child live on, whose parent is gone."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.setsid()
        pid = os.fork()
        if pid == 0:
            time.sleep(10_000)
        os.write(writing, str(pid).encode())
        os._exit(0)
    return {"pid": int(os.read(reading, 20))}


def do_kill_supervisor(where):
    """Let a child in a session of its own, and a child of it, live on without the supervisor."""
    supervisor = os.getppid()
    if os.fork() == 0:
        os.setsid()
        inner = os.fork()
        if inner == 0:
            os.setsid()
            time.sleep(10_000)
        Path(where, f"{os.getpid()}").write_text(json.dumps([os.getpid(), inner]))
        os.kill(supervisor, signal.SIGKILL)
        time.sleep(10_000)
    time.sleep(10_000)
