"""Settings come from the environment, once, and say what is wrong with them."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from mymozhem.config import Settings


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch):
    for name in [each for each in os.environ if each.startswith("MYMOZHEM_")]:
        monkeypatch.delenv(name)


def test_every_setting_says_what_it_is_for():
    missing = [name for name, field in Settings.model_fields.items() if not field.description]
    assert missing == []


def test_a_setting_is_read_from_its_variable(monkeypatch):
    monkeypatch.setenv("MYMOZHEM_PORT", "9000")
    monkeypatch.setenv("MYMOZHEM_UNKNOWN", "ignored")
    assert Settings().port == 9000


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("", ()),
        ("lottery", ("lottery",)),
        ("one,two", ("one", "two")),
        (" one , two ,", ("one", "two")),
    ],
)
def test_apps_are_enabled_by_a_list_with_commas(monkeypatch, written, read):
    monkeypatch.setenv("MYMOZHEM_ENABLE_APPS", written)
    assert Settings().enable_apps == read


def test_settings_are_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        Settings().port = 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ACCESS_TOKEN_MINUTES", "61"),
        ("MAX_DEADLINE_MS", "30001"),
        ("PORT", "65536"),
        ("ENVIRONMENT", "staging"),
        ("PUBLIC_URL", "ftp://host"),
    ],
)
def test_a_value_out_of_bounds_is_refused(monkeypatch, name, value):
    monkeypatch.setenv(f"MYMOZHEM_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


def test_the_database_is_a_file_in_the_data_folder_unless_set(tmp_path):
    assert Settings(data_dir=tmp_path).effective_database_url == (
        f"sqlite:///{tmp_path}/mymozhem.sqlite3"
    )
    named = Settings(database_url="postgresql://user:hunter2@host/name")
    assert named.effective_database_url == "postgresql://user:hunter2@host/name"
    assert "hunter2" not in repr(named)


def test_the_data_folder_is_where_programs_of_a_user_keep_theirs(monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert Settings().data_dir == Path("/data/mymozhem")
    monkeypatch.delenv("XDG_DATA_HOME")
    assert Settings().data_dir == Path.home() / ".local/share/mymozhem"


def test_the_public_address_follows_host_and_port_unless_set():
    assert Settings(port=9000).effective_public_url == "http://127.0.0.1:9000"
    assert Settings(public_url="https://events.example/").effective_public_url == (
        "https://events.example"
    )


def test_secrets_are_not_in_what_is_printed(tmp_path):
    assert "hunter2" not in repr(Settings(secret_key="hunter2"))
