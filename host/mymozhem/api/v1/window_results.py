"""Results of windows: submissions and standings; also as files."""

from collections.abc import AsyncIterator, Sequence

from quart import Response

from mymozhem.api.file_downloads import Cells, FileForm, download
from mymozhem.api.query_models import FileQuery, paged
from mymozhem.api.request_pipeline import RequestContext
from mymozhem.api.responses import Page
from mymozhem.api.routes import Routes
from mymozhem.rooms.views.base import to_json
from mymozhem.rooms.views.standings import STANDINGS, StandingView, all_standings
from mymozhem.rooms.views.standings import list_standings as found_standings
from mymozhem.rooms.views.submission_columns import columns_of
from mymozhem.rooms.views.submissions import (
    SUBMISSIONS,
    SubmissionView,
    batches,
    list_all_submissions,
)
from mymozhem.rooms.views.submissions import list_submissions as found_submissions

routes = Routes("windows", "Windows: time spans in which participants submit.")

_PLACE = ("rank", "participantId", "displayName", "points")


@routes.add(SUBMISSIONS, refuses=frozenset({409}))
async def list_submissions(
    context: RequestContext, id: str, window_id: str, query: FileQuery
) -> Page[SubmissionView] | Response:
    """List the submissions of a closed window: staff see all, others see what was shared.

    Verdicts and points are present after the results are shown. `format` sends the whole list as a
    file. In CSV each member of the payloads has a column, `payload.NAME`; everything that fits no
    column is in `payload`, as JSON. A CSV file is UTF-8 with a byte order mark, as spreadsheets
    expect it, and a text that they would take for a formula gets an apostrophe in front.
    """
    if query.format is None:
        page = await found_submissions(
            context.services, id, context.principal, window_id, query.part
        )
        return paged(page, query)
    listed = await list_all_submissions(
        context.services, id, context.principal, window_id, members=query.format is FileForm.CSV
    )
    columns = columns_of(listed)
    return download(
        f"{id}-{window_id}",
        query.format,
        batches(context.services.database, listed),
        header=columns.header,
        cells=columns.cells,
    )


@routes.add(STANDINGS)
async def list_standings(
    context: RequestContext, id: str, query: FileQuery
) -> Page[StandingView] | Response:
    """List the standings, best first; empty for participants while a window hides them.

    Equal points share a rank. `format` sends the whole list as a file.
    """
    if query.format is None:
        page = await found_standings(context.services, id, context.principal, query.part)
        return paged(page, query)
    found = await all_standings(context.services, id, context.principal)
    return download(
        f"{id}-standings", query.format, _in_parts(found), header=_PLACE, cells=_standing
    )


async def _in_parts(found: Sequence[StandingView]) -> AsyncIterator[Sequence[StandingView]]:
    most = 500
    for start in range(0, len(found), most):
        yield found[start : start + most]


def _standing(item: StandingView) -> Cells:
    known = to_json(item)
    return [known[name] for name in _PLACE]
