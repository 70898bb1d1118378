"""Settings that cannot work stop the activation, and drafts may be incomplete."""

import pytest

from mymozhem.contract import RoomStatus, SettingsValidationRequest
from mymozhem_lottery import validate_settings

NOW = "2026-12-31T20:00:00Z"
PAST, SOON, LATE = "2026-12-31T19:00:00Z", "2026-12-31T21:00:00Z", "2026-12-31T23:00:00Z"


NUMBERS = {"kind": "numbers", "count": 6, "min": 1, "max": 49, "ordered": False}


def source(due, name="Numbers", form=NUMBERS):
    return {"name": name, "due": due, **({"format": form} if form else {})}


def found(context, settings, purpose="activate"):
    request = SettingsValidationRequest(settings=settings, purpose=purpose)
    result = validate_settings(context=context, request=request)
    return [(problem.pointer, problem.code) for problem in result.problems]


RFC = {"selectionMethod": "rfc3797"}
RULES = [
    pytest.param({}, [], id="defaults are good"),
    pytest.param({"drawDate": SOON}, [], id="a draw to come"),
    pytest.param({"drawDate": PAST}, [("/drawDate", "DRAW_DATE_PAST")], id="a draw gone by"),
    pytest.param({"drawDate": NOW}, [("/drawDate", "DRAW_DATE_PAST")], id="a draw this instant"),
    pytest.param(
        {"publicSources": [source(NOW)]},
        [("/publicSources/0/due", "SOURCE_TOO_EARLY")],
        id="a source known this instant",
    ),
    pytest.param(RFC, [("/publicSources", "SOURCES_MISSING")], id="rfc3797 without sources"),
    pytest.param({**RFC, "publicSources": [source(SOON)]}, [], id="rfc3797 with a source"),
    *(
        pytest.param(
            {"publicSources": [source(SOON, form=form)]},
            [("/publicSources/0/format", "FORMAT_MISSING")],
            id=f"a source whose value could be written in many ways: {form}",
        )
        for form in (None, {"kind": "hex"}, {"kind": "numbers", "count": 6, "min": 9, "max": 1})
    ),
    pytest.param(
        {"publicSources": [source(SOON, form={"kind": "hex", "bytes": 32})]}, [], id="bytes"
    ),
    pytest.param(
        {**RFC, "publicSources": [source(PAST)]},
        [("/publicSources/0/due", "SOURCE_TOO_EARLY"), ("/publicSources", "SOURCES_MISSING")],
        id="a source known already",
    ),
    pytest.param(
        {"drawDate": LATE, "publicSources": [source(SOON)]},
        [("/publicSources/0/due", "SOURCE_TOO_EARLY")],
        id="a source known before the draw",
    ),
    pytest.param(
        {"publicSources": [source(SOON), source(LATE)]},
        [("/publicSources", "SOURCE_TWICE")],
        id="one name for two sources",
    ),
    pytest.param({"drawDate": "2026-12-31T21:00:00"}, [("/drawDate", "UNREADABLE")], id="no zone"),
]


@pytest.mark.parametrize(("settings", "problems"), RULES)
def test_activation(context, settings, problems):
    assert found(context(status=RoomStatus.DRAFT), settings) == problems


@pytest.mark.parametrize("settings", [RFC, {"drawDate": PAST}, {"publicSources": [source(PAST)]}])
def test_a_draft_may_lack_what_the_event_needs(context, settings):
    assert found(context(status=RoomStatus.DRAFT), settings, "save") == []


def test_a_room_that_is_only_being_made_has_no_room_yet(context):
    nowhere = context().model_copy(update={"room": None})
    assert found(nowhere, {"drawDate": PAST}, "save") == []


LIVE = [
    pytest.param({"drawDate": PAST}, {"theme": "birthday"}, [], id="what has come due stays"),
    pytest.param({}, {"drawDate": PAST}, [("/drawDate", "DRAW_DATE_PAST")], id="moved to the past"),
    pytest.param(
        {**RFC, "publicSources": [source(PAST)]}, {"theme": "birthday"}, [], id="sources used up"
    ),
    pytest.param(
        {**RFC, "publicSources": [source(PAST)]},
        {"publicSources": [source(PAST), source(SOON, "More numbers")]},
        [],
        id="a further source",
    ),
    pytest.param(
        {**RFC, "publicSources": [source(SOON)]},
        {"drawDate": LATE},
        [("/publicSources", "SOURCES_MISSING")],
        id="the draw moved behind its sources",
    ),
]


@pytest.mark.parametrize(("before", "change", "problems"), LIVE)
def test_a_running_room_is_asked_about_what_changes(context, before, change, problems):
    assert found(context(**before), {**before, **change}, "save") == problems


def test_problems_are_in_the_rooms_language(context):
    request = SettingsValidationRequest(settings={"drawDate": PAST}, purpose="activate")
    (problem,) = validate_settings(context=context(locale="ru"), request=request).problems
    assert problem.message.startswith("Дата розыгрыша")
