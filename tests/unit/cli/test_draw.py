"""`mymozhem draw verify` accepts a true record and refuses any other, with its exit status."""

import json

import pytest
from click.testing import CliRunner, Result

from mymozhem.cli import cli
from mymozhem.contract import fair

VERIFIED, REFUSED, UNREADABLE, NOT_VERIFIABLE = 0, 1, 2, 3
SECRET = bytes(32)


def record(*, algorithm: str = "vrs-1", reserves: int = 0) -> dict:
    entries = fair.Entries.canonical({f"part_{number}": 1 for number in range(9)})
    prize = fair.PrizeCount(prize_id="prize_1", count=2)
    app = fair.AppVersion(id="raffle", version="1.0.0")
    rule = fair.Rule(
        app=app, lock_digest="0" * 64, algorithm=algorithm, prizes=(prize,), reserves=reserves
    )
    link = fair.link(SECRET, 1)
    found = fair.select_all(
        rule,
        entries,
        link=link,
        public_inputs=(),
        entries_digest=entries.digest(),
        rule_digest=rule.digest(),
        algorithm="vrs-1",
    )
    moments = ("anchored", "committed", "drawn", "revealed")
    return fair.sealed(
        {
            "format": fair.FORMAT,
            "room": "room_1",
            "draw": "draw_1",
            "chain": {"anchor": fair.anchor(SECRET).hex(), "index": 1, "link": link.hex()},
            "entries": entries.document(),
            "entriesDigest": entries.digest(),
            "rule": rule.document(),
            "ruleDigest": rule.digest(),
            "publicInputs": [],
            "picks": [pick.document() for pick in found.picks],
            **({"reserves": [each.document() for each in found.reserves]} if reserves else {}),
            "guarantee": "committed",
            "verifiable": algorithm != "app",
            "at": {name: f"2030-01-01T12:00:0{second}.000Z" for second, name in enumerate(moments)},
        }
    )


@pytest.fixture
def verify(tmp_path):
    def invoke(document: object, *options: str) -> Result:
        file = tmp_path / "record.json"
        file.write_text(document if isinstance(document, str) else json.dumps(document))
        return CliRunner().invoke(cli, ["draw", "verify", str(file), *options])

    return invoke


def test_a_true_record_is_verified_and_shows_what_to_compare(verify):
    document = record()
    result = verify(document)
    assert result.exit_code == VERIFIED, result.output
    assert result.stdout.splitlines()[-1].startswith("Verified by vrs-1: 2 picks")
    for digest in (document["entriesDigest"], document["ruleDigest"], document["chain"]["anchor"]):
        assert digest in result.stdout


def test_who_is_in_reserve_is_shown_after_the_winners(verify):
    document = record(reserves=3)
    result = verify(document)
    assert result.exit_code == VERIFIED, result.output
    assert "2 picks and 3 in reserve; committed" in result.stdout.splitlines()[-1]
    [_, second, _] = document["reserves"]
    assert f"  2. {second['participantId']} is in reserve (ticket 1)" in result.stdout
    read = json.loads(verify(document, "--format", "json").stdout)
    assert read["reserves"] == document["reserves"]


def test_a_record_as_the_api_wraps_it_is_verified(verify):
    assert verify({"data": record(), "meta": {}}).exit_code == VERIFIED


def test_another_winner_is_refused_with_the_check_that_failed(verify):
    document = record()
    document["picks"].reverse()
    result = verify(document)
    assert result.exit_code == REFUSED
    assert "FAIL  picks" in result.stdout


def test_an_algorithm_of_the_apps_own_is_not_called_verified(verify):
    result = verify(record(algorithm="app"))
    assert result.exit_code == NOT_VERIFIABLE
    assert result.stdout.splitlines()[-1].startswith("Not verifiable")


@pytest.mark.parametrize("written", ["", "{", '{"a": 1, "a": 2}', "[1, NaN]"])
def test_what_cannot_be_read_is_said_in_a_sentence(verify, written):
    result = verify(written)
    assert result.exit_code == UNREADABLE
    assert "Error: The record cannot be read: " in result.stderr
    assert result.stdout == ""


def test_a_file_that_is_not_there_cannot_be_read(tmp_path):
    result = CliRunner().invoke(cli, ["draw", "verify", str(tmp_path / "nothing.json")])
    assert result.exit_code == UNREADABLE


def test_a_program_reads_the_verdict_as_json(verify):
    document = record()
    read = json.loads(verify(document, "--format", "json").stdout)
    assert (read["verdict"], read["picks"]) == ("verified", document["picks"])
    assert {check["passed"] for check in read["checks"]} == {True}
