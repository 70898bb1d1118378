"""A question that is asked again, or answered late."""

import asyncio
import json
import threading

import pytest

from mymozhem.contract import (
    Refuse,
    hookimpl,
)
from tests.support.timing import until
from tests.unit.contract.signed_calls import (
    EMIT,
    KINDS,
    Served,
    app,
    context,
    question,
    signed,
)

# -------------------------------------------------------------------------------------- repeats


@KINDS
async def test_a_repeated_question_gets_the_same_bytes_and_the_app_is_asked_once(coroutine):
    counter = app([EMIT], coroutine=coroutine)
    served = Served(counter)
    first = await served.ask()
    served.now += 3600
    again = await served.ask(attempt=2, budgetMs=77, context=context(deadlineMs=77))
    assert (first.status, again.status) == (200, 200)
    assert again.body == first.body
    assert len(counter.calls) == 1


async def test_a_captured_question_is_worth_nothing_later():
    counter = app([EMIT])
    served = Served(counter)
    body = json.dumps(question()).encode()
    headers = signed(body)
    first = await served.send("POST", "/hooks", headers, body)
    replayed = await served.send("POST", "/hooks", headers, body)
    assert (replayed.status, replayed.body, len(counter.calls)) == (200, first.body, 1)
    served.now += 301
    assert (await served.send("POST", "/hooks", headers, body)).code == "TIMESTAMP_OLD"


@pytest.mark.parametrize(
    "other",
    [
        {"request": {"action": "bump", "payload": {"by": 3}}},
        {"context": context(lock="cd" * 32)},
        {"hook": "on_timer", "request": {"name": "t", "payload": {}}},
    ],
)
async def test_another_question_under_the_same_id_is_a_conflict(other):
    counter = app([EMIT])
    counter.on_timer = hookimpl(lambda: None)
    served = Served(counter)
    first = await served.ask()
    conflict = await served.ask(**other)
    assert (conflict.status, conflict.code) == (409, "ID_REUSED")
    assert (await served.ask()).body == first.body


@KINDS
async def test_who_asks_again_meanwhile_waits_for_the_same_answer(coroutine):
    go, asked, calls = threading.Event(), threading.Event(), []

    class Slow:
        if coroutine:

            @hookimpl
            async def handle_action(self, request):
                calls.append(request)
                await until(go.is_set)
                return [EMIT]

        else:

            @hookimpl
            def handle_action(self, request):
                calls.append(request)
                asked.set()
                go.wait(10)
                return [EMIT]

    served = Served(Slow())
    first = asyncio.create_task(served.ask())
    second = asyncio.create_task(served.ask(attempt=2))
    await until(lambda: calls)
    other = await served.ask(request={"action": "other", "payload": {}})
    assert (other.status, first.done(), second.done()) == (409, False, False)
    go.set()
    one, two = await asyncio.gather(first, second)
    assert (one.status, one.body, len(calls)) == (200, two.body, 1)


@KINDS
async def test_an_app_that_failed_is_asked_again(coroutine):
    counter = app([EMIT], raises=ValueError(), coroutine=coroutine)
    served = Served(counter)
    assert [(await served.ask()).status for _ in range(2)] == [500, 500]
    assert len(counter.calls) == 2


async def test_a_refusal_is_remembered_like_any_answer():
    counter = app(raises=Refuse("NO", "no"))
    served = Served(counter)
    first, second = await served.ask(), await served.ask()
    assert (first.body, len(counter.calls)) == (second.body, 1)


async def test_an_answer_is_forgotten_after_a_day():
    counter = app([EMIT])
    served = Served(counter)
    await served.ask()
    served.now += 24 * 3600 + 1
    assert (await served.ask()).status == 200
    assert len(counter.calls) == 2


# ------------------------------------------------------------------------------------- deadline


async def test_a_coroutine_is_cancelled_at_the_deadline_and_asked_again():
    ends = []

    class Hanging:
        @hookimpl
        async def handle_action(self, context):
            try:
                await asyncio.sleep(3600)
            finally:
                ends.append(context.deadline_ms)

    served = Served(Hanging())
    heard = await served.ask(budgetMs=30)
    assert (heard.status, heard.code) == (504, "APP_TIMEOUT")
    await until(lambda: ends)
    assert (await served.ask(budgetMs=31)).status == 504
    await until(lambda: len(ends) == 2)
    assert ends == [30, 31]


async def test_a_plain_function_that_is_late_answers_whoever_asks_again():
    go, calls = threading.Event(), []

    class Late:
        @hookimpl
        def handle_action(self, request):
            calls.append(request)
            go.wait(10)
            return [EMIT]

    served = Served(Late(), options={"late_seconds": 0})
    assert (await served.ask(budgetMs=30)).code == "APP_TIMEOUT"
    assert (await served.ask(budgetMs=30)).code == "APP_TIMEOUT"
    go.set()
    assert (await served.ask()).status == 200
    assert len(calls) == 1


async def test_a_plain_function_that_is_late_is_heard_while_somebody_listens():
    go = threading.Event()

    class Late:
        @hookimpl
        def handle_action(self):
            go.wait(10)
            return [EMIT]

    listening = asyncio.create_task(Served(Late()).ask(budgetMs=0))
    await asyncio.sleep(0)
    go.set()
    assert (await listening).status == 200


async def test_a_coroutine_that_ignores_its_cancellation_keeps_nobody_waiting():
    stop = asyncio.Event()

    class Stubborn:
        @hookimpl
        async def handle_action(self):
            while not stop.is_set():
                try:
                    await stop.wait()
                except asyncio.CancelledError:
                    continue

    served = Served(Stubborn())
    assert (await served.ask(budgetMs=20)).code == "APP_TIMEOUT"
    stop.set()


async def test_functions_that_never_return_take_so_many_threads_and_no_more():
    go = threading.Event()

    class Blocked:
        @hookimpl
        def handle_action(self):
            go.wait(10)

    served = Served(Blocked(), options={"threads": 2, "late_seconds": 0})
    hanging = [await served.ask(id=f"call_{n}", budgetMs=10) for n in range(2)]
    assert [each.status for each in hanging] == [504, 504]
    heard = await served.ask(id="call_3")
    assert (heard.status, heard.code) == (503, "OVERLOADED")
    go.set()
    await until(lambda: not any(each.name == "app" for each in threading.enumerate()))
    assert (await served.ask(id="call_4")).status == 200


@pytest.mark.parametrize("budget", [0, -5])
async def test_a_spent_budget_is_answered_at_once(budget):
    assert (await Served(app(coroutine=True)).ask(budgetMs=budget)).status == 504
