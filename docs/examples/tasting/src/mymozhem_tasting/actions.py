"""The actions of organizers: pour, close, reveal, void, finish."""

from collections.abc import Callable, Iterable

from mymozhem.contract import (
    ActionRequest,
    CloseWindow,
    Context,
    Effects,
    Emit,
    JsonObject,
    Rejudge,
    Reply,
    hookimpl,
)

from .evening import Evening, Result, evening_of
from .settings import settings_of
from .texts import refusal
from .window import Chosen, window, window_id


@hookimpl
def handle_action(context: Context, request: ActionRequest) -> Effects:
    """Run the action that the request names; its payload satisfies the manifest's schema."""
    return ACTIONS[request.action](context, request.payload)


def pour(context: Context, payload: JsonObject) -> Effects:
    """Open the window of a sample that was not poured yet; one sample is open at a time."""
    sample, evening = Chosen.model_validate(payload).sample, _going_on(context)
    if sample > len(settings_of(context).samples):
        raise refusal(context, "SAMPLE_UNKNOWN", sample=sample)
    if sample in evening.results:
        raise refusal(context, "SAMPLE_POURED", sample=sample)
    return Effects.of(
        evening.updated(open=sample).as_effect(),
        window(context, sample),
        Emit(type="tasting:poured", payload={"sample": sample}),
    )


def close(context: Context, _: JsonObject) -> Effects:
    """Close the open sample; the host then calls `close_window`, which does the rest."""
    sample = evening_of(context).open
    if sample is None:
        raise refusal(context, "NOTHING_OPEN")
    return Effects.of(CloseWindow(id=window_id(sample)))


def reveal(context: Context, payload: JsonObject) -> Effects:
    """Show the bottle of one sample, or of all samples that are closed."""
    evening = evening_of(context)
    chosen = [_closed(context, payload)] if "sample" in payload else evening.results.values()
    shown = _with_bottles(context, chosen)
    return Effects.of(evening.updated(*shown).as_effect(), *_told(shown))


def void(context: Context, payload: JsonObject) -> Effects:
    """Void a sample, for example because it was corked: its ratings and points no longer count."""
    sample = _closed(context, payload).sample
    return Effects.of(
        Rejudge(window_id=window_id(sample), void=True),
        evening_of(context).without(sample).as_effect(),
    )


def finish(context: Context, _: JsonObject) -> Effects:
    """Reveal the bottles that are left, and reply with their ranking."""
    evening = _going_on(context)
    shown = _with_bottles(context, evening.results.values())
    over = evening.updated(*shown, finished=True)
    return Effects.of(over.as_effect(), *_told(shown), Reply(data=over.ranking()))


ACTIONS: dict[str, Callable[[Context, JsonObject], Effects]] = {
    "pour": pour,
    "close": close,
    "reveal": reveal,
    "void": void,
    "finish": finish,
}


def _going_on(context: Context) -> Evening:
    """Return the evening; raise Refuse if a sample is open or the tasting is over."""
    evening = evening_of(context)
    if evening.finished:
        raise refusal(context, "FINISHED")
    if evening.open is not None:
        raise refusal(context, "SAMPLE_OPEN", sample=evening.open)
    return evening


def _closed(context: Context, payload: JsonObject) -> Result:
    """Return the result of the sample that the payload names; raise Refuse if there is none yet."""
    sample = Chosen.model_validate(payload).sample
    result = evening_of(context).results.get(sample)
    if result is None:
        raise refusal(context, "SAMPLE_NOT_CLOSED", sample=sample)
    return result


def _with_bottles(context: Context, results: Iterable[Result]) -> list[Result]:
    """Return the results whose bottles are not revealed yet, with their bottles."""
    samples = settings_of(context).samples
    return [
        each.model_copy(update={"bottle": samples[each.sample - 1].bottle})
        for each in results
        if each.bottle is None
    ]


def _told(results: Iterable[Result]) -> list[Emit]:
    return [Emit(type="tasting:bottle_revealed", payload=each.as_payload()) for each in results]
