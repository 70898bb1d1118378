"""Which settings fit together, and what a room needs before it can start."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from pydantic import ValidationError

from mymozhem.contract import (
    Context,
    Problem,
    RoomStatus,
    SettingsValidationRequest,
    SettingsValidationResult,
    hookimpl,
)

from .messages_en import say
from .settings import Settings


@hookimpl
def validate_settings(
    context: Context, request: SettingsValidationRequest
) -> SettingsValidationResult:
    """Return what is wrong; a draft may lack what an event needs to start."""
    try:
        settings = Settings.model_validate(request.settings)
    except ValidationError as error:
        return SettingsValidationResult(problems=tuple(_unreadable(error)))
    problems = list(_named_twice(context, settings))
    if request.purpose == "activate":
        problems += when_running(context, settings, before=Settings())
    elif context.room is not None and context.room.status is RoomStatus.ACTIVE:
        before = Settings.model_validate(context.room.settings)
        problems += when_running(context, settings, before=before)
    return SettingsValidationResult(problems=tuple(problems))


def when_running(context: Context, settings: Settings, *, before: Settings) -> Iterator[Problem]:
    """Yield what is wrong with the settings of a room that runs or is about to start.

    A date that is the same as in `before` may have passed meanwhile, and is no problem.
    """
    start = settings.draws_at(context.now) or context.now
    if settings.draw_date not in (None, before.draw_date) and start == context.now:
        yield _problem(context, "/drawDate", "DRAW_DATE_PAST")
    for index, source in enumerate(settings.public_sources):
        if source.due <= start and source not in before.public_sources:
            pointer = f"/publicSources/{index}/due"
            yield _problem(context, pointer, "SOURCE_TOO_EARLY", name=source.name)
        if not source.is_fixed and source not in before.public_sources:
            pointer = f"/publicSources/{index}/format"
            yield _problem(context, pointer, "FORMAT_MISSING", name=source.name)
    if settings.sources_after(start) or not _needs_sources(settings, before):
        return
    yield _problem(context, "/publicSources", "SOURCES_MISSING")


def _needs_sources(settings: Settings, before: Settings) -> bool:
    """Return whether sources are required: only for a future draw.

    After the last draw the other settings can change without them.
    """
    return settings.selection_method == "rfc3797" and _plan(settings) != _plan(before)


def _plan(settings: Settings) -> tuple[str, datetime | None, object]:
    return settings.selection_method, settings.draw_date, settings.public_sources


def _named_twice(context: Context, settings: Settings) -> Iterator[Problem]:
    names = Counter(source.name for source in settings.public_sources)
    for name, count in names.items():
        if count > 1:
            yield _problem(context, "/publicSources", "SOURCE_TWICE", name=name)


def _unreadable(error: ValidationError) -> Iterator[Problem]:
    for fault in error.errors(include_url=False, include_context=False, include_input=False):
        pointer = "".join(f"/{part}" for part in fault["loc"])
        yield Problem(pointer=pointer, code="UNREADABLE", message=fault["msg"])


def _problem(context: Context, pointer: str, code: str, **values: object) -> Problem:
    return Problem(pointer=pointer, code=code, message=say(context, code, **values))
