"""Calls through the host's own dispatcher, over either transport."""

import traceback
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from mymozhem.dispatch.outcome import FailureKind
from mymozhem.dispatch.policy import Budget
from mymozhem.dispatch.transports.base import AppTarget

from .app_lookup import App
from .harness import HostHarness
from .sample_calls import SampleCall

_PATIENCE_MS = 60_000


@dataclass(frozen=True)
class Invocation:
    """A call and its outcome: a result or a refusal as JSON, or why there is none."""

    question: SampleCall
    answer: JsonValue = None
    refused: bool = False
    failure: FailureKind | None = None
    message: str = ""


async def invoke_all(
    host: HostHarness, app: App, questions: Sequence[SampleCall]
) -> list[Invocation]:
    """Make every call once; a hook that timed out is not called again."""
    silent: set[str] = set()
    found = []
    for number, question in enumerate(questions):
        if question.hook.name not in silent:
            found.append(await _ask(host, app, question, call_id=f"call_{number}"))
            if found[-1].failure is FailureKind.TIMEOUT:
                silent.add(question.hook.name)
    return found


async def _ask(host: HostHarness, app: App, question: SampleCall, *, call_id: str) -> Invocation:
    services = host.services
    outcome = await services.dispatcher.call(
        question.hook,
        app=AppTarget(app.app_id, app.manifest.version),
        context=question.context,
        request=question.request,
        budget=Budget(services.clock, _PATIENCE_MS),
        call_id=call_id,
    )
    if outcome.failure is not None:
        return Invocation(question, failure=outcome.failure.kind, message=outcome.failure.message)
    said = outcome.refusal or outcome.result
    answer = None if said is None else said.model_dump(mode="json", by_alias=True)
    return Invocation(question, answer, outcome.refusal is not None)


def place_of(error: BaseException) -> str:
    """Return an error as text, with the line of the app that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" (at {frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"
