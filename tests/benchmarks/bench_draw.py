"""A draw of 100 from 1,000,000 entries against one HMAC per entry, in the same run.

The bare equivalent is a keyed HMAC-SHA256 for every participant's id, nothing kept, by the fastest
way that Python's standard library has.
"""

import hmac
import resource
import sys
from collections.abc import Iterable

from mymozhem.contract.fair import AppVersion, Entries, PrizeCount, Rule, select

from .figures import Figure, at_most, best, bound

ENTRIES = 1_000_000
WINNERS = 100
ROUNDS = 3
TARGET_RATIO = 2.0
TARGET_MIB = 1024
LINK = bytes(range(32))


def entries_of(count: int) -> Entries:
    """Return so many participants with a ticket each, their ids as long as the platform's own."""
    return Entries.canonical({f"part_019a0000-0000-7000-8000-{n:012x}": 1 for n in range(count)})


def rule_of(winners: int) -> Rule:
    """Return a rule with one prize for so many winners."""
    return Rule(
        app=AppVersion(id="an-app", version="1.0.0"),
        lock_digest="0" * 64,
        algorithm="vrs-1",
        prizes=(PrizeCount(prize_id="prize_1", count=winners),),
    )


def bare(entries: Entries) -> None:
    """Compute one HMAC per entry."""
    keyed = hmac.new(LINK, digestmod="sha256").copy
    for participant in entries.participants:
        mac = keyed()
        mac.update(participant.encode())
        mac.digest()


def draw(entries: Entries, rule: Rule) -> None:
    """Draw, as the host does once entries and rule are committed."""
    picks = select(
        rule,
        entries,
        link=LINK,
        public_inputs=(),
        entries_digest="e" * 64,
        rule_digest="f" * 64,
    )
    if len(picks) != rule.wanted:
        raise SystemExit(f"{len(picks)} picks instead of {rule.wanted}")


def peak_bytes() -> int:
    """Return the most memory that this process ever held; macOS counts bytes, Linux kibibytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def measure() -> Iterable[Figure]:
    """Measure the selection alone: entries and rule are committed, and their digests known."""
    entries, rule = entries_of(ENTRIES), rule_of(WINNERS)
    plain, drawn = best(lambda: bare(entries), lambda: draw(entries, rule), rounds=ROUNDS)
    what = f"draw of {WINNERS} from {ENTRIES:,}"
    yield at_most(what, TARGET_RATIO, bare=plain, ours=drawn, unit="s")
    yield bound(f"{what}, memory", TARGET_MIB, ours=peak_bytes() / 2**20, unit="MiB")
