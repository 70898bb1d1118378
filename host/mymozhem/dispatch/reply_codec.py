"""Convert what apps return to replies of the transport, and back; invalid data is a failure."""

from typing import TypeVar

from pydantic import BaseModel

from mymozhem.contract import Hook, Refusal, codec

from .outcome import CallFailed, FailureKind
from .transports.base import Reply

Res = TypeVar("Res", bound=BaseModel)


def encode(hook: Hook[BaseModel, BaseModel], answer: object) -> Reply:
    """Return what an app's function returned as a reply; raises `CallFailed` if it is invalid.

    For the types that are allowed, see `answering.encode`.
    """
    try:
        return Reply(*codec.encode(hook, answer))
    except codec.NoAnswer as error:
        raise _bad(error) from error


def decode(hook: Hook[BaseModel, Res], reply: Reply) -> Res | Refusal:
    """Return the validated result in a reply; raises `CallFailed` if it breaks a rule."""
    try:
        return codec.decode(hook, codec.Answer(reply.data, reply.refused))
    except codec.NoAnswer as error:
        raise _bad(error) from error


def _bad(error: codec.NoAnswer) -> CallFailed:
    return CallFailed(FailureKind.BAD_RESULT, str(error))
