"""A draw of 100 from 1,000,000 entries against one HMAC per entry, in the same run.

The bare equivalent is a keyed HMAC-SHA256 for every participant's id, nothing kept, by the fastest
way that Python's standard library has. Target: at most twice its time, and a process of at most 1
GiB. Both are run several times in turn and the fastest of each counts, since machines have other
things to do. Run it with `python tests/benchmarks/bench_draw.py`.
"""

import hmac
import resource
import sys
import time
from collections.abc import Callable

from mymozhem.contract.fair import AppVersion, Entries, PrizeCount, Rule, select

ENTRIES = 1_000_000
WINNERS = 100
ROUNDS = 3
TARGET_RATIO = 2.0
TARGET_BYTES = 2**30
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


def seconds(act: Callable[[], object]) -> float:
    """Return how long the act took."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def peak_bytes() -> int:
    """Return the most memory that this process ever held; macOS counts bytes, Linux kibibytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def main() -> None:
    """Measure, and print ratio and memory beside their targets."""
    entries, rule = entries_of(ENTRIES), rule_of(WINNERS)
    freezing = seconds(entries.digest)
    rounds = [
        (seconds(lambda: bare(entries)), seconds(lambda: draw(entries, rule)))
        for _ in range(ROUNDS)
    ]
    plain, drawn = (min(times) for times in zip(*rounds, strict=True))
    lines = (
        f"{WINNERS} from {ENTRIES:,}: {drawn:.2f} s; one HMAC per entry: {plain:.2f} s",
        f"ratio {drawn / plain:.2f} (target: at most {TARGET_RATIO})",
        f"peak {peak_bytes() / 2**20:.0f} MiB (target: at most {TARGET_BYTES / 2**20:.0f})",
        f"digest of the entries, once at the commit: {freezing:.2f} s",
    )
    print("\n".join(lines))  # noqa: T201 (what a benchmark is for)


if __name__ == "__main__":
    main()
