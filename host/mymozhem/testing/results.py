"""The effects of a recorded call."""

from collections.abc import Sequence

from mymozhem.contract.codec import Answer, NoAnswer, decode, encode
from mymozhem.contract.effects import Effect
from mymozhem.contract.payloads import ActionResult, Effects

from .recording_app import RecordedCall


def effects_of(noted: RecordedCall) -> Sequence[Effect]:
    """Return the effects of a result; empty if it is not a valid result with effects."""
    try:
        answer: Answer = encode(noted.hook, noted.answer)
        said = decode(noted.hook, answer)
    except NoAnswer:
        return ()
    if not isinstance(said, Effects):
        return ()
    answers = (said.answers or ()) if isinstance(said, ActionResult) else ()
    return (*said.effects, *(effect for each in answers for effect in each.effects))
