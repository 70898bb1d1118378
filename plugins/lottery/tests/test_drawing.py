"""Who takes part in a draw is said by a rule that follows from the settings."""

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from mymozhem.contract import (
    Candidates,
    DrawPrize,
    EntryRule,
    PrepareDrawRequest,
    PublicSource,
    Refuse,
    Replaced,
    TicketRule,
    WinnerStatus,
    fair,
)
from mymozhem_lottery import prepare_draw

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("MYMOZHEM_SHARED_DATA", ROOT.parent / "shared" / "data"))
REVOKED = WinnerStatus.REVOKED


def left_out(context, request):
    return prepare_draw(context=context, request=request).entries.leave_out


@pytest.mark.parametrize(
    ("settings", "tickets"),
    [
        ({"ticketSource": "equal"}, 1),
        ({}, TicketRule(field="tickets", maximum=10_000)),
        ({"ticketField": "lots", "maximumTickets": 7}, TicketRule(field="lots", maximum=7)),
        (
            {"ticketSource": "earlierPoints", "pointsPerTicket": 50, "maximumTickets": 9},
            TicketRule(of="earlierPoints", per=50, minimum=1, maximum=9),
        ),
    ],
)
def test_tickets(context, to_draw, settings, tickets):
    prepared = prepare_draw(context=context(**settings), request=to_draw("a", "b"))
    assert prepared.entries.tickets == tickets


@pytest.mark.parametrize(("several", "each"), [(False, "once"), (True, "perPrize")])
def test_winning_several_prizes(context, to_draw, several, each):
    prepared = prepare_draw(context=context(allowMultipleWins=several), request=to_draw("a"))
    assert prepared.each == each


def test_only_people_with_an_account(context, to_draw):
    entries = prepare_draw(context=context(eligibility="registered"), request=to_draw("a")).entries
    assert entries.where == {
        "properties": {"kind": {"const": "registered"}},
        "required": ["kind"],
    }


PRESENT = {"who": "present", "withinSeconds": 90}
EVERYONE = {"who": "everyone", "withinSeconds": 90}


@pytest.mark.parametrize(
    ("presence", "note", "seconds"),
    [
        (PRESENT, {}, 90),
        (EVERYONE, {}, None),
        (EVERYONE, {"onlyPresent": True}, 90),
        (PRESENT, {"onlyPresent": False}, None),
        (PRESENT, {"onlyPresent": "perhaps"}, 90),
    ],
)
def test_only_people_present(context, to_draw, now, presence, note, seconds):
    prepared = prepare_draw(context=context(presence=presence), request=to_draw("a", data=note))
    since = None if seconds is None else now - timedelta(seconds=seconds)
    assert prepared.entries.seen_since == since
    assert ("Only people seen within 90 s" in prepared.rule) is (seconds is not None)


@pytest.mark.parametrize(
    ("setting", "asked", "reserves"), [(0, 0, 0), (3, 0, 3), (3, 5, 5), (0, 5, 5)]
)
def test_reserves_are_as_many_as_asked_for_else_as_the_setting_says(
    context, to_draw, setting, asked, reserves
):
    request = to_draw("a", reserves=asked)
    prepared = prepare_draw(context=context(reserves_=setting), request=request)
    assert prepared.reserves == reserves


@pytest.mark.parametrize(
    ("several", "sentence"),
    [(False, "Next in line, in order: 3."), (True, "Next in line for each prize, in order: 3.")],
)
def test_the_rule_says_how_many_come_next(context, to_draw, several, sentence):
    told = context(reserves_=3, allowMultipleWins=several)
    assert sentence in prepare_draw(context=told, request=to_draw("a")).rule


def test_without_that_option_nobody_has_to_be_seen(context, to_draw):
    assert prepare_draw(context=context(), request=to_draw("a")).entries.seen_since is None


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"allowMultipleWins": False}, ("a",)),
        ({"allowMultipleWins": False, "excludeEarlierWinners": True}, ("a",)),
        ({"allowMultipleWins": True}, ()),
        ({"allowMultipleWins": True, "excludeEarlierWinners": True}, ("a",)),
    ],
)
def test_earlier_winners(context, to_draw, winner, settings, expected):
    winners = (winner("a", prize="prize_9"), winner("b", prize="prize_9", status=REVOKED))
    request = to_draw("a", "b")
    assert left_out(context(winners=winners, **settings), request) == expected


@pytest.mark.parametrize("status", [WinnerStatus.AWARDED, WinnerStatus.FULFILLED])
def test_who_holds_a_prize_is_left_out_whether_it_was_handed_over_or_not(
    context, to_draw, winner, status
):
    winners = (winner("a", prize="prize_9", status=status),)
    assert left_out(context(winners=winners), to_draw("a", "b")) == ("a",)


@pytest.mark.parametrize("several", [False, True])
def test_a_redraw_never_picks_who_was_drawn_for_that_prize(context, to_draw, winner, several):
    winners = (winner("a", status=REVOKED), winner("b", status=REVOKED))
    replaced = Replaced(winner_id="win_b", participant_id="b", prize_id="prize_1", reason=None)
    request = to_draw("a", "b", "c", replaces=replaced)
    told = context(winners=winners, allowMultipleWins=several)
    assert left_out(told, request) == ("a", "b")


def test_who_missed_one_prize_may_win_another(context, to_draw, winner):
    winners = (winner("a", prize="prize_9", status=REVOKED),)
    assert left_out(context(winners=winners), to_draw("a", "b")) == ()


def test_a_list_names_participants_or_persons(context, to_draw):
    told = context(excludedPeople=["a", "person-c", "somebody else"])
    assert left_out(told, to_draw("a", "b", "c")) == ("a", "c")


def test_rfc3797_uses_the_rooms_sources_that_are_still_to_come(context, to_draw, later):
    sources = [
        {"name": "Yesterday", "due": later(-24).isoformat()},
        {"name": "Tonight", "due": later(2).isoformat()},
    ]
    told = context(selectionMethod="rfc3797", publicSources=sources)
    prepared = prepare_draw(context=told, request=to_draw("a"))
    assert prepared.algorithm == "rfc3797"
    assert prepared.public_sources == (PublicSource(name="Tonight", due=later(2)),)


def test_a_draws_own_sources_come_first(context, to_draw, later):
    own = PublicSource(name="A die", due=later(1))
    settings = {"publicSources": [{"name": "Tonight", "due": later(2).isoformat()}]}
    request = to_draw("a", public_sources=(own,))
    assert prepare_draw(context=context(**settings), request=request).public_sources == (own,)


def test_rfc3797_without_a_source_to_come_is_refused(context, to_draw):
    with pytest.raises(Refuse, match="SOURCES_MISSING"):
        prepare_draw(context=context(selectionMethod="rfc3797"), request=to_draw("a"))


def test_the_rule_is_a_sentence_for_people(context, to_draw, winner):
    told = context(eligibility="registered", presence={"who": "present"}, winners=(winner("a"),))
    assert prepare_draw(context=told, request=to_draw("a", "b")).rule == (
        "Tickets as the organizer gave them, from the field “tickets”: one if nothing is written"
        " there, 10000 at most. People with an account only. Only people seen within 120 s before"
        " the draw. Nobody wins twice. Left out: 1."
    )


def test_a_million_people_and_ten_thousand_prizes_are_one_short_rule(context, to_draw):
    people = tuple(f"part_{number:07}" for number in range(1_000_000))
    prizes = tuple(
        DrawPrize(prize_id=f"prize_{number}", name="Mug", count=1) for number in range(10_000)
    )
    request = PrepareDrawRequest.model_construct(
        draw_id="draw_1",
        key="key",
        prizes=prizes,
        candidates=Candidates.model_construct(id=people, person_id=people),
        replaces=None,
        public_sources=(),
    )
    listed = ["part_0999999", "part_0000001"]
    prepared = prepare_draw(context=context(excludedPeople=listed), request=request)
    assert prepared.entries == EntryRule(
        leave_out=("part_0000001", "part_0999999"),
        tickets=TicketRule(field="tickets", maximum=10_000),
    )


def test_the_draw_of_the_ietf_in_2022_comes_out_as_published(context, to_draw, later):
    vectors = DATA / "vectors" / "draws.json"
    if not vectors.exists():
        pytest.skip("the published draws are not here")
    published = json.loads(vectors.read_text())["rfc3797_nomcom_2022"]
    pool = tuple(f"part_{number:03}" for number in range(1, published["pool_size"] + 1))
    names = [f"Source {number}" for number in range(len(published["sources"]))]
    sources = [{"name": name, "due": later(1).isoformat()} for name in names]
    told = context(selectionMethod="rfc3797", publicSources=sources)
    prizes = tuple(f"prize_{number}" for number in range(len(published["selected_positions"])))
    prepared = prepare_draw(context=told, request=to_draw(*pool, prizes=prizes))
    rule = fair.Rule(
        app=fair.AppVersion(id="lottery", version="2.1.0"),
        lock_digest="0" * 64,
        algorithm=prepared.algorithm,
        each=prepared.each,
        prizes=tuple(fair.PrizeCount(prize_id=prize, count=1) for prize in prizes),
        public_sources=tuple(
            fair.PublicSource(name=one.name, due=one.due.isoformat())
            for one in prepared.public_sources
        ),
    )
    entries = fair.Entries.canonical(dict.fromkeys(pool, 1))
    picks = fair.select(
        rule,
        entries,
        link=bytes(32),
        public_inputs=published["sources"],
        entries_digest=entries.digest(),
        rule_digest=rule.digest(),
    )
    positions = [pool.index(pick.participant_id) + 1 for pick in picks]
    assert positions == published["selected_positions"]
