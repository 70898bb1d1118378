"""Commands about draws."""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, TypeVar

import click

from mymozhem.contract.fair import FairnessError, Reserve, Verification, read_record, verify
from mymozhem.contract.fair.verification import Verdict

REFUSED, NOT_VERIFIABLE = 1, 3
MAX_SHOWN = 100

T = TypeVar("T")


@click.group("draw")
def draw_group() -> None:
    """Verify draws offline."""


@draw_group.command("verify")
@click.argument("file", type=click.Path(allow_dash=True, dir_okay=False))
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def verify_command(file: str, form: Literal["text", "json"]) -> None:
    """Recompute the winners of a draw from its record FILE.

    If FILE is -, standard input is read. No server is contacted. Compare the printed anchor and the
    two digests with those that were published before the draw: a record proves only what it was
    committed to.

    Exit status: 0 verified, 1 refused, 2 unreadable, 3 not verifiable (the app's own algorithm).

    \b
    Examples:
      mymozhem draw verify record.json
      curl -s http://localhost:8000/api/v1/rooms/ROOM/draws/DRAW/record | mymozhem draw verify -
    """
    verification = verify(_unwrapped(_read(file)))
    click.echo(_as_json(verification) if form == "json" else _as_text(verification))
    sys.exit({Verdict.VERIFIED: 0, Verdict.NOT_VERIFIABLE: NOT_VERIFIABLE}.get(
        verification.verdict, REFUSED
    ))  # fmt: skip


def _read(file: str) -> object:
    path = Path("/dev/stdin") if file == "-" else Path(file)
    try:
        return read_record(path)
    except (FairnessError, OSError) as error:
        message = f"The record cannot be read: {error}"
        raise click.UsageError(message) from error


def _unwrapped(document: object) -> object:
    """Return the record itself, also if it is in the API's envelope."""
    if isinstance(document, dict) and document.keys() <= {"data", "meta"}:
        return document.get("data")
    return document


def _as_json(verification: Verification) -> str:
    record = verification.record
    return json.dumps(
        {
            "verdict": verification.verdict.value,
            "sentence": verification.sentence,
            "checks": [
                {"name": check.name, "passed": check.passed, "sentence": check.sentence}
                for check in verification.checks
            ],
            "anchor": record.chain.anchor if record else None,
            "entriesDigest": record.entries_digest if record else None,
            "ruleDigest": record.rule_digest if record else None,
            "picks": [pick.document() for pick in record.picks] if record else [],
            "reserves": [each.document() for each in record.reserves or ()] if record else [],
        },
        indent=2,
    )


def _as_text(verification: Verification) -> str:
    lines = [
        f"{'ok  ' if check.passed else 'FAIL'}  {check.name}: {check.sentence}"
        for check in verification.checks
    ]
    record = verification.record
    if record is not None:
        lines += [
            "",
            "Compare with what was published before the draw:",
            f"  anchor          {record.chain.anchor}",
            f"  entries digest  {record.entries_digest}",
            f"  rule digest     {record.rule_digest}",
            "",
        ]
        lines += [
            f"  {place}. {pick.participant_id} wins {pick.prize_id} (ticket {pick.ticket})"
            for place, pick in _first(record.picks)
        ]
        lines += _and_more(len(record.picks))
        ready = record.reserves or ()
        lines += [f"  {place}. {_in_reserve(each)}" for place, each in _first(ready)]
        lines += _and_more(len(ready))
    return "\n".join([*lines, "", verification.sentence])


def _first(people: Sequence[T]) -> Iterator[tuple[int, T]]:
    return enumerate(people[:MAX_SHOWN], start=1)


def _and_more(count: int) -> list[str]:
    return [f"  and {count - MAX_SHOWN} more"] if count > MAX_SHOWN else []


def _in_reserve(reserve: Reserve) -> str:
    prize = f" for {reserve.prize_id}" if reserve.prize_id else ""
    return f"{reserve.participant_id} is in reserve{prize} (ticket {reserve.ticket})"
