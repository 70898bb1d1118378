"""Rooms from the command line: seeded, listed, shown, exported and replayed, on both databases."""

import json

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import MetaData

from mymozhem.cli import cli
from tests.support.databases import PostgresTemplate, SqliteTemplate

STATUSES = {"DRAFT", "ACTIVE", "COMPLETED", "CANCELLED"}


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory) -> SqliteTemplate:
    """Empty databases: the commands make their own tables."""
    return SqliteTemplate(tmp_path_factory.mktemp("template"), MetaData())


@pytest.fixture(scope="session")
def postgres_template(postgres):
    template = PostgresTemplate(postgres, MetaData())
    yield template
    template.close()


@pytest.fixture
def run(database_url, tmp_path, monkeypatch):
    monkeypatch.setenv("MYMOZHEM_DATABASE_URL", database_url)
    monkeypatch.setenv("MYMOZHEM_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("MYMOZHEM_ENABLE_APPS", "lottery")

    def invoke(*words: str, given: str | None = None) -> Result:
        return CliRunner().invoke(cli, words, input=given)

    return invoke


@pytest.fixture
def both(run, monkeypatch):
    monkeypatch.setenv("MYMOZHEM_ENABLE_APPS", "lottery,quiz")


@pytest.fixture
def seeded(run):
    seeded = run("seed", "--format", "json")
    assert seeded.exit_code == 0, seeded.output
    return json.loads(seeded.stdout)


@pytest.fixture
def rooms(seeded):
    return {room["status"]: room for room in seeded}


def test_seeding_twice_makes_rooms_of_each_app_in_every_status_once(run, both, seeded):
    made = sorted((room["appId"], room["status"]) for room in seeded)
    assert made == [(app, status) for app in ("lottery", "quiz") for status in sorted(STATUSES)]
    assert {room["new"] for room in seeded} == {True}
    again = json.loads(run("seed", "--format", "json").stdout)
    assert {room["id"]: room["new"] for room in again} == {room["id"]: False for room in seeded}
    assert len(json.loads(run("rooms", "list", "--format", "json").stdout)) == len(seeded)


def test_rooms_are_listed_by_status(run, rooms, seeded):
    listed = json.loads(run("rooms", "list", "--status", "draft", "--format", "json").stdout)
    drafts = {room["id"] for room in seeded if room["status"] == "DRAFT"}
    assert {room["id"] for room in listed} == drafts
    assert rooms["DRAFT"]["code"] in run("rooms", "list").stdout


def test_a_room_is_shown_by_its_id_and_by_its_code(run, rooms):
    room = rooms["COMPLETED"]
    by_id = run("rooms", "show", room["id"], "--format", "json")
    assert by_id.stdout == run("rooms", "show", room["code"], "--format", "json").stdout
    shown = json.loads(by_id.stdout)
    assert shown["winners"] == sum(prize["quantity"] for prize in shown["prizes"])
    assert [draw["status"] for draw in shown["draws"]] == ["REVEALED"]
    assert room["name"] in run("rooms", "show", room["id"]).stdout


def test_every_room_replays_to_what_its_tables_hold(run, both, seeded):
    for room in seeded:
        exported = run("rooms", "export", room["code"])
        assert exported.exit_code == 0, exported.output
        replayed = run("rooms", "replay", "-", "--format", "json", given=exported.stdout)
        assert replayed.exit_code == 0, replayed.output
        found = json.loads(replayed.stdout)
        assert (found["agrees"], found["status"]) == (True, room["status"])


def test_a_log_that_somebody_changed_is_found_out(run, rooms):
    log = run("rooms", "export", rooms["COMPLETED"]["id"]).stdout
    forged = log.replace('"type":"winner:fulfilled"', '"type":"winner:forgotten"', 1)
    refused = run("rooms", "replay", "-", given=forged)
    assert (refused.exit_code, refused.stderr) == (
        1,
        "Error: The log and the tables differ in: wins.\n",
    )
    shorter = "\n".join(line for line in log.splitlines() if '"seq":7,' not in line)
    assert "the log has a gap" in run("rooms", "replay", "-", given=shorter).stderr


def test_nothing_secret_of_a_room_is_exported(run, rooms):
    for room in rooms.values():
        log = run("rooms", "export", room["id"]).stdout
        assert "drawSecret" not in log
        assert "draw_secret" not in log


@pytest.mark.parametrize("command", ["show", "export"])
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_room_that_does_not_exist_is_an_error_in_a_sentence(run, command):
    refused = run("rooms", command, "NOWHERE")
    assert refused.exit_code == 1
    assert refused.stderr == "Error: There is no room 'NOWHERE'; see `mymozhem rooms list`.\n"


@pytest.mark.parametrize("given", ["", "[]\n", '{"format": "other"}\n', "no json\n"])
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_file_that_is_no_log_is_refused(run, given):
    refused = run("rooms", "replay", "-", given=given)
    assert refused.exit_code == 1
    assert refused.stderr.startswith("Error: The log cannot be replayed: ")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_log_is_read_as_a_shell_stored_it(run, rooms, tmp_path, encoding):
    exported = run("rooms", "export", rooms["COMPLETED"]["code"])
    file = tmp_path / "room.jsonl"
    file.write_bytes(exported.stdout.replace("\n", "\r\n").encode(encoding))
    replayed = run("rooms", "replay", str(file))
    assert replayed.exit_code == 0, replayed.output
    assert "The tables are equal." in replayed.stdout
