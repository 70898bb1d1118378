"""An evening from the first glass to the last bottle, as requests and results."""

import pytest

import mymozhem_tasting as tasting
from mymozhem.contract import (
    Change,
    ChangeKind,
    CloseOn,
    CloseWindow,
    Emit,
    OpenWindow,
    Refuse,
    Rejudge,
    Reply,
    RoomChangeRequest,
    SettingsValidationRequest,
    Share,
    SubmissionMode,
)

BOTTLES = ("Margaux 1996", "House red", "Margaux 1996")


def of(kind, effects):
    return [each for each in effects if isinstance(each, kind)]


def refused(table, action, **payload):
    with pytest.raises(Refuse) as caught:
        table.do(action, **payload)
    return caught.value.refusal.code


# ------------------------------------------------------------------------------------ pouring


def test_a_sample_is_poured_into_a_window_that_does_not_name_its_bottle(table):
    effects = table(*BOTTLES).do("pour", sample=2)
    (window,), (event,) = of(OpenWindow, effects), of(Emit, effects)
    assert (window.id, window.prompt) == ("sample-2", {"title": "Sample 2", "sample": 2})
    assert (window.submissions, window.close_on) == (SubmissionMode.LATEST, CloseOn.ACTION)
    assert (event.type, event.payload) == ("tasting:poured", {"sample": 2})
    assert not any("House" in each.model_dump_json() for each in effects)


def test_a_room_may_close_a_sample_when_everybody_has_rated_it(table):
    (window,) = of(OpenWindow, table("A", closeOn="everyoneAnswered").do("pour", sample=1))
    assert window.close_on is CloseOn.EVERYONE


@pytest.mark.parametrize(("points", "told"), [(0, False), (3, True)])
def test_verdicts_and_standings_are_told_where_there_are_points(table, points, told):
    (window,) = of(OpenWindow, table("A", palatePoints=points).do("pour", sample=1))
    assert (window.announce.verdicts, window.announce.standings) == (told, told)


def test_people_read_the_language_of_the_room(table):
    (window,) = of(OpenWindow, table("A", locale="ru").do("pour", sample=1))
    assert window.prompt["title"] == "Образец 1"


def test_samples_are_poured_once_one_at_a_time_and_until_the_end(table):
    room = table(*BOTTLES)
    assert refused(room, "pour", sample=4) == "SAMPLE_UNKNOWN"
    room.do("pour", sample=1)
    assert refused(room, "pour", sample=2) == "SAMPLE_OPEN"
    assert refused(room, "finish") == "SAMPLE_OPEN"
    room.closed(1, [50])
    assert refused(room, "pour", sample=1) == "SAMPLE_POURED"
    room.do("finish")
    assert refused(room, "pour", sample=2) == "FINISHED"


# ------------------------------------------------------------------------------------ closing


def test_closing_closes_the_window_of_the_open_sample(table):
    room = table(*BOTTLES)
    assert refused(room, "close") == "NOTHING_OPEN"
    room.do("pour", sample=3)
    assert room.do("close") == (CloseWindow(id="sample-3"),)


@pytest.mark.parametrize(
    ("ratings", "numbers"),
    [
        ([], {"count": 0}),
        ([80], {"count": 1, "mean": 80, "median": 80, "spread": 0}),
        ([70, 80, 100], {"count": 3, "mean": 83.3, "median": 80, "spread": 12.5}),
        ([0, 100], {"count": 2, "mean": 50, "median": 50, "spread": 50}),
    ],
)
def test_ratings_are_added_up_without_the_bottle(table, ratings, numbers):
    room = table(*BOTTLES)
    room.do("pour", sample=2)
    effects, _ = room.closed(2, ratings)
    result = {"sample": 2, "void": False} | numbers
    (event,) = of(Emit, effects)
    assert (event.type, event.payload) == ("tasting:sample_closed", result)
    assert room.public == {"results": {"2": result}, "ranking": [], "finished": False}


def test_comments_are_shared_with_everybody_and_ratings_with_organizers_both_without_names(table):
    room = table("A")
    room.do("pour", sample=1)
    effects, _ = room.closed(1, [50])
    assert {each.to: each.fields for each in of(Share, effects)} == {
        "public": ("/comment",),
        "organizer": ("/rating",),
    }


@pytest.mark.parametrize(
    ("ratings", "points"),
    [
        ([], ()),
        ([80], (5,)),
        ([70, 80, 100], (0, 5, 0)),
        ([40, 60], (5, 5)),
        ([1, 1, 2], (5, 5, 0)),
        ([10, 11, 12, 13], (0, 5, 5, 0)),
    ],
)
def test_whoever_is_nearest_to_the_mean_has_the_best_palate(table, ratings, points):
    room = table("A", palatePoints=5)
    room.do("pour", sample=1)
    assert room.closed(1, ratings)[1] == points


def test_without_points_nobody_gets_any(table):
    room = table("A")
    room.do("pour", sample=1)
    assert room.closed(1, [1, 2, 3])[1] == (0, 0, 0)


def told(room, what, sample, **more):
    change = Change(kind=ChangeKind.WINDOW, what=what, window_id=f"sample-{sample}")
    return room.kept(
        tasting.on_room_changed(room.context(**more), RoomChangeRequest(change=change))
    )


def test_what_was_settled_without_the_app_is_added_up_later(table, rated):
    room = table(*BOTTLES).rated(1, 80)
    room.do("pour", sample=2)
    effects = told(room, "settled", 2, submissions=rated({1: [80], 2: [40, 60]}))
    assert len(of(Share, effects)) == 2
    assert (room.public.get("open"), room.public["results"]["2"]["mean"]) == (None, 50)


@pytest.mark.parametrize("sample", [1, 2])
def test_what_an_organizer_voided_by_the_hosts_means_is_left_out(table, sample):
    room = table(*BOTTLES).rated(1, 80)
    room.do("pour", sample=2)
    told(room, "voided", sample)
    assert room.public["results"][str(sample)]["void"] is True
    assert room.public.get("open") == (2 if sample == 1 else None)


@pytest.mark.parametrize("what", ["paused", "resumed", "extended", "closed", "corrected"])
def test_other_changes_of_a_window_need_nothing(table, what):
    room = table(*BOTTLES)
    room.do("pour", sample=1)
    assert told(room, what, 1) == ()


# ------------------------------------------------------------------------- bottles and ranking


def test_one_bottle_or_all_are_revealed_with_their_results(table):
    room = table(*BOTTLES).rated(1, 80).rated(2, 90).rated(3, 80)
    (event,) = of(Emit, room.do("reveal", sample=2))
    assert event.type == "tasting:bottle_revealed"
    assert (event.payload["bottle"], event.payload["mean"]) == ("House red", 90)
    assert [each["sample"] for each in room.public["ranking"]] == [2]

    told = of(Emit, room.do("reveal"))
    assert [each.payload["sample"] for each in told] == [1, 3]
    assert of(Emit, room.do("reveal")) == []


def test_a_sample_that_was_not_rated_yet_stays_hidden(table):
    room = table(*BOTTLES)
    assert refused(room, "reveal", sample=1) == "SAMPLE_NOT_CLOSED"
    room.do("pour", sample=1)
    assert refused(room, "reveal", sample=1) == "SAMPLE_NOT_CLOSED"
    assert of(Emit, room.do("reveal")) == []


def test_the_end_ranks_the_bottles_and_equal_means_share_a_rank(table):
    room = table(*BOTTLES, "Corked", "Never poured").rated(1, 80).rated(2, 70).rated(3, 80)
    room.rated(4)
    (reply,) = of(Reply, room.do("finish"))
    ranking = [(each["rank"], each["sample"], each["mean"]) for each in reply.data["ranking"]]
    assert ranking == [(1, 1, 80), (1, 3, 80), (3, 2, 70)]
    assert room.public["ranking"] == reply.data["ranking"]
    assert room.public["finished"] is True
    assert "5" not in room.public["results"]


def test_a_void_sample_is_left_out_of_results_and_ranking(table):
    room = table(*BOTTLES).rated(1, 80).rated(2, 90)
    assert refused(room, "void", sample=3) == "SAMPLE_NOT_CLOSED"
    (effect,) = of(Rejudge, room.do("void", sample=2))
    assert (effect.window_id, effect.void) == ("sample-2", True)
    room.do("finish")
    assert [each["sample"] for each in room.public["ranking"]] == [1]
    assert room.public["results"]["2"] == {
        "sample": 2, "count": 0, "void": True, "bottle": "House red"
    }  # fmt: skip


def test_voiding_after_the_end_ranks_anew(table):
    room = table(*BOTTLES).rated(1, 80).rated(2, 90)
    room.do("finish")
    room.do("void", sample=2)
    assert [each["bottle"] for each in room.public["ranking"]] == ["Margaux 1996"]


# ----------------------------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("bottles", "purpose", "codes"),
    [
        ((), "save", []),
        ((), "activate", ["SAMPLES_MISSING"]),
        (("A",), "activate", []),
    ],
)
def test_a_tasting_needs_something_to_taste(table, bottles, purpose, codes):
    room = table(*bottles)
    request = SettingsValidationRequest(settings=room.settings, purpose=purpose)
    result = tasting.validate_settings(context=room.context(), request=request)
    assert [each.code for each in result.problems] == codes
