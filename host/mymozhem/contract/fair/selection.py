"""Select the winners of a draw: one function for the host and for everybody who checks the host."""

from collections.abc import Sequence

from mymozhem.contract.fair import rfc3797, vrs
from mymozhem.contract.fair.errors import (
    DrawTooLarge,
    InvalidPublicInput,
    NotComputable,
)
from mymozhem.contract.fair.model import (
    Algorithm,
    Entries,
    Pick,
    PublicSource,
    Rule,
    Selection,
)

from .public_values import PublicValue, canonical_value, public_text

MAX_ENTRIES = 1_000_000
MAX_TICKETS = 10_000_000
MAX_TICKETS_PER_PRIZE = 5_000_000
MAX_RESERVES_IN_ALL = 100_000


def check_limits(rule: Rule, entries: Entries) -> None:
    """Raise DrawTooLarge if a draw exceeds a limit; call it before the commit.

    The limits are a million entries and ten million tickets; with `perPrize` five million tickets ×
    prizes and a hundred thousand reserves × prizes; and in the worst case no more rounds of
    `rfc3797` than two bytes can count.
    """
    check_size(rule, entries)
    if rule.algorithm == "rfc3797":
        rounds = rfc3797.worst_case_rounds(rule, entries)
        _within("rounds of RFC 3797", rounds, rfc3797.MAX_ROUNDS)


def select(
    rule: Rule,
    entries: Entries,
    *,
    link: bytes,
    public_inputs: Sequence[PublicValue],
    entries_digest: str,
    rule_digest: str,
    algorithm: Algorithm | None = None,
) -> tuple[Pick, ...]:
    """Return only the winners of a draw; see `select_all`."""
    return select_all(
        rule,
        entries,
        link=link,
        public_inputs=public_inputs,
        entries_digest=entries_digest,
        rule_digest=rule_digest,
        algorithm=algorithm,
    ).picks


def select_all(
    rule: Rule,
    entries: Entries,
    *,
    link: bytes,
    public_inputs: Sequence[PublicValue],
    entries_digest: str,
    rule_digest: str,
    algorithm: Algorithm | None = None,
) -> Selection:
    """Return the winners of a draw, prize after prize in the rule's order, and its reserves.

    A pure function: the same values always give the same participants. `public_inputs` are in the
    order of the rule's `publicSources`. `algorithm` overrides that of the rule; a host does this
    only if the rule announced `vrs-1` as the fallback for an app's own algorithm. Returns fewer
    picks than prizes, and no reserves, if too few participants are eligible.

    Raises NotComputable for an app's own algorithm, InvalidPublicInput for values that do not fit
    the sources, DrawTooLarge beyond the limits.
    """
    check_size(rule, entries)
    texts = public_texts(rule, public_inputs)
    match algorithm or rule.algorithm:
        case "vrs-1":
            key = vrs.seed_key(
                link, entries_digest=entries_digest, rule_digest=rule_digest, public_inputs=texts
            )
            return vrs.selection(rule, entries, key)
        case "rfc3797":
            return rfc3797.selection(rule, entries, rfc3797.selection_key(texts))
        case _:
            raise NotComputable("the winners came from the app's own algorithm")


def public_texts(rule: Rule, values: Sequence[PublicValue]) -> tuple[str, ...]:
    """Return the canonical texts of all sources' values; InvalidPublicInput if they do not fit."""
    if len(values) != len(rule.public_sources):
        raise InvalidPublicInput(
            f"the rule names {len(rule.public_sources)} public sources, {len(values)} values came"
        )
    pairs = zip(rule.public_sources, values, strict=True)
    return tuple(_canonical(source, value) for source, value in pairs)


def _canonical(source: PublicSource, value: PublicValue) -> str:
    if source.format is None:
        return public_text(value)
    try:
        return canonical_value(value, source.format)
    except InvalidPublicInput as error:
        raise InvalidPublicInput(f"the value of {source.name!r}: {error}") from error


def check_size(rule: Rule, entries: Entries) -> None:
    """Raise DrawTooLarge for too many entries or tickets; with `perPrize` also times the prizes."""
    tickets = sum(entries.tickets)
    _within("entries", len(entries.participants), MAX_ENTRIES)
    _within("tickets", tickets, MAX_TICKETS)
    if rule.each == "perPrize":
        _within("tickets × prizes", tickets * len(rule.prizes), MAX_TICKETS_PER_PRIZE)
        _within("reserves × prizes", rule.reserves * len(rule.prizes), MAX_RESERVES_IN_ALL)


def _within(what: str, found: int, limit: int) -> None:
    if found > limit:
        raise DrawTooLarge(what, found=found, limit=limit)
