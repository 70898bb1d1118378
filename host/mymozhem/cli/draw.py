"""Commands about draws."""

import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import click
from pydantic import TypeAdapter, ValidationError

from mymozhem.contract.fair import (
    FairnessError,
    HexFormat,
    NumbersFormat,
    Pick,
    Published,
    Record,
    Reserve,
    ValueFormat,
    Verification,
    canonical_value,
    printable,
    read_record,
    recompute,
    verify,
)
from mymozhem.contract.fair.verification import Verdict

VERIFIED, REFUSED, NOT_VERIFIABLE = 0, 1, 3
STATUSES = {
    Verdict.VERIFIED: VERIFIED,
    Verdict.VOIDED: VERIFIED,
    Verdict.NOT_VERIFIABLE: NOT_VERIFIABLE,
}
MAX_SHOWN = 100

T = TypeVar("T")

_FORMAT: TypeAdapter[NumbersFormat | HexFormat] = TypeAdapter(ValueFormat)


def _digest(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """Return a SHA-256 in lower-case hex, as records have it."""
    text = value and value.strip().lower()
    if text is not None and not re.fullmatch(r"[0-9a-f]{64}", text):
        message = "write 64 hex digits, as they were published"
        raise click.BadParameter(message)
    return text


@click.group("draw")
def draw_group() -> None:
    """Verify draws offline, and see how public values are written."""


@draw_group.command("verify")
@click.argument("file", type=click.Path(allow_dash=True, dir_okay=False))
@click.option(
    "--anchor", metavar="HEX", callback=_digest, help="Anchor that was published with the room."
)
@click.option(
    "--entries-digest", metavar="HEX", callback=_digest, help="Digest published at the commit."
)
@click.option(
    "--rule-digest", metavar="HEX", callback=_digest, help="Digest published at the commit."
)
@click.option(
    "--public-input",
    "public_inputs",
    multiple=True,
    help="Value of a public source, for the result that a voided draw would have had.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def verify_command(
    file: str,
    anchor: str | None,
    entries_digest: str | None,
    rule_digest: str | None,
    public_inputs: tuple[str, ...],
    form: Literal["text", "json"],
) -> None:
    """Recompute the winners of a draw from its record FILE.

    If FILE is -, standard input is read. No server is contacted. A record proves only what it was
    committed to: compare the printed anchor and the two digests with those that were published
    before the draw, or give them as options, so that another value is refused.

    The record of a voided draw has no winners. The command computes who would have won; if the
    values of public sources are not in the record, give one --public-input for each, in order.

    Exit status: 0 everything in the record holds, 1 refused, 2 unreadable, 3 not verifiable (the
    app's own algorithm).

    \b
    Examples:
      mymozhem draw verify record.json
      mymozhem draw verify record.json --anchor 5c1dc7c9...
      curl -s http://localhost:8000/api/v1/rooms/ROOM/draws/DRAW/record | mymozhem draw verify -
    """
    published = Published(anchor, entries_digest, rule_digest)
    verification = verify(_unwrapped(_read(file)), published)
    would_be = _would_be(verification, public_inputs)
    write: Callable[[Verification, Sequence[Pick] | str | None], str] = (
        _as_json if form == "json" else _as_text
    )
    click.echo(write(verification, would_be))
    sys.exit(STATUSES.get(verification.verdict, REFUSED))


@draw_group.command("value")
@click.argument("form", metavar="FORMAT")
@click.argument("value")
def value_command(form: str, value: str) -> None:
    """Print the one canonical form that VALUE has in a draw.

    FORMAT is the format of the public source as JSON, as in the rule of the draw. The host asks for
    this form before it accepts a value, and the verifier prints it. A value that does not fit the
    format is refused.

    \b
    Examples:
      mymozhem draw value '{"kind": "numbers", "count": 6, "min": 1, "max": 49}' "42 4 8 15 16 23"
      mymozhem draw value '{"kind": "hex", "bytes": 4}' FB8F7BC2
    """
    try:
        click.echo(canonical_value(value, _FORMAT.validate_json(form)))
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
        message = printable(f"The format is not one of a public source: {problem['msg']}.")
        raise click.UsageError(message) from error
    except FairnessError as error:
        raise click.ClickException(printable(f"This value is refused: {error}.")) from error


def _read(file: str) -> object:
    path = Path("/dev/stdin") if file == "-" else Path(file)
    try:
        return read_record(path)
    except (FairnessError, OSError) as error:
        message = printable(f"The record cannot be read: {error}")
        raise click.UsageError(message) from error


def _unwrapped(document: object) -> object:
    """Return the record itself, also if it is in the API's envelope."""
    if isinstance(document, dict) and document.keys() <= {"data", "meta"}:
        return document.get("data")
    return document


def _would_be(
    verification: Verification, public_inputs: tuple[str, ...]
) -> Sequence[Pick] | str | None:
    """Return who would have won a voided draw, or why nobody can know; None for other draws."""
    record = verification.record
    if record is None or verification.verdict is not Verdict.VOIDED:
        return None
    try:
        return recompute(record, public_inputs or record.public_inputs).picks
    except FairnessError as error:
        return str(error)


def _as_json(verification: Verification, would_be: Sequence[Pick] | str | None) -> str:
    record = verification.record
    return json.dumps(
        {
            "verdict": verification.verdict.value,
            "sentence": verification.sentence,
            "remarks": list(verification.remarks),
            "checks": [
                {"name": check.name, "passed": check.passed, "sentence": check.sentence}
                for check in verification.checks
            ],
            "anchor": record.chain.anchor if record else None,
            "entriesDigest": record.entries_digest if record else None,
            "ruleDigest": record.rule_digest if record else None,
            "publicInputs": _values(record) if record else [],
            "voidedDraws": record.voided_draws if record else None,
            "picks": [pick.document() for pick in record.picks] if record else [],
            "reserves": [each.document() for each in record.reserves or ()] if record else [],
            **_would_be_as_json(would_be),
        },
        indent=2,
    )


def _would_be_as_json(would_be: Sequence[Pick] | str | None) -> dict[str, Any]:
    if would_be is None or isinstance(would_be, str):
        return {}
    return {"wouldHaveWon": [pick.document() for pick in would_be]}


def _values(record: Record) -> list[dict[str, str]]:
    pairs = zip(record.rule.public_sources, record.public_inputs, strict=False)
    return [
        {"name": source.name, "due": source.due, "value": _written(value)}
        for source, value in pairs
    ]


def _written(value: str | tuple[int, ...]) -> str:
    return value if isinstance(value, str) else "".join(f"{each}." for each in sorted(value))


def _as_text(verification: Verification, would_be: Sequence[Pick] | str | None) -> str:
    lines = [
        f"{'ok  ' if check.passed else 'FAIL'}  {check.name}: {check.sentence}"
        for check in verification.checks
    ]
    record = verification.record
    if record is not None:
        lines += _comparison(record)
        lines += [
            f"  {place}. {pick.participant_id} wins {pick.prize_id} (ticket {pick.ticket})"
            for place, pick in _first(record.picks)
        ]
        lines += _and_more(len(record.picks))
        ready = record.reserves or ()
        lines += [f"  {place}. {_in_reserve(each)}" for place, each in _first(ready)]
        lines += _and_more(len(ready))
    lines += _would_have_won(would_be)
    return "\n".join(printable(line) for line in (*lines, "", verification.sentence))


def _comparison(record: Record) -> list[str]:
    lines = [
        "",
        "Compare with what was published before the draw:",
        f"  anchor          {record.chain.anchor}",
        f"  entries digest  {record.entries_digest}",
        f"  rule digest     {record.rule_digest}",
        "",
    ]
    values = _values(record)
    if values:
        lines.append("Compare with what the public sources published:")
        lines += [f"  {each['name']} (due {each['due']})  {each['value']}" for each in values]
        lines.append("")
    return lines


def _would_have_won(would_be: Sequence[Pick] | str | None) -> list[str]:
    if would_be is None:
        return []
    if isinstance(would_be, str):
        return [f"Who would have won cannot be computed from the record: {would_be}."]
    return [
        "With these values, the result would have been:",
        *(
            f"  {place}. {pick.participant_id}, {pick.prize_id} (ticket {pick.ticket})"
            for place, pick in _first(would_be)
        ),
        *_and_more(len(would_be)),
    ]


def _first(people: Sequence[T]) -> Iterator[tuple[int, T]]:
    return enumerate(people[:MAX_SHOWN], start=1)


def _and_more(count: int) -> list[str]:
    return [f"  and {count - MAX_SHOWN} more"] if count > MAX_SHOWN else []


def _in_reserve(reserve: Reserve) -> str:
    prize = f" for {reserve.prize_id}" if reserve.prize_id else ""
    return f"{reserve.participant_id} is in reserve{prize} (ticket {reserve.ticket})"
