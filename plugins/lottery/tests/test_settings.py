"""What has come is no longer to come, to the instant."""

import pytest

from mymozhem_lottery.settings import Settings, Source


@pytest.mark.parametrize(("hours", "to_come"), [(-1, False), (0, False), (0.001, True)])
def test_a_draw_date(now, later, hours, to_come):
    at = later(hours)
    assert Settings(draw_date=at).draws_at(now) == (at if to_come else None)


@pytest.mark.parametrize(("hours", "to_come"), [(-1, False), (0, False), (0.001, True)])
def test_a_public_source(now, later, hours, to_come):
    source = Source(name="A die", due=later(hours))
    found = Settings(public_sources=(source,)).sources_after(now)
    assert found == ((source,) if to_come else ())
