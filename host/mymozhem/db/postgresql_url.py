"""Addresses of PostgreSQL: the parameters of libpq, several servers, and connection poolers.

The address itself goes to asyncpg, which understands the parameters about servers, passwords and
TLS. The others are translated here, or refused by name: a parameter that is silently ignored would
promise something.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from mymozhem.errors import MymozhemError


class DatabaseUrlRefused(MymozhemError, ValueError):
    """This is not an address of a database that can be used."""

    default_code = "DATABASE_URL_REFUSED"


#: asyncpg reads these as libpq does
_READ_BY_DRIVER = frozenset(
    {
        "dbname", "gsslib", "host", "krbsrvname", "passfile", "password", "port", "service",
        "ssl_max_protocol_version", "ssl_min_protocol_version", "sslcert", "sslcrl", "sslkey",
        "sslmode", "sslnegotiation", "sslpassword", "sslrootcert", "target_session_attrs", "user",
    }
)  # fmt: skip

#: the server reads these
_READ_BY_SERVER = frozenset({"application_name", "options"})

#: the values with which a parameter changes nothing here; None for any value
_WITHOUT_EFFECT: Mapping[str, frozenset[str] | None] = {
    "channel_binding": frozenset({"disable", "prefer"}),
    "client_encoding": frozenset({"auto", "utf8", "utf-8", "unicode"}),
    "fallback_application_name": None,
    "gssdelegation": frozenset({"0"}),
    "gssencmode": frozenset({"disable", "prefer"}),
    "keepalives": None,
    "keepalives_count": None,
    "keepalives_idle": None,
    "keepalives_interval": None,
    "load_balance_hosts": frozenset({"disable"}),
    "sslcertmode": frozenset({"allow"}),
    "sslcompression": frozenset({"0"}),
    "sslsni": frozenset({"1"}),
    "tcp_user_timeout": None,
}
_SWITCH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_SERVER = re.compile(r"(?P<host>\[[^\]/]*\]|[^:\[\]]*)(?::(?P<port>.*))?")
_LAST_PORT = 65_535

CONNECT_SECONDS = 5.0


@dataclass(frozen=True)
class PostgresqlUrl:
    """An address for asyncpg, and what of it is no part of asyncpg's own.

    `pooled` means that the server is PgBouncer, perhaps in transaction mode.
    """

    dsn: str = field(repr=False)
    host: str | None
    database: str | None
    connect_timeout: float | None
    server_settings: Mapping[str, str]
    pooled: bool


def parse_postgresql_url(url: str) -> PostgresqlUrl:
    """Parse an address; raise DatabaseUrlRefused for one that cannot be used.

    No message repeats the password.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        message = "The address of the database cannot be read; write an IPv6 address in brackets"
        raise DatabaseUrlRefused(message) from None
    login, _, servers = parts.netloc.rpartition("@")
    hosts = [_server(server) for server in servers.split(",")] if servers else []
    given = _parameters(parts.query)
    timeout = _seconds(given.pop("connect_timeout", None))
    pooled = _switch(given.pop("pgbouncer", "false"))
    server_settings = {name: given.pop(name) for name in _READ_BY_SERVER & given.keys()}
    for name in _WITHOUT_EFFECT.keys() & given.keys():
        _require_without_effect(name, given.pop(name))
    unknown = sorted(given.keys() - _READ_BY_DRIVER)
    if unknown:
        message = (
            f"the parameter {unknown[0]!r} is not known; the page on PostgreSQL lists them all"
        )
        raise DatabaseUrlRefused(message)
    query = f"?{urlencode(given)}" if given else ""
    netloc = f"{_quoted_login(login)}{servers}"
    return PostgresqlUrl(
        dsn=f"postgresql://{netloc}{parts.path}{query}",
        host=hosts[0] if hosts else None,
        database=unquote(parts.path.removeprefix("/")) or None,
        connect_timeout=timeout,
        server_settings=server_settings,
        pooled=pooled,
    )


def _server(server: str) -> str:
    """Return the host of a server; raise DatabaseUrlRefused if its port is no number."""
    found = _SERVER.fullmatch(server)
    if found is None:
        raise DatabaseUrlRefused(f"{server!r} is no server; write an IPv6 address in brackets")
    port = found["port"]
    if port and not (port.isascii() and port.isdecimal() and 0 < int(port[:6]) <= _LAST_PORT):
        raise DatabaseUrlRefused(f"the port {port!r} is no number from 1 to {_LAST_PORT}")
    return unquote(found["host"]).strip("[]")


def _parameters(query: str) -> dict[str, str]:
    """Return the parameters of an address; each may be there once."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        known = "sslmode" if name == "ssl" else name  # as other drivers have it
        if known in found:
            raise DatabaseUrlRefused(f"the parameter {name!r} is there twice")
        found[known] = value
    return found


def _seconds(given: str | None) -> float | None:
    """Return the seconds that a connection may take; None for any time, as libpq's 0."""
    if given is None:
        return CONNECT_SECONDS
    if not re.fullmatch("-?[0-9]{1,6}", given):
        raise DatabaseUrlRefused(f"connect_timeout={given!r} is no number of seconds")
    return float(given) if int(given) > 0 else None


def _switch(given: str) -> bool:
    found = _SWITCH.get(given.lower())
    if found is None:
        raise DatabaseUrlRefused(f"pgbouncer={given!r} is neither true nor false")
    return found


def _require_without_effect(name: str, value: str) -> None:
    allowed = _WITHOUT_EFFECT[name]
    if allowed is not None and value.lower() not in allowed:
        message = (
            f"{name}={value} is not supported; remove it, or write {name}={min(sorted(allowed))}"
        )
        raise DatabaseUrlRefused(message)


def _quoted_login(login: str) -> str:
    """Return user and password as they are in an address, followed by @; empty without them."""
    if not login:
        return ""
    user, colon, password = login.partition(":")
    return f"{quote(unquote(user), safe='')}{colon}{quote(unquote(password), safe='')}@"
