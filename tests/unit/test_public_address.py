"""The doctor says what phones cannot reach; IPv6 addresses are written in brackets."""

import pytest
from pydantic import ValidationError

from mymozhem.cli.public_address import address_findings, unreachable
from mymozhem.config import Settings
from mymozhem.db.engine import parse_url


def made(**given: object) -> Settings:
    return Settings(_env_file=None, **{"public_url": None, **given})


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("127.0.0.1", "itself"),
        ("::1", "itself"),
        ("localhost", "itself"),
        ("0.0.0.0", "every network"),
        ("::", "every network"),
        ("fe80::1", "one link"),
        ("169.254.7.7", "one link"),
        ("raspberrypi", "no domain"),
        ("raspberrypi.local", "only some phones"),
        ("224.0.0.1", "no address of a machine"),
    ],
)
def test_what_phones_cannot_reach_has_a_reason(host: str, reason: str):
    assert reason in (unreachable(host) or "")


@pytest.mark.parametrize(
    "host", ["events.example.org", "192.168.1.7", "10.0.0.7", "2001:4860::1", "fd00::1", "8.8.8.8"]
)
def test_what_phones_may_reach_has_none(host: str):
    assert unreachable(host) is None


@pytest.mark.parametrize(
    ("given", "level", "says"),
    [
        ({}, "warning", "http://127.0.0.1:8000"),
        ({"host": "::1", "port": 8001}, "warning", "http://[::1]:8001"),
        ({"host": "192.168.1.7"}, "ok", "not over mobile data"),
        ({"host": "2001:4860::1"}, "ok", "http://[2001:4860::1]:8000."),
        ({"public_url": "https://events.example.org/"}, "ok", "https://events.example.org."),
        ({"public_url": "http://[2001:4860::1]:8000"}, "warning", "only a proxy"),
        ({"public_url": "http://[2001:4860::1]", "host": "0.0.0.0"}, "warning", "IPv4 alone"),
        ({"public_url": "http://[2001:4860::1]", "host": "::"}, "ok", "[2001:4860::1]"),
    ],
)
def test_the_doctor_reports_it(given: dict[str, object], level: str, says: str):
    found = list(address_findings(made(**given)))
    assert (found[-1].level, found[-1].what) == (level, "address")
    assert says in found[-1].says
    assert (found[-1].do is None) == (level == "ok")


@pytest.mark.parametrize(
    "url",
    [
        "http://2001:db8::1:8000", "http://[2001:db8::1", "https://", "http://h:port",
        "https://me@events.example.org", "https://events.example.org?x=1",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(url: str):
    with pytest.raises(ValidationError, match="brackets"):
        made(public_url=url)


@pytest.mark.parametrize("name", ["a%b", "50%25", "what?", "c#d", "e f", "ü", "q?x=1#y%41"])
def test_the_data_folder_may_have_any_name(name: str, tmp_path):
    settings = Settings(_env_file=None, data_dir=tmp_path / name, database_url=None)
    file = parse_url(settings.effective_database_url).database
    assert file == str(tmp_path / name / "mymozhem.sqlite3")
