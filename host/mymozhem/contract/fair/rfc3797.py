"""Algorithm `rfc3797`: winners from public numbers alone, as the IETF draws its NomCom.

Source: RFC 3797, section 4. The pool is the list of tickets: participants in the frozen order, each
as often as they have tickets. Round `i` takes ticket number `MD5(i ‖ key ‖ i) mod (tickets left)`
out of what is left of the pool, with `i` as two bytes, big-endian, from 0.

What the RFC leaves open is defined here:

- If a drawn ticket belongs to a participant who is excluded or was drawn before, the ticket is
  removed and skipped, and the next round follows (section 5.1 of the RFC: the numbering of the
  pool never changes after its publication).
- With `perPrize` every prize starts with the whole pool, and the numbers of the rounds continue;
  nobody gets the same prize twice.
- Reserves are drawn after all prizes are assigned: with `perPrize` prize after prize, each from
  what is left of its own pool. So reserves change no winner.
- Two bytes count 65,536 rounds. A draw that needs more is refused; nothing wraps around.
"""

import hashlib
from bisect import bisect_right, insort
from collections.abc import Collection, Iterator
from itertools import accumulate, chain

from mymozhem.contract.fair.errors import DrawTooLarge
from mymozhem.contract.fair.model import Entries, Pick, Rule, Selection, hand_out, hold_ready

MAX_ROUNDS = 65_536


def selection_key(public_inputs: Collection[str]) -> str:
    """Return the key of RFC 3797: canonical texts (see `public_text`), each followed by a slash."""
    return "".join(f"{text}/" for text in public_inputs)


def round_hash(key: str, index: int) -> bytes:
    """Return the MD5 hash of one round, `index` from 0 to 65535."""
    counter = index.to_bytes(2, "big")
    return hashlib.md5(counter + key.encode() + counter, usedforsecurity=False).digest()


def positions(key: str, *, pool: int, rounds: Iterator[int] | None = None) -> Iterator[int]:
    """Yield the positions (from 1) of a pool in the order in which they are drawn, each once.

    `rounds` are the round numbers to use, from 0 if not given; DrawTooLarge if there are too few.
    """
    rounds = iter(range(MAX_ROUNDS)) if rounds is None else rounds
    taken: list[int] = []
    for left in range(pool, 0, -1):
        index = next(rounds, None)
        if index is None:
            raise DrawTooLarge("rounds of RFC 3797", found=MAX_ROUNDS + 1, limit=MAX_ROUNDS)
        place = _nth_left(taken, int.from_bytes(round_hash(key, index), "big") % left)
        insort(taken, place)
        yield place + 1


def selection(
    rule: Rule, entries: Entries, key: str, rounds: Iterator[int] | None = None
) -> Selection:
    """Return the winners in the rule's order and the reserves; run no more rounds than needed.

    Returns fewer if fewer participants are eligible. For `rounds` see `positions`.
    """
    rounds = iter(range(MAX_ROUNDS)) if rounds is None else rounds
    if rule.each == "once":
        drawn = _drawn(rule, entries, key, rounds)
        picks = tuple(hand_out(rule.prizes, drawn))
        return Selection(picks, tuple(hold_ready(drawn, rule.reserves)))
    return _each_anew(rule, entries, key, rounds)


def _each_anew(rule: Rule, entries: Entries, key: str, rounds: Iterator[int]) -> Selection:
    picks, left = list[Pick](), dict[str, Iterator[tuple[str, int]]]()
    for prize in rule.prizes:
        drawn = _drawn(rule, entries, key, rounds)
        picks += hand_out((prize,), drawn)
        if rule.reserves:
            left[prize.prize_id] = drawn
    reserves = (hold_ready(drawn, rule.reserves, prize_id=each) for each, drawn in left.items())
    return Selection(tuple(picks), tuple(chain.from_iterable(reserves)))


def worst_case_rounds(rule: Rule, entries: Entries) -> int:
    """Return how many rounds the draw needs if as many rounds as possible are skipped.

    A host checks this before it commits, so that no committed draw runs out of rounds.
    """
    excluded = frozenset(rule.exclude)
    pairs = list(zip(entries.participants, entries.tickets, strict=True))
    skipped = sum(tickets for participant, tickets in pairs if participant in excluded)
    eligible = (tickets for participant, tickets in pairs if participant not in excluded)
    heaviest = sorted(eligible, reverse=True)
    prizes = [p.count for p in rule.prizes] if rule.each == "perPrize" else [rule.wanted]
    counts = [count + rule.reserves for count in prizes]
    pool = skipped + sum(heaviest)
    return sum(min(pool, skipped + sum(heaviest[: count - 1]) + 1) for count in counts)


def _drawn(
    rule: Rule, entries: Entries, key: str, rounds: Iterator[int]
) -> Iterator[tuple[str, int]]:
    """Yield participants and their tickets in the order drawn, until nobody eligible is left."""
    passed_over = set(rule.exclude)
    eligible = sum(participant not in passed_over for participant in entries.participants)
    ends = list(accumulate(entries.tickets))
    tickets = positions(key, pool=ends[-1] if ends else 0, rounds=rounds)
    while eligible:
        place = next(tickets) - 1
        at = bisect_right(ends, place)
        participant = entries.participants[at]
        if participant in passed_over:
            continue
        passed_over.add(participant)
        eligible -= 1
        yield participant, place - ends[at] + entries.tickets[at] + 1


def _nth_left(taken: list[int], n: int) -> int:
    """Return the position of the n-th ticket left (both from 0); `taken` are sorted positions."""
    before = bisect_right(range(len(taken)), n, key=lambda i: taken[i] - i)
    return n + before
