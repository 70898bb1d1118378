"""Answers of apps as replies of the transport; what is none is a failure of the app."""

from typing import TypeVar

from pydantic import BaseModel

from mymozhem.contract import Hook, Refusal, codec

from .outcome import CallFailed, FailureKind
from .transports.base import Reply

Res = TypeVar("Res", bound=BaseModel)


def encode(hook: Hook[BaseModel, BaseModel], answer: object) -> Reply:
    """Return what an app's function returned as a reply; `CallFailed` where it is no answer.

    What is understood, `answering.encode` says.
    """
    try:
        return Reply(*codec.encode(hook, answer))
    except codec.NoAnswer as error:
        raise _bad(error) from error


def decode(hook: Hook[BaseModel, Res], reply: Reply) -> Res | Refusal:
    """Return the validated answer in a reply; `CallFailed` where it breaks a rule."""
    try:
        return codec.decode(hook, codec.Answer(reply.data, reply.refused))
    except codec.NoAnswer as error:
        raise _bad(error) from error


def _bad(error: codec.NoAnswer) -> CallFailed:
    return CallFailed(FailureKind.BAD_RESULT, str(error))
