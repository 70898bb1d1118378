"""What keeps a host from starting is reported before anything is written."""

import socket

import click
import pytest
from click.testing import CliRunner

from mymozhem.cli import cli
from mymozhem.cli.preflight import require_free
from mymozhem.db.process_lock import ProcessLock


@pytest.fixture
def taken():
    """A port on which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def commands(folder, port):
    there = ("--port", str(port), "--data-dir", str(folder))
    return {
        "serve": ("serve", *there),
        "demo": ("demo", *there),
        "dev": ("app", "dev", "quiz", *there),
    }


@pytest.mark.parametrize("name", ["serve", "demo", "dev"])
def test_a_port_in_use_is_reported_and_nothing_is_written(taken, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "data"
    refused = CliRunner().invoke(cli, commands(folder, taken)[name])
    assert refused.exit_code == 1
    assert f"Cannot listen at 127.0.0.1:{taken}" in refused.stderr
    assert "Nothing was changed" in refused.stderr
    assert not folder.exists()


def test_serving_an_app_prints_no_secret_if_its_port_is_in_use(taken):
    refused = CliRunner().invoke(cli, ["app", "serve", "quiz", "--port", str(taken)])
    assert refused.exit_code == 1
    assert "whsec_" not in refused.output
    assert "Cannot listen" in refused.stderr


@pytest.mark.parametrize("name", ["serve", "demo"])
def test_a_second_host_on_one_folder_is_reported_before_anything_is_done(tmp_path, name):
    first = ProcessLock(tmp_path / "mymozhem.sqlite3")
    first.acquire()
    before = sorted(tmp_path.iterdir())
    try:
        refused = CliRunner().invoke(cli, commands(tmp_path, 0)[name])
    finally:
        first.release()
    assert refused.exit_code == 1
    assert "is already running on" in refused.stderr
    assert "Traceback" not in refused.output
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
def test_any_free_port_is_fine(host):
    require_free(host, 0)


def test_a_host_name_that_does_not_exist_is_a_sentence():
    with pytest.raises(click.ClickException) as refused:
        require_free("no.such.host.invalid", 8000)
    assert "Cannot listen at no.such.host.invalid:8000" in refused.value.message
