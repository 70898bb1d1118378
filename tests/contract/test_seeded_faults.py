"""The kit notices a fault in any handler of the first two apps: it reaches all of them.

Each handler raises when it is called for the first time, and works afterwards, so that one run
shows every fault.
"""

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

import mymozhem_lottery.actions
import mymozhem_quiz.actions
from mymozhem.contract import JsonObject, hookimpl
from mymozhem.contract.demo import SampleAction, SamplePrize, SampleRoom
from mymozhem.testing.app_lookup import find_app
from mymozhem.testing.checks.answers import questions_are_answered_inside
from mymozhem.testing.conformance_run import ConformanceRun
from mymozhem.testing.sample_inputs import SampleInputs
from tests.support.quiz_room import asking, questions

_SYMBOL: JsonObject = {"id": "word", "type": "text", "accepted": ["Au"], "text": "Symbol of gold?"}
_ASKED = [*questions(3), _SYMBOL]


def steps(*actions: str | tuple[str, JsonObject]) -> tuple[SampleAction, ...]:
    named = (each if isinstance(each, tuple) else (each, {}) for each in actions)
    return tuple(SampleAction(action=name, payload=payload) for name, payload in named)


def about(question: str, **more: Any) -> JsonObject:
    return {"questionId": question, **more}


SCENARIOS = {
    "quiz": (
        SampleRoom(
            name="Every action",
            settings={**asking(_ASKED), "mode": "plain", "revealAnswers": "byHand"},
            actions=steps(
                "start", "close", "reveal",
                ("show", about("word")), "close", "reveal",
                ("correct", about("question-1", answer="c")),
                ("accept", about("word", answer="gold")),
                ("void", about("question-1")),
                ("replay", about("question-1")), "close", "reveal",
                "next", "statistics", "end",
            ),
        ),
        SampleRoom(
            name="Teams",
            settings={**asking(_ASKED), "teams": "chosen", "teamNames": ["Red", "Blue"]},
            actions=steps("start"),
        ),
    ),
    "lottery": (
        SampleRoom(
            name="Reserves",
            settings={"reserves": 2, "drawDate": "2100-01-01T00:00:00Z"},
            prizes=(SamplePrize(name="Bicycle"),),
            actions=steps("draw"),
        ),
    ),
}  # fmt: skip
TABLES = {"quiz": mymozhem_quiz.actions, "lottery": mymozhem_lottery.actions}


class Seeded(Exception):
    """A fault that a test planted."""


class Seeds:
    """Functions that raise when they are called for the first time."""

    def __init__(self) -> None:
        self.planted: set[str] = set()
        self.raised: set[str] = set()

    def plant(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        self.planted.add(name)

        @functools.wraps(function)
        def seeded(*args: Any, **kwargs: Any) -> Any:
            if name not in self.raised:
                self.raised.add(name)
                raise Seeded(name)
            return function(*args, **kwargs)

        return seeded


def seeded_app(app_id: str, seeds: Seeds, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return an app whose hooks and actions are seeded."""
    actions = TABLES[app_id]
    for name, act in actions.ACTIONS.items():
        monkeypatch.setitem(actions.ACTIONS, name, seeds.plant(f"action {name}", act))
    if app_id == "quiz":
        chosen = seeds.plant("action chooseTeam", actions.choose_team)
        monkeypatch.setattr(actions, "choose_team", chosen)
    known = find_app(app_id)
    made = ModuleType(f"seeded_{app_id}")
    made.app_manifest = hookimpl(lambda: known.document)  # type: ignore[attr-defined]  # made here
    for name in known.functions:
        function = getattr(known.plugin, name)
        if name != "handle_action":
            function = seeds.plant(name, function)
        setattr(made, name, hookimpl(function))
    return made


@pytest.mark.parametrize("app_id", SCENARIOS)
def test_a_fault_in_any_handler_is_found(app_id, monkeypatch):
    seeds = Seeds()
    app = seeded_app(app_id, seeds, monkeypatch)
    trial = ConformanceRun(app, wishes=SampleInputs(scenarios=SCENARIOS[app_id], rounds=1))
    noted = {str(each.error) for each in trial.inside.noted if isinstance(each.error, Seeded)}
    assert seeds.planted - noted == set()
    assert noted == seeds.raised
    found = list(questions_are_answered_inside(trial))
    assert found
    assert all("Seeded" in each for each in found)
