"""Algorithm `vrs-1`: every ticket gets a position that nobody can choose; the lowest win.

Sources: draft-thomson-elegy-vrs-00 (the process; the labels are ours), RFC 5869 (HKDF), RFC 2104.
"""

import heapq
import hmac
from collections.abc import Callable, Collection, Iterable, Iterator

from mymozhem.contract.fair.model import (
    Entries,
    Pick,
    Reserve,
    Rule,
    Selection,
    hand_out,
    hold_ready,
)

_APP_LABEL = "app"

Position = tuple[bytes, str, int]
"""Position, participant, ticket. The latter two order equal positions."""


def seed_key(
    link: bytes, *, entries_digest: str, rule_digest: str, public_inputs: Collection[str] = ()
) -> bytes:
    """Return PRK, the 32-byte key of one draw, from its link and what was published before it.

    `public_inputs` are canonical texts, see `public_text`. Source: HKDF-Extract of RFC 5869 with
    the link as salt and `entriesDigest/ruleDigest/publicInput1/…/` as input.
    """
    parts = (entries_digest, rule_digest, *public_inputs)
    return hmac.digest(link, "".join(f"{part}/" for part in parts).encode(), "sha256")


def position(seed_key: bytes, label: str) -> bytes:
    """Return the 32-byte position of a label: the first block of HKDF-Expand (RFC 5869)."""
    return hmac.digest(seed_key, f"{label}\x01".encode(), "sha256")


def app_seed(seed_key: bytes) -> bytes:
    """Return the 32-byte seed for an app's own algorithm; it reveals no position."""
    return position(seed_key, _APP_LABEL)


def selection(rule: Rule, entries: Entries, seed_key: bytes) -> Selection:
    """Return the winners, in list order for each prize in the rule's order, and the reserves.

    With `once` one list serves all prizes and then the reserves; with `perPrize` every prize has
    its own list and takes its reserves from there. Returns fewer if fewer participants are
    eligible.
    """
    if rule.each == "perPrize":
        return _each_anew(rule, entries, seed_key)
    tickets = _best_tickets(seed_key, entries, prefix="", excluded=frozenset(rule.exclude))
    drawn = _ranking(tickets, length=rule.wanted + rule.reserves)
    picks = tuple(hand_out(rule.prizes, drawn))
    return Selection(picks, tuple(hold_ready(drawn, rule.reserves)))


def _each_anew(rule: Rule, entries: Entries, seed_key: bytes) -> Selection:
    excluded = frozenset(rule.exclude)
    picks, reserves = list[Pick](), list[Reserve]()
    for prize in rule.prizes:
        prefix = f"{prize.prize_id}/"
        tickets = _best_tickets(seed_key, entries, prefix=prefix, excluded=excluded)
        drawn = _ranking(tickets, length=prize.count + rule.reserves)
        picks += hand_out((prize,), drawn)
        reserves += hold_ready(drawn, rule.reserves, prize_id=prize.prize_id)
    return Selection(tuple(picks), tuple(reserves))


def _ranking(tickets: Iterable[Position], *, length: int) -> Iterator[tuple[str, int]]:
    for _, participant, ticket in heapq.nsmallest(length, tickets):
        yield participant, ticket


def _best_tickets(
    seed_key: bytes, entries: Entries, *, prefix: str, excluded: frozenset[str]
) -> Iterator[Position]:
    """Yield each participant's best ticket one by one, so that only the winners are in memory."""
    positioned = _positions(seed_key)
    for participant, tickets in zip(entries.participants, entries.tickets, strict=True):
        if participant in excluded:
            continue
        label = f"{prefix}{participant}#"
        if tickets == 1:
            yield positioned(f"{label}1\x01"), participant, 1
        else:
            yield min(
                (positioned(f"{label}{j}\x01"), participant, j) for j in range(1, tickets + 1)
            )


def _positions(seed_key: bytes) -> Callable[[str], bytes]:
    """Return the MAC of a text under the key; copying a keyed MAC halves the time of a new one."""
    keyed = hmac.new(seed_key, digestmod="sha256").copy

    def positioned(text: str) -> bytes:
        mac = keyed()
        mac.update(text.encode())
        return mac.digest()

    return positioned
