"""Compare what the host says with the replies to the phones and with the expected scores."""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

from pydantic import JsonValue

from mymozhem.contract.demo import DemoFailed

from .expected_scores import Counted, Sheet, points, ranks
from .http_room import Event, Person, Place, Row, Window
from .question import Asked
from .simulated_players import Heard

K = TypeVar("K", bound=Hashable)


def sheet_of(asked: Asked, heard: Heard, rows: Sequence[Row], window: Window, right: str) -> Sheet:
    """Return a round as recorded, after a check that every acknowledged answer counts once."""
    what = f"round {asked.number}"
    same(f"{what}: answers counted, rows", window.answered, len(rows))
    by_person = {row.participant_id: row for row in rows}
    same(f"{what}: people among the rows", len(by_person), len(rows))
    for person, (answer, told) in heard.accepted.items():
        row = by_person.pop(person, None)
        seen = row and (row.id, row.elapsed_ms, row.payload)
        expected = (told.submission_id, told.elapsed_ms, {"answer": answer})
        same(f"{what}: the answer of {person}", seen, expected)
    for person, row in by_person.items():
        same(f"{what}: an answer nobody sent", row.payload.get("answer"), heard.unread.get(person))
    answers = (_counted(row) for row in rows)
    prompt = window.prompt
    limit_ms = prompt.seconds * 1_000
    return Sheet(asked.number, tuple(answers), right, prompt.points, limit_ms)


def check_points(mode: str, sheet: Sheet, rows: Sequence[Row]) -> None:
    """Compare verdicts and points of a round; in `first` at most one answer has points."""
    brought = points(mode, sheet)
    for row, one in zip(rows, sheet.answers, strict=True):
        verdict = "right" if one.answer == sheet.right else "wrong"
        expected = (verdict, brought[one.person])
        same(f"round {sheet.number}: {row.participant_id}", (row.verdict, row.points), expected)


def check_standings(total: Counter[str], places: Sequence[Place]) -> None:
    """Compare the standings, with ranks, with everybody's expected points."""
    placed = ranks(total)
    expected = {person: (rank, total[person]) for person, rank in placed.items()}
    seen = {place.participant_id: (place.rank, place.points) for place in places}
    same_each("standings", seen, expected)


def check_people(total: Counter[str], people: Sequence[Person], expected: int) -> None:
    """Compare everybody's points; people who were never right have none."""
    players = [person for person in people if person.role == "PARTICIPANT"]
    same("people who play", len(players), expected)
    seen = {person.id: person.points for person in players}
    same_each("points", seen, {person.id: total[person.id] for person in players})


def check_log(events: Sequence[Event], winners: Mapping[int, str | None]) -> None:
    """Compare the winners of rounds in the log; no result may come before the round closes."""
    closed: set[JsonValue] = set()
    told: dict[int, JsonValue] = {}
    for event in events:
        window = event.payload.get("windowId")
        if event.type == "window:closed":
            closed.add(window)
        if event.type in {"quiz:round_winner", "quiz:answer_revealed"} and window not in closed:
            raise DemoFailed(f"{event.type} of {window} came before it was closed.")
        if event.type == "quiz:round_winner":
            told[int(str(event.payload["round"]))] = event.payload["participantId"]
    same_each("the winner of round", told, winners)


def same(what: str, seen: object, expected: object) -> None:
    """Raise an error with both values if they differ."""
    if seen != expected:
        raise DemoFailed(f"{what}: the host says {seen}, the script calculated {expected}.")


def same_each(what: str, seen: Mapping[K, object], expected: Mapping[K, object]) -> None:
    """Compare by key, so that the error names the key that differs."""
    for key in (*seen, *(one for one in expected if one not in seen)):
        same(f"{what}, {key}", seen.get(key), expected.get(key))


def _counted(row: Row) -> Counted:
    return Counted(row.participant_id, str(row.payload.get("answer")), row.elapsed_ms)
