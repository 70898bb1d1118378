"""The result of a sample's ratings, once its window is closed."""

from collections.abc import Iterable, Mapping

from mymozhem.contract import (
    CloseWindowRequest,
    CloseWindowResult,
    Context,
    Effect,
    Effects,
    Emit,
    Level,
    RoomChangeRequest,
    Share,
    Submission,
    Submissions,
    Verdict,
    Verdicts,
    hookimpl,
)

from .evening import Result, evening_of
from .settings import settings_of
from .window import Rating, sample_of, window_id


@hookimpl
def close_window(context: Context, request: CloseWindowRequest) -> CloseWindowResult:
    """Summarize the ratings, show what may be shown, and give points to the best palate."""
    sample = sample_of(request.window.id)
    ratings = _ratings(request.submissions.rows())
    return CloseWindowResult(
        effects=_closed(context, sample, ratings),
        verdicts=_best_palate(ratings, settings_of(context).palate_points),
    )


@hookimpl
def on_room_changed(context: Context, request: RoomChangeRequest) -> Effects:
    """Apply what organizers changed through the host's API, for example while the app was down."""
    window = request.change.window_id
    if window is None:
        return Effects()
    if request.change.what == "voided":
        return Effects.of(evening_of(context).without(sample_of(window)).as_effect())
    if request.change.what == "settled":
        rows = (context.submissions or Submissions()).rows()
        ratings = _ratings(row for row in rows if row.window_id == window)
        return Effects(effects=_closed(context, sample_of(window), ratings))
    return Effects()


def _ratings(submissions: Iterable[Submission]) -> Mapping[str, int]:
    """Return the ratings by submission."""
    return {each.id: Rating.model_validate(each.payload).rating for each in submissions}


def _closed(context: Context, sample: int, ratings: Mapping[str, int]) -> tuple[Effect, ...]:
    result = Result.of(sample, tuple(ratings.values()))
    return (
        evening_of(context).updated(result, open=None).as_effect(),
        Emit(type="tasting:sample_closed", payload=result.as_payload()),
        Share(window_id=window_id(sample), to=Level.PUBLIC, fields=("/comment",)),
        Share(window_id=window_id(sample), to=Level.ORGANIZER, fields=("/rating",)),
    )


def _best_palate(ratings: Mapping[str, int], points: int) -> Verdicts:
    """Give the points to everybody whose rating is nearest to the mean.

    The distance of a rating from the mean, times the number of ratings, is a whole number. So the
    comparison is exact, and ties are found.
    """
    total, count = sum(ratings.values()), len(ratings)
    distance = {each: abs(rating * count - total) for each, rating in ratings.items()}
    nearest = min(distance.values(), default=0)
    honoured = [points > 0 and far == nearest for far in distance.values()]
    return Verdicts(
        submission_id=tuple(distance),
        verdict=tuple(Verdict.RIGHT if best else Verdict.NONE for best in honoured),
        points=tuple(points if best else 0 for best in honoured),
    )
