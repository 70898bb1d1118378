"""The window of a sample: what participants see of it, and what they may send."""

from mymozhem.contract import Announce, Context, JsonObject, Judge, OpenWindow, SubmissionMode
from mymozhem.contract.wire import Wire

from .settings import settings_of
from .texts import say


class Chosen(Wire):
    """A sample by its number, as action payloads name it."""

    sample: int


class Rating(Wire):
    """What a taster sends; the host has checked it against the window's `accepts`."""

    rating: int


def window_id(sample: int) -> str:
    """Return the id of a sample's window; a room uses an id once, and so pours a sample once."""
    return f"sample-{sample}"


def sample_of(window_id: str) -> int:
    """Return the sample of a window."""
    return int(window_id.removeprefix("sample-"))


def window(context: Context, sample: int) -> OpenWindow:
    """Return the window in which a sample is rated; nothing in it reveals the bottle."""
    settings = settings_of(context)
    with_points = settings.palate_points > 0
    return OpenWindow(
        id=window_id(sample),
        prompt={"title": say(context, "sample", sample=sample), "sample": sample},
        accepts=_accepts(context),
        submissions=SubmissionMode.LATEST,
        close_on=settings.close_on,
        judge=Judge.CLOSE,
        announce=Announce(verdicts=with_points, standings=with_points),
    )


def _accepts(context: Context) -> JsonObject:
    rating: JsonObject = {"type": "integer", "minimum": 0, "maximum": 100}
    comment: JsonObject = {"type": "string", "maxLength": 500}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["rating"],
        "properties": {
            "rating": rating | {"title": say(context, "rating")},
            "comment": comment | {"title": say(context, "comment")},
        },
    }
