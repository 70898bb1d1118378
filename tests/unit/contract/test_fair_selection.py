"""What a draw does with its entries and its rule, whatever chance says."""

import hmac
from collections import Counter
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from mymozhem.contract.canonical_json import digest
from mymozhem.contract.fair import (
    AppVersion,
    DrawTooLarge,
    Entries,
    FairnessError,
    InvalidPublicInput,
    NotComputable,
    PrizeCount,
    PublicSource,
    Rule,
    check_limits,
    public_text,
    rfc3797,
    select,
    select_all,
)

LINK = bytes(range(32))
ids = st.text(min_size=1, max_size=8).filter(lambda text: text.isprintable())
pools = st.dictionaries(ids, st.integers(1, 5), min_size=1, max_size=12)
counts = st.lists(st.integers(1, 6), min_size=1, max_size=4)
algorithms = st.sampled_from(["vrs-1", "rfc3797"])
eaches = st.sampled_from(["once", "perPrize"])


def rule_of(counts, *, algorithm="vrs-1", each="once", exclude=(), sources=None, reserves=0):
    named = 1 if sources is None and algorithm == "rfc3797" else sources or 0
    return Rule(
        app=AppVersion(id="an-app", version="1.0.0"),
        lock_digest="0" * 64,
        algorithm=algorithm,
        each=each,
        prizes=tuple(PrizeCount(prize_id=f"prize-{n}", count=c) for n, c in enumerate(counts)),
        exclude=tuple(exclude),
        reserves=reserves,
        public_sources=tuple(
            PublicSource(name=f"source {n}", due="2026-01-01T00:00:00Z") for n in range(named)
        ),
    )


def draw(rule, entries, **more):
    return draw_all(rule, entries, of=select, **more)


def draw_all(rule, entries, *, link=LINK, public_inputs=None, of=select_all, **more):
    inputs = [[3, 1, 2]] * len(rule.public_sources) if public_inputs is None else public_inputs
    return of(
        rule,
        entries,
        link=link,
        public_inputs=inputs,
        entries_digest="e" * 64,
        rule_digest="f" * 64,
        **more,
    )


@given(pools, counts, algorithms, eaches, st.data())
def test_nobody_wins_more_than_the_rule_allows_and_no_prize_goes_unfilled_needlessly(
    pool, counts, algorithm, each, data
):
    exclude = data.draw(st.lists(st.sampled_from(sorted(pool)), unique=True))
    rule = rule_of(counts, algorithm=algorithm, each=each, exclude=exclude)
    picks = draw(rule, Entries.canonical(pool))
    eligible = len(pool) - len(exclude)
    if each == "once":
        assert len(picks) == min(sum(counts), eligible)
        assert len({pick.participant_id for pick in picks}) == len(picks)
    else:
        assert len(picks) == sum(min(count, eligible) for count in counts)
        assert len({(pick.prize_id, pick.participant_id) for pick in picks}) == len(picks)
    assert not {pick.participant_id for pick in picks} & set(exclude)
    assert all(1 <= pick.ticket <= pool[pick.participant_id] for pick in picks)
    order = [prize.prize_id for prize in rule.prizes]
    assert [order.index(pick.prize_id) for pick in picks] == sorted(
        order.index(pick.prize_id) for pick in picks
    )


@given(pools, counts, algorithms, st.integers(0, 6), st.data())
def test_reserves_are_who_comes_next_when_every_prize_is_given(
    pool, counts, algorithm, reserves, data
):
    exclude = data.draw(st.lists(st.sampled_from(sorted(pool)), unique=True))
    entries = Entries.canonical(pool)
    asked = {"algorithm": algorithm, "exclude": exclude}
    found = draw_all(rule_of(counts, reserves=reserves, **asked), entries)
    in_a_row = draw(rule_of([sum(counts) + reserves], **asked), entries)
    drawn = [(one.participant_id, one.ticket) for one in (*found.picks, *found.reserves)]
    assert drawn == [(one.participant_id, one.ticket) for one in in_a_row]
    assert found.picks == draw(rule_of(counts, **asked), entries)
    assert all(reserve.prize_id is None for reserve in found.reserves)


@given(pools, counts, algorithms, st.integers(0, 6))
def test_with_per_prize_everybody_next_in_the_ranking_of_a_prize_is_in_reserve_for_it(
    pool, counts, algorithm, reserves
):
    entries, asked = Entries.canonical(pool), {"algorithm": algorithm, "each": "perPrize"}
    found = draw_all(rule_of(counts, reserves=reserves, **asked), entries)
    assert found.picks == draw(rule_of(counts, **asked), entries)
    names = [f"prize-{n}" for n in range(len(counts))]
    for name, count in zip(names, counts, strict=True):
        won = [one.participant_id for one in found.picks if one.prize_id == name]
        ready = [one.participant_id for one in found.reserves if one.prize_id == name]
        assert len(ready) == min(reserves, len(pool) - len(won))
        assert len({*won, *ready}) == len(won) + len(ready)
        if algorithm == "vrs-1":
            further = draw(rule_of([c + reserves for c in counts], **asked), entries)
            ranking = [one.participant_id for one in further if one.prize_id == name]
            assert [*won, *ready] == ranking[: count + reserves]
    order = [names.index(one.prize_id) for one in found.reserves]
    assert order == sorted(order)


@given(pools, counts, eaches, st.data())
def test_vrs_does_not_look_at_the_order_of_entries(pool, counts, each, data):
    shuffled = data.draw(st.permutations(sorted(pool)))
    other = Entries(
        participants=tuple(shuffled), tickets=tuple(pool[participant] for participant in shuffled)
    )
    rule = rule_of(counts, each=each)
    assert draw(rule, other) == draw(rule, Entries.canonical(pool))


@given(pools, algorithms)
def test_drawing_everybody_is_a_permutation(pool, algorithm):
    picks = draw(rule_of([len(pool)], algorithm=algorithm), Entries.canonical(pool))
    assert sorted(pick.participant_id for pick in picks) == sorted(pool)


@given(pools, algorithms, st.data())
def test_excluding_somebody_moves_the_others_up_and_changes_nothing_else(pool, algorithm, data):
    gone = data.draw(st.sampled_from(sorted(pool)))
    entries = Entries.canonical(pool)
    everybody = [len(pool)]
    before = draw(rule_of(everybody, algorithm=algorithm), entries)
    after = draw(rule_of(everybody, algorithm=algorithm, exclude=[gone]), entries)
    assert list(after) == [pick for pick in before if pick.participant_id != gone]


@given(pools)
def test_somebody_left_out_of_vrs_leaves_the_others_where_they_were(pool):
    gone, *others = sorted(pool)
    rest = {participant: pool[participant] for participant in others}
    excluded = draw(rule_of([12], exclude=[gone]), Entries.canonical(pool))
    absent = draw(rule_of([12]), Entries.canonical(rest))
    assert excluded == absent


@given(pools, counts, eaches)
def test_vrs_is_the_sorting_of_all_positions(pool, counts, each):
    prk = hmac.digest(LINK, f"{'e' * 64}/{'f' * 64}/".encode(), "sha256")
    expected = []
    left = set(pool)
    for n, count in enumerate(counts):
        prefix = f"prize-{n}/" if each == "perPrize" else ""
        left = set(pool) if each == "perPrize" else left
        best = sorted(
            min(
                (hmac.digest(prk, f"{prefix}{p}#{j}".encode() + b"\x01", "sha256"), p, j)
                for j in range(1, pool[p] + 1)
            )
            for p in left
        )[:count]
        left = left - {p for _, p, _ in best}
        expected += [(f"prize-{n}", p, j) for _, p, j in best]
    picks = draw(rule_of(counts, each=each), Entries.canonical(pool))
    assert [(pick.prize_id, pick.participant_id, pick.ticket) for pick in picks] == expected


def test_with_rfc3797_the_rounds_count_on_from_prize_to_prize():
    entries = Entries.canonical({f"person {n:02}": 1 for n in range(50)})
    picks = draw(rule_of([5, 5, 5], algorithm="rfc3797", each="perPrize"), entries)
    by_prize = [
        [pick.participant_id for pick in picks if pick.prize_id == f"prize-{n}"] for n in range(3)
    ]
    assert by_prize[0] != by_prize[1] != by_prize[2] != by_prize[0]


@pytest.mark.parametrize("algorithm", ["vrs-1", "rfc3797"])
def test_chances_are_in_proportion_to_tickets(algorithm):
    entries = Entries.canonical({"one": 1, "three": 3, "six": 6})
    sources = 1 if algorithm == "rfc3797" else 0
    rule = rule_of([1], algorithm=algorithm, sources=sources)
    wins = Counter(
        draw(rule, entries, link=n.to_bytes(32, "big"), public_inputs=[[n]] * sources)[
            0
        ].participant_id
        for n in range(3_000)
    )
    # Seeded by counting, so the numbers are the same for ever; four standard deviations are 107.
    assert abs(wins["one"] - 300) < 66
    assert abs(wins["three"] - 900) < 101
    assert abs(wins["six"] - 1_800) < 108


def test_another_link_gives_other_winners_and_the_same_link_the_same():
    entries = Entries.canonical({f"person {n}": 1 for n in range(100)})
    rule = rule_of([10])
    assert draw(rule, entries) == draw(rule, entries)
    assert draw(rule, entries) != draw(rule, entries, link=bytes(32))


def test_public_values_change_the_winners_of_vrs():
    entries = Entries.canonical({f"person {n}": 1 for n in range(100)})
    rule = rule_of([10], sources=1)
    one = draw(rule, entries, public_inputs=["fb8f7bc2"])
    assert one != draw(rule, entries, public_inputs=["fb8f7bc3"])


def test_an_apps_own_algorithm_is_not_ours_to_compute_but_its_fallback_is():
    entries = Entries.canonical({"ann": 1, "bob": 2})
    with pytest.raises(NotComputable):
        draw(rule_of([1], algorithm="app"), entries)
    fallback = draw(rule_of([1], algorithm="app"), entries, algorithm="vrs-1")
    assert fallback == draw(rule_of([1]), entries)


def test_nobody_in_the_entries_means_no_picks():
    for algorithm in ("vrs-1", "rfc3797"):
        assert draw(rule_of([3], algorithm=algorithm), Entries.canonical({})) == ()


def test_more_prizes_than_anybody_could_count_do_no_harm():
    entries = Entries.canonical({"ann": 1, "bob": 2})
    for algorithm in ("vrs-1", "rfc3797"):
        assert len(draw(rule_of([2**53 - 1] * 3, algorithm=algorithm), entries)) == 2


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([9319], "9319."),
        ([12, 5, 0], "0.5.12."),
        ((2, 2), "2.2."),
        ("fb8f7b", "fb8f7b"),
        ("9319.", "9319."),
    ],
)
def test_a_public_value_has_one_text(value, text):
    assert public_text(value) == text


@pytest.mark.parametrize("value", ["", [], "a/b", "/", [-1]])
def test_a_public_value_that_has_no_text_is_refused(value):
    with pytest.raises(InvalidPublicInput):
        public_text(value)


@pytest.mark.parametrize("values", [[], ["1"], ["1", "2", "3"]])
def test_as_many_values_come_as_the_rule_names_sources(values):
    with pytest.raises(InvalidPublicInput, match="2 public sources"):
        draw(rule_of([1], sources=2), Entries.canonical({"ann": 1}), public_inputs=values)


@pytest.mark.parametrize(
    ("rule", "tickets", "what"),
    [
        (rule_of([1]), {"ann": 10_000_000}, None),
        (rule_of([1]), {"ann": 10_000_000, "bob": 1}, "tickets"),
        (rule_of([1, 1], each="perPrize"), {"ann": 2_500_000}, None),
        (rule_of([1, 1], each="perPrize"), {"ann": 2_500_001}, "tickets × prizes"),
        (rule_of([2], algorithm="rfc3797"), {"ann": 65_535, "bob": 65_535}, None),
        (rule_of([2], algorithm="rfc3797"), {"ann": 65_537, "bob": 65_537}, "rounds of RFC 3797"),
        (
            rule_of([1], algorithm="rfc3797", exclude=["ann"]),
            {"ann": 65_536, "bob": 1},
            "rounds of RFC 3797",
        ),
        (rule_of([1], algorithm="rfc3797"), {"ann": 10_000_000}, None),
        (rule_of([9], algorithm="rfc3797"), {"ann": 65_536}, None),
        (rule_of([1], reserves=1_000), {"ann": 10_000_000}, None),
        (rule_of([1] * 100, each="perPrize", reserves=1_000), {"ann": 1}, None),
        (rule_of([1] * 101, each="perPrize", reserves=1_000), {"ann": 1}, "reserves × prizes"),
        (
            rule_of([1], algorithm="rfc3797", reserves=1),
            {"ann": 65_537, "bob": 65_537},
            "rounds of RFC 3797",
        ),
    ],
)
def test_limits_are_checked_before_the_commit(rule, tickets, what):
    entries = Entries.canonical(tickets)
    if what is None:
        check_limits(rule, entries)
        return
    with pytest.raises(DrawTooLarge, match=what) as refused:
        check_limits(rule, entries)
    assert refused.value.what == what
    assert refused.value.found > refused.value.limit


def test_a_million_entries_are_the_most():
    entries = Entries.canonical({str(n): 1 for n in range(1_000_001)})
    with pytest.raises(DrawTooLarge, match="1000001 entries"):
        draw(rule_of([1]), entries)


def test_rounds_that_run_out_are_refused_and_do_not_wrap_around():
    drawn = rfc3797.positions("1.2.3./", pool=70_000)
    assert len(set(islice(drawn, 65_536))) == 65_536
    with pytest.raises(DrawTooLarge, match="rounds of RFC 3797"):
        next(drawn)


@given(pools, counts, eaches, st.integers(0, 4), st.data())
@settings(max_examples=50)
def test_a_draw_within_the_limits_never_needs_more_rounds_than_foreseen(
    pool, counts, each, reserves, data
):
    exclude = data.draw(st.lists(st.sampled_from(sorted(pool)), unique=True))
    asked = {"algorithm": "rfc3797", "each": each, "exclude": exclude}
    rule = rule_of(counts, reserves=reserves, **asked)
    entries = Entries.canonical(pool)
    spent = CountingRounds()
    rfc3797.selection(rule, entries, "1.2.3./", spent)
    assert spent.count <= rfc3797.worst_case_rounds(rule, entries)


class CountingRounds:
    def __init__(self):
        self.count = 0

    def __iter__(self):
        return self

    def __next__(self):
        self.count += 1
        return self.count - 1


@pytest.mark.parametrize(
    "change",
    [
        {"prizes": ()},
        {"prizes": (PrizeCount(prize_id="same", count=1), PrizeCount(prize_id="same", count=2))},
        {"public_sources": ()},
        {"each": "twice"},
        {"algorithm": "vrs-2"},
        {"public_sources": ({"name": "a", "due": "tomorrow"},)},
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(change):
    fields = dict(rule_of([1], algorithm="rfc3797"))
    with pytest.raises(ValidationError):
        Rule(**{**fields, **change})


@pytest.mark.parametrize(
    ("participants", "tickets"),
    [
        (("ann", "ann"), (1, 1)),
        (("ann",), (1, 1)),
        (("ann",), (0,)),
        (("ann",), (1.0,)),
        (("ann",), (True,)),
        (("",), (1,)),
        (("\ud800",), (1,)),
        ((1,), (1,)),
    ],
)
def test_entries_that_cannot_be_meant_are_refused(participants, tickets):
    with pytest.raises(ValidationError):
        Entries(participants=participants, tickets=tickets)


def test_entries_are_frozen_in_ascending_order_and_named_by_their_digest():
    entries = Entries.canonical({"part_b": 2, "part_a": 1})
    assert entries.document() == {"participants": ["part_a", "part_b"], "tickets": [1, 2]}
    assert entries.digest() == digest(entries.document())
    with pytest.raises(ValidationError):
        entries.tickets = (1, 1)


def test_a_prize_with_a_slash_would_make_labels_ambiguous():
    with pytest.raises(ValidationError):
        PrizeCount(prize_id="a/b", count=1)


def test_every_error_of_a_draw_is_a_value_error():
    assert issubclass(FairnessError, ValueError)
