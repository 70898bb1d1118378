"""The organizer's settings as typed values, and what a tasting needs to start."""

from mymozhem.contract import (
    CloseOn,
    Context,
    Problem,
    RoomView,
    SettingsValidationRequest,
    SettingsValidationResult,
    hookimpl,
)
from mymozhem.contract.wire import Wire

from .texts import say


class Bottle(Wire):
    """What is in the glass; participants see that there is a bottle, but not which."""

    bottle: str


class Settings(Wire):
    """The room's settings; the manifest says what each field means."""

    samples: tuple[Bottle, ...] = ()
    close_on: CloseOn = CloseOn.ACTION
    palate_points: int = 0


def room_of(context: Context) -> RoomView:
    """Return the room of a call that always concerns a room."""
    if context.room is None:
        raise ValueError("this hook is asked about a room, and the request carries none")
    return context.room


def settings_of(context: Context) -> Settings:
    """Return the settings of the room that a call concerns."""
    return Settings.model_validate(room_of(context).settings)


@hookimpl
def validate_settings(
    context: Context, request: SettingsValidationRequest
) -> SettingsValidationResult:
    """Require a sample before the room starts; a draft may have none."""
    if request.purpose == "save" or request.settings.get("samples"):
        return SettingsValidationResult()
    message = say(context, "SAMPLES_MISSING")
    problem = Problem(pointer="/samples", code="SAMPLES_MISSING", message=message)
    return SettingsValidationResult(problems=(problem,))
