"""The rules of draws that need no database: entries and picks."""

from functools import partial

import pytest

from mymozhem.concurrency.compute_pool import LARGE, ComputePool
from mymozhem.contract import EntryList, EntryRule, Pick, SelectWinnersResult, TicketRule, fair
from mymozhem.dispatch.outcome import BadAnswer
from mymozhem.rooms.draws.entries import EntriesRefused, freeze, write_chunk
from mymozhem.rooms.draws.picks import check_picks

PEOPLE = [
    ("part_b", "guest", {"tickets": 3}, 25, None, "2030-01-01T12:00:00+00:00"),
    ("part_a", "registered", {"tickets": None}, 4, 7, None),
    ("part_c", "guest", {}, -5, 0, "2030-01-01T11:00:00+00:00"),
]


def rule(**members):
    return fair.Rule.model_validate(
        {
            "app": {"id": "x", "version": "1.0.0"},
            "lockDigest": "d",
            "algorithm": "vrs-1",
            "prizes": [{"prizeId": "p", "count": 1}, {"prizeId": "q", "count": 1}],
            **members,
        }
    )


@pytest.mark.parametrize(
    ("entries", "tickets"),
    [
        (EntryRule(), {"part_a": 1, "part_b": 1, "part_c": 1}),
        (EntryRule(tickets=2), {"part_a": 2, "part_b": 2, "part_c": 2}),
        (EntryRule(leave_out=("part_a", "part_x")), {"part_b": 1, "part_c": 1}),
        (EntryRule(where={"properties": {"kind": {"const": "guest"}}}), {"part_b": 1, "part_c": 1}),
        (EntryRule(where={"properties": {"points": {"minimum": 4}}}), {"part_a": 1, "part_b": 1}),
        (EntryRule(seen_since="2030-01-01T13:00:00+02:00"), {"part_b": 1, "part_c": 1}),
        (EntryRule(seen_since="2030-01-01T11:30:00Z"), {"part_b": 1}),
        (EntryRule(tickets=TicketRule(field="tickets")), {"part_a": 1, "part_b": 3, "part_c": 1}),
        (EntryRule(tickets=TicketRule(of="points", per=10, maximum=2)), {"part_b": 2}),
        (EntryRule(tickets=TicketRule(of="earlierPoints", default=0)), {"part_a": 7}),
        (EntryList(participants=("part_c", "part_a"), tickets=(2, 5)), {"part_a": 5, "part_c": 2}),
    ],
)
def test_entries_are_those_of_the_rule_in_canonical_order(entries, tickets):
    frozen = freeze([write_chunk(PEOPLE[:2]), write_chunk(PEOPLE[2:])], entries, rule())
    expected = fair.Entries.canonical(tickets)
    assert frozen.digest == expected.digest()
    assert (frozen.entries, frozen.tickets) == (len(tickets), sum(tickets.values()))


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        (EntryList(participants=("part_x",), tickets=(1,)), "NOT_A_CANDIDATE"),
        (EntryList(participants=("part_a", "part_a"), tickets=(1, 1)), "ENTRY_TWICE"),
        (EntryRule(tickets=4_000_000), "DRAW_TOO_LARGE"),
        (EntryRule(tickets=TicketRule(field="x", default=0)), "NO_ENTRIES"),
    ],
)
def test_entries_that_cannot_be_frozen_say_why(entries, code):
    with pytest.raises(EntriesRefused) as refused:
        freeze([write_chunk(PEOPLE)], entries, rule())
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("metadata", "tickets"),
    [
        ({"tickets": 5}, 5),
        ({"tickets": "5"}, 5),
        ({"tickets": 5.0}, 5),
        ({"tickets": 1e3}, 1_000),
        ({"Tickets": 5}, 5),
        ({" TICKETS ": "5"}, 5),
        ({"tickets": 2, "Tickets": 5}, 2),
        ({"tickets": None}, 1),
        ({}, 1),
    ],
)
def test_whole_numbers_of_tickets_count_in_any_notation(metadata, tickets):
    people = [write_chunk([("part_a", "guest", metadata, 0, None, None)])]
    found = freeze(people, EntryRule(tickets=TicketRule(field="tickets")), rule())
    assert found.tickets == tickets


@pytest.mark.parametrize(
    "metadata",
    [
        {"tickets": "many"},
        {"tickets": ""},
        {"tickets": 1.5},
        {"tickets": True},
        {"tickets": -1},
        {"tickets": [5]},
        {"tickets": "1,000"},
        {"Tickets": 1, "TICKETS": 2},
    ],
)
def test_tickets_that_are_no_whole_number_stop_the_draw_before_its_commit(metadata):
    people = [
        write_chunk([(f"part_{one}", "guest", metadata, 0, None, None) for one in "abcdefg"]),
        write_chunk([("part_h", "guest", {"tickets": 3}, 0, None, None)]),
    ]
    entries = EntryRule(tickets=TicketRule(field="tickets"))
    with pytest.raises(EntriesRefused, match=r"part_a has .*and 2 more") as refused:
        freeze(people, entries, rule())
    assert refused.value.code == "TICKETS_UNREADABLE"
    left_out = entries.model_copy(update={"leave_out": tuple(f"part_{one}" for one in "abcdefg")})
    assert freeze(people, left_out, rule()).tickets == 3


@pytest.mark.parametrize(
    ("picks", "each", "code"),
    [
        ([("p", "a"), ("q", "b")], "once", None),
        ([("q", "b"), ("p", "a")], "once", None),
        ([("p", "a"), ("q", "a")], "perPrize", None),
        ([("p", "a"), ("q", "a")], "once", "PICKED_TWICE"),
        ([("p", "a"), ("q", "c")], "once", "NOT_AN_ENTRY"),
        ([("p", "a"), ("q", "x")], "once", "NOT_AN_ENTRY"),
        ([("p", "a"), ("p", "b")], "once", "TOO_MANY_PICKS"),
        ([("p", "a"), ("z", "b")], "once", "TOO_MANY_PICKS"),
        ([("p", "a")], "once", "TOO_FEW_PICKS"),
    ],
)
def test_picks_of_an_app_are_checked_against_the_rule(picks, each, code):
    entries = fair.Entries(participants=("a", "b", "c"), tickets=(1, 1, 1))
    answer = SelectWinnersResult(
        picks=tuple(Pick(prize_id=p, participant_id=who) for p, who in picks)
    )
    checked = rule(each=each, exclude=["c"])
    if code is None:
        check_picks(checked, entries, answer)
        return
    with pytest.raises(BadAnswer) as bad:
        check_picks(checked, entries, answer)
    assert bad.value.code == code


async def test_entries_of_a_large_draw_are_frozen_in_the_child_process():
    pool = ComputePool()
    strangers = EntryList(participants=("part_x",), tickets=(1,))
    with pytest.raises(EntriesRefused, match="no candidate"):
        await pool.run(partial(freeze, [write_chunk(PEOPLE)], strangers, rule()), size=LARGE)
    pool.close()
