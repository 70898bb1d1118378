"""Handle one call: fetch lists, validate, call the app's function, encode its result as JSON."""

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from functools import partial

from pydantic import BaseModel, ValidationError

from mymozhem.contract.codec import Answer, NoAnswer, decode, encode
from mymozhem.contract.envelopes import MAX_BODY_BYTES, RequestEnvelope
from mymozhem.contract.payloads import Context
from mymozhem.contract.refuse import Refuse

from .app_functions import Function
from .asgi_messages import Problem, Response
from .list_fetch import Fetch
from .lists import Place, resolve
from .thread_pool import Threads, TooManyThreads

logger = logging.getLogger(__name__)


class Answerer:
    """Calls an app's functions: coroutines on the event loop, plain functions in threads."""

    def __init__(self, threads: Threads, fetch: Fetch, clock: Callable[[], float]) -> None:
        self._threads = threads
        self._fetch = fetch
        self._clock = clock

    async def response(
        self, envelope: RequestEnvelope, lists: Sequence[Place], function: Function
    ) -> Response:
        """Return the response to a call within its budget; raises only if cancelled.

        A coroutine is cancelled at the end of the budget. A plain function cannot be cancelled: it
        continues, and its result is the reply for a client that still waits, or that retries.
        """
        try:
            left_ms = await self._fetched(envelope, lists)
            return await self._answer(envelope, left_ms, function)
        except Problem as problem:
            return problem.response()
        except TooManyThreads:
            message = "Too many calls are in progress or blocked; retry later."
            return Problem(503, "OVERLOADED", message).response()
        except Exception as error:
            logger.exception("%s of call %s failed", function.hook.name, envelope.id)
            message = f"{function.hook.name} raised {type(error).__name__}; see the log."
            return Problem(500, "APP_FAILED", message).response()

    async def _fetched(self, envelope: RequestEnvelope, lists: Sequence[Place]) -> int:
        """Put the lists in their places; return the remaining budget, in milliseconds."""
        if not lists:
            return envelope.budget_ms
        loop, seconds = asyncio.get_running_loop(), envelope.budget_ms / 1000
        begun = loop.time()
        try:
            async with asyncio.timeout(seconds):
                await resolve(lists, self._fetch, now=self._clock(), seconds=seconds)
        except TimeoutError:
            raise too_late() from None
        return envelope.budget_ms - int((loop.time() - begun) * 1000)

    async def _answer(
        self, envelope: RequestEnvelope, left_ms: int, function: Function
    ) -> Response:
        context, request = _models(envelope, left_ms, function)
        answer = await self._ask(function, context, request)
        try:
            encoded = encode(function.hook, answer)
            decode(function.hook, encoded)
            return _reply(envelope, context, encoded)
        except NoAnswer as error:
            logger.error("call %s: %s", envelope.id, error)  # noqa: TRY400  the message says it
            raise Problem(500, "APP_BAD_RESULT", str(error)) from error

    async def _ask(self, function: Function, context: Context, request: BaseModel) -> object:
        try:
            if not function.is_coroutine:
                return await self._threads.run(partial(function.invoke, context, request))
            return await _awaited(function, context, request)
        except Refuse as no:
            return no.refusal
        except asyncio.CancelledError as error:
            if _is_cancelled():
                raise
            raise RuntimeError("the app cancelled itself") from error
        except Exception:
            raise
        except BaseException as error:  # an app may raise anything; the process goes on
            raise RuntimeError(f"the app raised {type(error).__name__}") from error


def _models(
    envelope: RequestEnvelope, left_ms: int, function: Function
) -> tuple[Context, BaseModel]:
    try:
        context = Context.model_validate({**envelope.context, "deadlineMs": left_ms})
        return context, function.hook.request.model_validate(envelope.request)
    except ValidationError as error:
        raise _malformed(error) from error


async def _awaited(function: Function, context: Context, request: BaseModel) -> object:
    limit = asyncio.timeout(context.deadline_ms / 1000)
    try:
        async with limit:
            answering = function.invoke(context, request)
            return await answering  # type: ignore[misc]  # a coroutine function returned it
    except TimeoutError:
        if limit.expired():
            raise too_late() from None
        raise


def too_late() -> Problem:
    """Return the problem to report when the budget is spent."""
    message = "There is no result within the budget. Retry with the same id."
    return Problem(504, "APP_TIMEOUT", message)


def _reply(envelope: RequestEnvelope, context: Context, answer: Answer) -> Response:
    """Return the reply; it contains exactly the bytes that were checked."""
    head = {
        "id": envelope.id,
        "contract": context.contract,
        "lock": context.lock,
        "outcome": "refuse" if answer.refused else "ok",
    }
    body = json.dumps(head).encode()[:-1] + b', "data": ' + answer.data + b"}"
    if len(body) > MAX_BODY_BYTES:
        raise NoAnswer(f"The reply is larger than {MAX_BODY_BYTES} bytes.")
    return Response(200, body)


def _malformed(error: ValidationError) -> Problem:
    places = error.errors(include_url=False, include_context=False, include_input=False)
    named = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in places[:5])
    return Problem(400, "QUESTION_INVALID", f"The request breaks the contract: {named}.")


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
