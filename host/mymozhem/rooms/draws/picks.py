"""Pick the winners by an algorithm of the host, or check the picks of the app's own."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from mymozhem.contract import JsonObject, SelectWinnersResult, fair
from mymozhem.contract.fair.model import Algorithm
from mymozhem.dispatch.outcome import BadAnswer

PickDocument = dict[str, str | int]
ReserveDocument = dict[str, str | int]


@dataclass(frozen=True)
class Selection:
    """The picks of a draw as they are stored; `reserves` is None if the rule wants none.

    `metadata` is what an app's own algorithm stores with each win; empty if there is none.
    """

    picks: list[PickDocument]
    reserves: list[ReserveDocument] | None = None
    metadata: tuple[JsonObject, ...] = ()


@dataclass(frozen=True)
class DrawInputs:
    """A committed draw with everything that decides it; never disclose `link`.

    `entries` is the stored JSON, `rule` its stored document.
    """

    entries: str
    rule: JsonObject
    link: bytes
    public_inputs: tuple[str | tuple[int, ...], ...]
    entries_digest: str
    rule_digest: str


def compute(ready: DrawInputs, algorithm: Algorithm) -> Selection:
    """Return the picks of a draw by `vrs-1` or `rfc3797`, each in drawn order."""
    rule = fair.Rule.model_validate(ready.rule)
    found = fair.select_all(
        rule,
        read_entries(ready.entries),
        link=ready.link,
        public_inputs=ready.public_inputs,
        entries_digest=ready.entries_digest,
        rule_digest=ready.rule_digest,
        algorithm=algorithm,
    )
    picks = [_document(pick.prize_id, pick.participant_id, pick.ticket) for pick in found.picks]
    return Selection(picks, [_reserve(each) for each in found.reserves] if rule.reserves else None)


def seed_of(ready: DrawInputs) -> str:
    """Return the hex seed of an app's own algorithm; it discloses no position of `vrs-1`."""
    rule = fair.Rule.model_validate(ready.rule)
    key = fair.seed_key(
        ready.link,
        entries_digest=ready.entries_digest,
        rule_digest=ready.rule_digest,
        public_inputs=fair.public_texts(rule, ready.public_inputs),
    )
    return fair.app_seed(key).hex()


def read_entries(text: str) -> fair.Entries:
    """Parse stored entries; they were checked when they were frozen."""
    document = orjson.loads(text)
    return fair.Entries.model_construct(
        participants=tuple(document["participants"]), tickets=tuple(document["tickets"])
    )


def app_picks(rule: fair.Rule, answer: SelectWinnersResult) -> Selection:
    """Return the picks of an app's own algorithm, without reserves and tickets."""
    picks = [_document(pick.prize_id, pick.participant_id, 1) for pick in answer.picks]
    metadata = tuple(pick.metadata for pick in answer.picks)
    return Selection(picks, [] if rule.reserves else None, metadata)


def check_picks(rule: fair.Rule, entries: fair.Entries, answer: SelectWinnersResult) -> None:
    """Raise BadAnswer if an app's picks break the announced rule."""
    eligible = set(entries.participants).difference(rule.exclude)
    for pick in answer.picks:
        if pick.participant_id not in eligible:
            _refuse("NOT_AN_ENTRY", f"{pick.participant_id!r} is no entry of this draw.")
    _check_repeats(rule, answer)
    _check_counts(rule, len(eligible), Counter(pick.prize_id for pick in answer.picks))


def _check_repeats(rule: fair.Rule, answer: SelectWinnersResult) -> None:
    per_prize = rule.each == "perPrize"
    wins = [(pick.prize_id if per_prize else "", pick.participant_id) for pick in answer.picks]
    if len(set(wins)) != len(wins):
        _refuse("PICKED_TWICE", "Somebody was picked more often than the rule allows.")


def _check_counts(rule: fair.Rule, eligible: int, picked: Counter[str]) -> None:
    wanted = {prize.prize_id: prize.count for prize in rule.prizes}
    for prize_id, count in picked.items():
        if count > wanted.get(prize_id, 0):
            _refuse("TOO_MANY_PICKS", f"{count} picks for {prize_id!r} are more than are drawn.")
    if picked.total() < _possible(rule, eligible):
        _refuse("TOO_FEW_PICKS", "Prizes were left over although there are people for them.")


def _possible(rule: fair.Rule, eligible: int) -> int:
    counts: Sequence[int] = [prize.count for prize in rule.prizes]
    if rule.each == "perPrize":
        return sum(min(count, eligible) for count in counts)
    return min(sum(counts), eligible)


def _refuse(code: str, message: str) -> None:
    raise BadAnswer(code, message)


def _document(prize_id: str, participant_id: str, ticket: int) -> PickDocument:
    return {"prizeId": prize_id, "participantId": participant_id, "ticket": ticket}


def _reserve(reserve: fair.Reserve) -> ReserveDocument:
    own: ReserveDocument = {} if reserve.prize_id is None else {"prizeId": reserve.prize_id}
    return own | {"participantId": reserve.participant_id, "ticket": reserve.ticket}
