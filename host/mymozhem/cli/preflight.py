"""Checks that come before a host writes anything: another host, and the port."""

import socket
from pathlib import Path

import click

from mymozhem.config import Settings
from mymozhem.db.engine import parse_url
from mymozhem.db.process_lock import running_host


def require_startable(settings: Settings) -> None:
    """Raise `ClickException` if a host could not start with these settings; changes nothing."""
    _require_alone(settings)
    require_free(settings.host, settings.port)


def require_free(host: str, port: int) -> None:
    """Raise `ClickException` if nobody can listen at a port; 0 is any free port."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        raise click.ClickException(
            f"Cannot listen at {where}: {error.strerror or error}. Nothing was changed. Stop the "
            "program that listens there, or choose another port with --port."
        ) from error


def tell_own_database(command: str) -> None:
    """Say that a command does not use the database that is configured, if one is."""
    if Settings().database_url is not None:
        click.echo(
            f"`mymozhem {command}` does not use MYMOZHEM_DATABASE_URL: its database is a SQLite "
            "file of its own.",
            err=True,
        )


def _require_alone(settings: Settings) -> None:
    url = settings.effective_database_url
    file = parse_url(url).database if url.startswith("sqlite") else None
    holder = running_host(Path(file)) if file is not None else None
    if holder is not None:
        raise click.ClickException(
            f"A host (process {holder or 'unknown'}) is already running on {file}, and SQLite "
            "serves one host. Nothing was changed. Use that one, or stop it first, or choose "
            "another folder with --data-dir."
        )
