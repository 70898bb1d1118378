"""Addresses of PostgreSQL as people have them, and errors that name what is wrong."""

import pytest

from mymozhem.db.engine import DatabaseUrlRefused, create_engine, parse_url
from mymozhem.db.postgresql_url import CONNECT_SECONDS, parse_postgresql_url


@pytest.mark.parametrize(
    ("given", "dsn"),
    [
        ("postgresql://u@h/d", "postgresql://u@h/d"),
        ("postgres://u:p@h:5432/d", "postgresql://u:p@h:5432/d"),
        ("postgresql+asyncpg://u@h/d", "postgresql://u@h/d"),
        ("postgresql://u:p@ss@h/d", "postgresql://u:p%40ss@h/d"),
        ("postgresql://u:p%25@h/d", "postgresql://u:p%25@h/d"),
        ("postgresql://[2001:db8::1]:5433/d", "postgresql://[2001:db8::1]:5433/d"),
        ("postgresql://a:1,b:2/d", "postgresql://a:1,b:2/d"),
        ("postgresql:///d?host=/run/postgresql", "postgresql:///d?host=%2Frun%2Fpostgresql"),
        ("postgresql://h/d?ssl=require", "postgresql://h/d?sslmode=require"),
        (
            "postgresql://h/d?sslmode=verify-full&sslrootcert=/a.pem&target_session_attrs=any",
            "postgresql://h/d?sslmode=verify-full&sslrootcert=%2Fa.pem&target_session_attrs=any",
        ),
        ("postgresql://h/d?channel_binding=prefer&keepalives=1&sslsni=1", "postgresql://h/d"),
    ],
)
def test_an_address_is_passed_on_to_the_driver(given: str, dsn: str):
    assert parse_postgresql_url(given).dsn == dsn


@pytest.mark.parametrize(
    ("query", "seconds"),
    [("", CONNECT_SECONDS), ("?connect_timeout=30", 30.0), ("?connect_timeout=0", None)],
)
def test_connect_timeout_limits_a_connection(query: str, seconds: float | None):
    assert parse_postgresql_url(f"postgresql://h/d{query}").connect_timeout == seconds


def test_parameters_of_the_server_and_of_the_pooler_are_told_apart():
    url = "postgresql://h/d?application_name=a&options=-c%20x%3D1&pgbouncer=true"
    found = parse_postgresql_url(url)
    assert (found.dsn, found.pooled) == ("postgresql://h/d", True)
    assert found.server_settings == {"application_name": "a", "options": "-c x=1"}


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://127.0.0.1:abc/d", "port 'abc'"),
        ("postgresql://h:0/d", "port '0'"),
        ("postgresql://h:65536/d", "port '65536'"),
        ("postgresql://2001:db8::1/d", "port"),
        ("postgresql://[2001:db8::1/d", "brackets"),
        ("postgresql://h/d?connect_timeout=soon", "connect_timeout"),
        ("postgresql://h/d?sslmod=require", "'sslmod' is not known"),
        ("postgresql://h/d?sslmode=require&ssl=require", "twice"),
        ("postgresql://h/d?channel_binding=require", "channel_binding=require is not supported"),
        ("postgresql://h/d?client_encoding=latin1", "client_encoding=latin1"),
        ("postgresql://h/d?pgbouncer=perhaps", "pgbouncer"),
        ("mysql://h/d", "mysql is not supported"),
        ("sqlite://", "needs a file"),
        ("nonsense", "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_named_without_the_password(url: str, message: str):
    url = url.replace("://", "://me:hidden@", 1) if url.startswith("postgresql") else url
    with pytest.raises(DatabaseUrlRefused, match=message) as refused:
        create_engine(url)
    assert "hidden" not in str(refused.value)


def test_an_engine_does_not_show_the_password():
    assert "hidden" not in repr(create_engine("postgresql://me:hidden@h/d"))


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("sqlite:////srv/a%25b/c%3Fd%23e.sqlite3", "/srv/a%b/c?d#e.sqlite3"),
        ("sqlite:///a b#c.sqlite3?timeout=1", "a b#c.sqlite3"),
    ],
)
def test_the_path_of_a_file_is_written_as_in_a_url(url: str, file: str):
    assert parse_url(url).database == file
