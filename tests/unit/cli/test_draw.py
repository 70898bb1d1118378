"""`mymozhem draw verify` accepts a true record and refuses any other, with its exit status."""

import json

import pytest
from click.testing import CliRunner, Result

from mymozhem.cli import cli
from mymozhem.contract import fair

VERIFIED, REFUSED, UNREADABLE, NOT_VERIFIABLE = 0, 1, 2, 3
SECRET = bytes(32)


def record(
    *,
    algorithm: str = "vrs-1",
    reserves: int = 0,
    sources: tuple[fair.PublicSource, ...] = (),
    inputs: tuple[str, ...] = (),
) -> dict:
    entries = fair.Entries.canonical({f"part_{number}": 1 for number in range(9)})
    prize = fair.PrizeCount(prize_id="prize_1", count=2)
    app = fair.AppVersion(id="raffle", version="1.0.0")
    rule = fair.Rule(
        app=app,
        lock_digest="0" * 64,
        algorithm=algorithm,
        prizes=(prize,),
        reserves=reserves,
        public_sources=sources,
    )
    link = fair.link(SECRET, 1)
    found = fair.select_all(
        rule,
        entries,
        link=link,
        public_inputs=inputs,
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
            "publicInputs": list(inputs),
            "picks": [pick.document() for pick in found.picks],
            **({"reserves": [each.document() for each in found.reserves]} if reserves else {}),
            "guarantee": "beacon" if sources else "committed",
            "verifiable": algorithm != "app",
            "at": {name: f"2030-01-01T12:00:0{second}.000Z" for second, name in enumerate(moments)},
        }
    )


def sourced(name: str = "State lottery", inputs: tuple[str, ...] = ("3.9.",)) -> dict:
    form = fair.NumbersFormat(count=2, min=1, max=9)
    source = fair.PublicSource(name=name, due="2030-01-01T12:00:02.000Z", format=form)
    return record(sources=(source,), inputs=inputs)


def voided(document: dict, *, inputs: tuple[str, ...] = (), reason: str = "A mistake.") -> dict:
    moments = {name: document["at"][name] for name in ("anchored", "committed")}
    return fair.sealed(
        {
            **document,
            "status": "voided",
            "reason": reason,
            "voidedDraws": 0,
            "picks": [],
            "publicInputs": list(inputs),
            "at": moments | {"voided": document["at"]["revealed"]},
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


@pytest.mark.parametrize("option", ["--anchor", "--entries-digest", "--rule-digest"])
def test_what_was_noted_before_the_draw_is_compared(verify, option):
    document = record()
    noted = {
        "--anchor": document["chain"]["anchor"],
        "--entries-digest": document["entriesDigest"],
        "--rule-digest": document["ruleDigest"],
    }
    same = verify(document, *(word for pair in noted.items() for word in pair))
    assert same.exit_code == VERIFIED, same.output
    assert verify(document, option, noted[option].upper()).exit_code == VERIFIED
    other = verify(document, option, "0" * 64)
    assert other.exit_code == REFUSED
    assert "FAIL  published" in other.stdout
    assert verify(document, option, "5c1d").exit_code == UNREADABLE


def test_the_canonical_public_values_are_printed_beside_their_sources(verify):
    result = verify(sourced())
    assert result.exit_code == VERIFIED, result.output
    assert "  State lottery (due 2030-01-01T12:00:02.000Z)  3.9." in result.stdout.splitlines()
    read = json.loads(verify(sourced(), "--format", "json").stdout)
    assert [each["value"] for each in read["publicInputs"]] == ["3.9."]
    assert verify(sourced(inputs=("3, 9",))).exit_code == REFUSED


def test_a_record_without_a_format_is_verified_with_a_remark(verify):
    source = fair.PublicSource(name="lotto", due="2030-01-01T12:00:02.000Z")
    result = verify(record(sources=(source,), inputs=("3, 9",)))
    assert result.exit_code == VERIFIED, result.output
    assert "spelling of the public values was not fixed" in result.stdout.splitlines()[-1]


def test_a_voided_draw_shows_who_would_have_won(verify):
    document = sourced()
    winner = document["picks"][0]["participantId"]
    for result in (
        verify(voided(document, inputs=("3.9.",))),
        verify(voided(document), "--public-input", "9 3"),
    ):
        assert result.exit_code == VERIFIED, result.output
        assert f"  1. {winner}, prize_1 (ticket 1)" in result.stdout
        assert result.stdout.splitlines()[-1].startswith("Voided: ")
    unknown = verify(voided(document))
    assert unknown.exit_code == VERIFIED
    assert "cannot be computed from the record: the rule names 1 public source" in unknown.stdout
    read = json.loads(verify(voided(document, inputs=("3.9.",)), "--format", "json").stdout)
    assert (read["verdict"], read["wouldHaveWon"]) == ("voided", document["picks"])


HOSTILE = "\x1b]0;owned\x07\x1b[2J\u202e\x9b31m\u2028"


def test_no_text_of_a_record_steers_the_terminal(verify):
    escaped = "\\x1b]0;owned\\x07\\x1b[2J\\u202e\\x9b31m\\u2028"
    steered = record()
    steered["picks"][0]["participantId"] = HOSTILE
    documents = [
        steered,
        sourced(HOSTILE),
        voided(sourced(HOSTILE), reason=HOSTILE),
        {**record(), "room": {"id": HOSTILE}, HOSTILE: 1},
        {**record(), "draw": HOSTILE},
    ]
    for document in documents:
        shown = verify(document).stdout
        assert all(line.isprintable() for line in shown.split("\n")), ascii(shown)
    assert escaped in verify(steered).stdout
    assert escaped in verify(sourced(HOSTILE)).stdout


def test_the_canonical_form_of_a_value_is_printed_or_refused():
    numbers = '{"kind": "numbers", "count": 3, "min": 1, "max": 49}'

    def value(*words: str) -> Result:
        return CliRunner().invoke(cli, ["draw", "value", *words])

    assert value(numbers, "12, 5 031").stdout == "5.12.31.\n"
    assert value('{"kind": "hex", "bytes": 2}', "0xAB01").stdout == "ab01\n"
    refused = value(numbers, "12 5 50")
    assert refused.exit_code == 1
    assert "50 is out of range; the format is 3 numbers from 1 to 49" in refused.stderr
    assert value('{"kind": "text"}', "12").exit_code == UNREADABLE
    assert value("{", "12").exit_code == UNREADABLE
