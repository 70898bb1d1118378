"""Values of public sources: one form, confirmed before it is accepted, and nothing to choose."""

from datetime import timedelta

import pytest

from mymozhem.contract import DrawStatus, PreparedDraw, PublicSource, fair
from mymozhem.errors import Conflict, Invalid
from mymozhem.rooms.draws import commands
from mymozhem.rooms.tables.draws import RevealMode
from tests.support.spellings import EIGHT, NUMBERS, SPELLINGS

TWO = fair.NumbersFormat(count=2, min=0, max=9)
LOTTERY = fair.NumbersFormat(count=8, min=1, max=49)


@pytest.fixture
def by_numbers_alone(app):
    app.behaviour["prepare"] = lambda *_: PreparedDraw(algorithm="rfc3797")


@pytest.fixture
def source(clock):
    def make(form=TWO):
        return PublicSource(name="lotto", due=clock.now() + timedelta(hours=1), format=form)

    return make


@pytest.mark.both_engines
@pytest.mark.usefixtures("by_numbers_alone")
async def test_public_sources_decide_once_they_are_due_and_bind_the_operator(event, clock, source):
    prize = await event.host.prize(event.room)
    draw = await event.draw((prize, 1), public_sources=(source(),))
    assert (draw.status, draw.guarantee) == (DrawStatus.COMMITTED, "beacon")
    assert draw.rule["publicSources"][0]["format"] == TWO.document()
    with pytest.raises(Conflict, match="not yet"):
        await event.act(commands.run, draw.id, [[9, 3]])
    clock.advance(timedelta(hours=1))
    for wrong in ([[1, 2], [3, 4]], ["a/b"], [[-1, 3]], [""], [[1]], [[1, 10]]):
        with pytest.raises(Invalid):
            await event.act(commands.run, draw.id, wrong, wrong)
    await event.act(commands.run, draw.id, [[9, 3]], ["3.9."])
    await event.act(commands.run, draw.id, ["03, 9"])  # the same values, accepted already
    with pytest.raises(Conflict, match="other values"):
        await event.act(commands.run, draw.id, [[9, 4]], ["4.9."])
    await event.jobs.run_due()
    assert (await event.verified(draw.id)).record.public_inputs == ("3.9.",)
    late = PublicSource(name="lotto", due=clock.now(), format=TWO)
    with pytest.raises(Conflict, match="due before"):
        await event.request((prize, 1), public_sources=(late,))


@pytest.mark.usefixtures("by_numbers_alone")
async def test_nobody_tries_spellings_of_the_same_numbers_until_a_friend_wins(event, clock, source):
    """The attack: RFC 3797 can be computed by anybody, so each spelling would be another try."""
    prize = await event.host.prize(event.room)
    draw = await event.draw((prize, 1), public_sources=(source(LOTTERY),))
    clock.advance(timedelta(hours=1))
    understood = 0
    for spelling in SPELLINGS:
        with pytest.raises((Conflict, Invalid)) as refused:
            await event.act(commands.run, draw.id, [spelling])
        if refused.type is Conflict:
            understood += 1
            assert refused.value.code == "PUBLIC_INPUTS_UNCONFIRMED"
            assert refused.value.details["confirm"] == [EIGHT]
    assert understood >= 20
    assert (await event.see(draw.id)).public_inputs is None
    await event.act(commands.run, draw.id, [NUMBERS[::-1]], [EIGHT])
    await event.jobs.run_due()
    found = await event.verified(draw.id)
    assert found.record.public_inputs == (EIGHT,)
    winners = {
        fair.recompute(found.record, [spelling]).picks
        for spelling in (NUMBERS, NUMBERS[::-1], EIGHT, " ".join(map(str, NUMBERS)))
    }
    assert winners == {found.record.picks}


async def test_a_value_is_shown_before_it_is_accepted_and_tells_nothing_of_a_result(
    event, clock, source
):
    prize = await event.host.prize(event.room)
    draw = await event.draw((prize, 1), public_sources=(source(),), reveal=RevealMode.MANUAL)
    clock.advance(timedelta(hours=1))
    for confirm in (None, [], ["9.3."], ["3.9"], ["3.8."]):
        with pytest.raises(Conflict) as unconfirmed:
            await event.act(commands.run, draw.id, ["09 3"], confirm)
        assert unconfirmed.value.details == {"sources": ["lotto"], "confirm": ["3.9."]}
        assert await event.jobs.run_due() == 0
    seen = await event.see(draw.id)
    assert (seen.status, seen.public_inputs) == (DrawStatus.COMMITTED, None)


async def test_a_mistyped_value_is_undone_in_public_before_the_reveal(event, clock, source):
    """The void shows everything, the mistyped value included; it is no quiet second try."""
    prize = await event.host.prize(event.room)
    draw = await event.draw((prize, 1), public_sources=(source(),), reveal=RevealMode.MANUAL)
    clock.advance(timedelta(hours=1))
    await event.act(commands.run, draw.id, ["8 3"], ["3.8."])
    await event.jobs.run_due()
    assert (await event.see(draw.id)).status is DrawStatus.DRAWN
    await event.act(commands.void, draw.id, "The nine was read as an eight.")
    voided = await event.verified(draw.id)
    assert voided.verdict is fair.Verdict.VOIDED
    assert voided.record.public_inputs == ("3.8.",)
    assert voided.record.at.drawn is not None
    assert await event.left(prize) == 1
    again = await event.draw((prize, 1), public_sources=(source(),))
    clock.advance(timedelta(hours=1))
    await event.act(commands.run, again.id, ["4 7"], ["4.7."])
    await event.jobs.run_due()
    assert (await event.verified(again.id)).record.voided_draws == 1


@pytest.mark.both_engines
async def test_a_source_that_an_app_names_without_a_format_waits_for_one(event, app, clock):
    """Apps that were written before formats existed go on, with one more step for organizers."""
    old = {"name": "lotto", "due": (clock.now() + timedelta(hours=1)).isoformat()}
    app.behaviour["prepare"] = lambda *_: {"publicSources": [old]}
    prize = await event.host.prize(event.room)
    held = await event.draw((prize, 1))
    assert (held.status, held.held_code) == (DrawStatus.REQUESTED, "PUBLIC_SOURCE_FORMAT")
    assert await event.types("app:fallback_used") == []
    formats = {"lotto": TWO, "unknown": LOTTERY}
    await event.act(commands.retry, held.id, platform=False, formats=formats)
    await event.jobs.run_due()
    draw = await event.see(held.id)
    assert draw.status is DrawStatus.COMMITTED
    assert draw.rule["publicSources"][0]["format"] == TWO.document()
    clock.advance(timedelta(hours=1))
    await event.act(commands.run, draw.id, [[9, 3]], ["3.9."])
    await event.jobs.run_due()
    assert (await event.verified(draw.id)).ok
