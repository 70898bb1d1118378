"""The checks of a draw's record, one function each.

A check gets the document as received and the record parsed from it. It returns a sentence if the
record passes, and raises a ValueError with a sentence if it does not. Nothing is taken for granted
that an honest host happens to do: whatever a dishonest one could vary to try out results (the order
of the entries, names without a meaning, the spelling of a value) has one allowed form.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from mymozhem.contract.canonical_json import digest
from mymozhem.contract.fair.chain import link_matches
from mymozhem.contract.fair.errors import FairnessError
from mymozhem.contract.fair.model import Rule, Selection, moment
from mymozhem.contract.fair.record import Record, record_digest
from mymozhem.contract.fair.selection import check_size, public_texts, select_all

from .public_values import PublicValue

Document = Mapping[str, object]
CheckOf = Callable[[Document, Record], str]

GUARANTEES = {
    "committed": "committed: nobody could choose the secret after the entries were known",
    "beacon": "beacon: public sources, due after the commit, bind the operator too",
}


def _chain(_: Document, record: Record) -> str:
    chain = record.chain
    _require(
        link_matches(bytes.fromhex(chain.link), chain.index, bytes.fromhex(chain.anchor)),
        f"the link, hashed {chain.index} times, is not the anchor",
    )
    return f"the link, hashed {chain.index} times, is the anchor"


def _entries_digest(document: Document, record: Record) -> str:
    return _same_digest("entries", document["entries"], record.entries_digest)


def _rule_digest(document: Document, record: Record) -> str:
    return _same_digest("rule", document["rule"], record.rule_digest)


def _record_digest(document: Document, record: Record) -> str:
    if "recordDigest" not in document:
        return "the record has no digest of its own; nothing seals room, draw and times"
    _require(
        record_digest(document) == record.record_digest,
        "the record was changed: its recordDigest is that of another document",
    )
    return "the record is the one that its recordDigest names"


def _order(_: Document, record: Record) -> str:
    people = record.entries.participants
    in_order = all(earlier < later for earlier, later in pairwise(people))
    _require(in_order, "the entries are not in canonical order: ascending ids, each once")
    return "the entries are in canonical order"


def _exclude(_: Document, record: Record) -> str:
    exclude = record.rule.exclude
    in_order = all(earlier < later for earlier, later in pairwise(exclude))
    _require(in_order, "the excluded are not in canonical order: ascending ids, each once")
    unknown = set(exclude).difference(record.entries.participants)
    if unknown:
        raise FairnessError(f"{min(unknown)!r} is excluded, but is no entry of this draw")
    return f"{len(exclude)} excluded, each of them an entry, in canonical order"


def _limits(_: Document, record: Record) -> str:
    check_size(record.rule, record.entries)
    return f"{len(record.entries.participants)} entries are within the limits"


def _public_inputs(_: Document, record: Record) -> str:
    if record.is_voided and not record.public_inputs:
        return "the draw was voided before the values of its sources were accepted"
    texts = public_texts(record.rule, record.public_inputs)
    for source, value, text in zip(
        record.rule.public_sources, record.public_inputs, texts, strict=True
    ):
        if source.format is not None and value != text:
            raise FairnessError(
                f"the value of {source.name!r} is not in canonical form, which is {text!r}"
            )
    matching = f"{len(record.public_inputs)} public values match the rule's sources"
    fixed = all(source.format is not None for source in record.rule.public_sources)
    return f"{matching}, in canonical form" if texts and fixed else matching


def _guarantee(_: Document, record: Record) -> str:
    honest = "beacon" if record.rule.public_sources else "committed"
    _require(
        record.guarantee == honest,
        f"the record claims the guarantee {record.guarantee}, but has {honest}",
    )
    return GUARANTEES[honest]


def _verifiable(_: Document, record: Record) -> str:
    rule = record.rule
    if rule.algorithm != "app":
        _require(record.verifiable, f"{rule.algorithm} is verifiable, but the record denies it")
        return f"the picks can be recomputed by {rule.algorithm}"
    if not record.verifiable:
        return "the record says plainly that the app's own algorithm cannot be verified"
    _require(
        rule.on_failure == "platform",
        "the app's own algorithm cannot be verified, and the rule announced no vrs-1 in its place",
    )
    return "the app's own algorithm failed; vrs-1 stood in for it, as the rule announced"


def _counts(_: Document, record: Record) -> str:
    counted = Counter(pick.prize_id for pick in record.picks)
    wanted = {prize.prize_id: prize.count for prize in record.rule.prizes}
    for prize_id, count in counted.items():
        _require(count <= wanted.get(prize_id, 0), f"too many picks for the prize {prize_id!r}")
    return f"{len(record.picks)} picks are no more than the rule's prizes"


def _winners(_: Document, record: Record) -> str:
    tickets = dict(zip(record.entries.participants, record.entries.tickets, strict=True))
    excluded = frozenset(record.rule.exclude)
    for pick in record.picks:
        who = pick.participant_id
        _require(who not in excluded, f"{who!r} was excluded, but drawn")
        _require(pick.ticket <= tickets.get(who, 0), f"{who!r} has no ticket {pick.ticket}")
    once = [
        _who_wins_once(record.rule, pick.prize_id, pick.participant_id) for pick in record.picks
    ]
    _require(len(set(once)) == len(once), "somebody was drawn more often than the rule allows")
    return "everybody drawn was in the entries, with that ticket, and no more often than allowed"


def _reserves(_: Document, record: Record) -> str:
    rule, reserves = record.rule, record.reserves
    if record.is_voided:
        _require(not reserves, "the draw was voided, and the record has people in reserve")
        return "the draw was voided, and nobody is in reserve"
    if not rule.reserves:
        _require(reserves is None, "the rule asks for no reserves, and the record has some")
        return "the rule asks for no reserves"
    if reserves is None:
        raise FairnessError("the rule asks for reserves, and the record has none")
    _require(record.verifiable or not reserves, "reserves follow from the platform's draw alone")
    per_prize = rule.each == "perPrize"
    named = all((reserve.prize_id is not None) is per_prize for reserve in reserves)
    _require(named, "a reserve names its prize with perPrize, and only then")
    won = {_who_wins_once(rule, pick.prize_id, pick.participant_id) for pick in record.picks}
    ready = [_who_wins_once(rule, who.prize_id or "", who.participant_id) for who in reserves]
    _require(len(won.union(ready)) == len(won) + len(ready), "somebody is in reserve twice, or won")
    return f"{len(reserves)} people are in reserve, each once"


def _picks(_: Document, record: Record) -> str:
    if record.is_voided:
        _require(not record.picks, "the draw was voided, and the record has winners")
        return "the draw was voided, and nobody won"
    if not record.verifiable:
        return "the picks were not recomputed"
    found = recompute(record, record.public_inputs)
    _require(found.picks == record.picks, "the picks are not those that the record's values give")
    ready = record.reserves or ()
    _require(found.reserves == ready, "the reserves are not those that the record's values give")
    also = f" and {len(ready)} reserves" if record.rule.reserves else ""
    return f"all {len(found.picks)} picks{also} were recomputed"


def _voided_draws(_: Document, record: Record) -> str:
    if record.voided_draws is None:
        return "the record is from before records told of voided draws"
    _require(
        record.voided_draws < record.chain.index,
        f"{record.voided_draws} draws of the room cannot have been voided before this one,"
        f" because only {record.chain.index - 1} links were used",
    )
    if record.voided_draws == 1:
        return "1 draw of the room was voided before this one; its record is public as well"
    return f"{record.voided_draws} draws of the room were voided before this one"


def _times(_: Document, record: Record) -> str:
    at = record.at
    named = {
        "anchored": at.anchored,
        "committed": at.committed,
        "drawn": at.drawn,
        "revealed": at.revealed,
        "voided": at.voided,
    }
    steps = {name: moment(time) for name, time in named.items() if time is not None}
    listed = ", ".join(steps)
    in_order = all(earlier <= later for earlier, later in pairwise(steps.values()))
    _require(in_order, f"{listed}: the times are not in this order")
    known_at = steps.get("drawn") or (steps.get("voided") if record.public_inputs else None)
    for source in record.rule.public_sources:
        due = moment(source.due)
        _require(
            steps["committed"] < due,
            f"the public source {source.name!r} was due before the commit",
        )
        _require(
            known_at is None or due <= known_at,
            f"the public source {source.name!r} was not due yet when its value was used",
        )
    return f"{listed}: the times are in this order, and public sources due in between"


CHECKS: Mapping[str, CheckOf] = {
    "chain": _chain,
    "entriesDigest": _entries_digest,
    "ruleDigest": _rule_digest,
    "recordDigest": _record_digest,
    "order": _order,
    "exclude": _exclude,
    "limits": _limits,
    "publicInputs": _public_inputs,
    "guarantee": _guarantee,
    "times": _times,
    "voidedDraws": _voided_draws,
    "verifiable": _verifiable,
    "counts": _counts,
    "winners": _winners,
    "reserves": _reserves,
    "picks": _picks,
}


def recompute(record: Record, public_inputs: Sequence[PublicValue]) -> Selection:
    """Return the picks and reserves that a record's values give, with these public values.

    Raises NotComputable for an app's own algorithm without the fallback `vrs-1`, and
    InvalidPublicInput for values that do not fit the rule's sources.
    """
    rule = record.rule
    own = rule.algorithm == "app" and record.verifiable
    return select_all(
        rule,
        record.entries,
        link=bytes.fromhex(record.chain.link),
        public_inputs=public_inputs,
        entries_digest=record.entries_digest,
        rule_digest=record.rule_digest,
        algorithm="vrs-1" if own else None,
    )


def _who_wins_once(rule: Rule, prize_id: str, participant_id: str) -> tuple[str, str]:
    return (prize_id if rule.each == "perPrize" else "", participant_id)


def _same_digest(what: str, document: object, claimed: str) -> str:
    _require(digest(document) == claimed, f"the {what} have been changed: their digest is another")
    return f"the digest of the {what} is the published one"


def _require(holds: bool, otherwise: str) -> None:  # noqa: FBT001 (a condition comes first)
    if not holds:
        raise FairnessError(otherwise)
