"""A room as a host keeps it, in memory: windows, points, settings, state, timers.

Rules are checked with another validator than the host's, and everything that the app says is held
against its manifest. A room runs a version of the app, as rooms do that were made under it; in one
of the first version everything is asked of the first release too, whose answers must be the same.
"""

import importlib
import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, partial, reduce
from operator import getitem
from pathlib import Path
from types import ModuleType

import hypothesis
import jsonschema
import pytest

import mymozhem_quiz as quiz
from mymozhem.contract import (
    ActionRequest,
    ActionResult,
    Actor,
    AppRef,
    Change,
    ChangeKind,
    CloseWindowRequest,
    Context,
    Effects,
    Emit,
    OpenWindow,
    Participant,
    ParticipantData,
    Participants,
    ParticipantStatus,
    PersonKind,
    Prize,
    Refuse,
    Reply,
    Role,
    RoomChangeRequest,
    RoomData,
    RoomStatus,
    RoomView,
    Scores,
    SettingsValidationRequest,
    Submission,
    Submissions,
    TimerRequest,
    Verdict,
    WindowView,
    Winner,
    fold_text,
)
from mymozhem.testing import over_both_transports

# An example has no time limit: the first one builds the models that the others find.
hypothesis.settings.register_profile("mymozhem", deadline=None)
hypothesis.settings.load_profile("mymozhem")

transport = over_both_transports("mymozhem_quiz")

NOW = datetime(2026, 12, 31, 20, 0, tzinfo=UTC)
RELEASES = Path(__file__).resolve().parents[3] / "tests" / "releases"
FIRST, NEWEST = "1.0.0", "2.0.0"


def released(version: str) -> tuple[ModuleType, dict]:
    """The quiz as it was released once, beside the one of today, and its manifest."""
    wheel = str(RELEASES / f"mymozhem_quiz-{version}-py3-none-any.whl")
    ours = {name: sys.modules.pop(name) for name in quiz_modules()}
    sys.path.insert(0, wheel)
    try:
        app = importlib.import_module("mymozhem_quiz")
        return app, app.app_manifest()
    finally:
        sys.path.remove(wheel)
        for name in quiz_modules():
            del sys.modules[name]
        sys.modules.update(ours)


def quiz_modules() -> list[str]:
    return [name for name in sys.modules if name.partition(".")[0] == "mymozhem_quiz"]


FIRST_RELEASE, FIRST_MANIFEST = released(FIRST)
MANIFESTS = {FIRST: FIRST_MANIFEST, NEWEST: quiz.app_manifest()}


@cache
def validator(version: str, *path: str) -> jsonschema.Draft202012Validator:
    """What a part of a version's manifest accepts."""
    return jsonschema.Draft202012Validator(reduce(getitem, path, MANIFESTS[version]))


def outcome(hook: Callable[..., object], **given: object) -> object:
    """What a hook answers, a refusal too; how a refusal is put does not count."""
    try:
        return hook(**given).model_dump(mode="json", by_alias=True)
    except Refuse as no:
        return no.refusal.code, no.refusal.details


def without_messages(answer: object) -> object:
    """An answer without the messages of its problems."""
    if not isinstance(answer, dict) or "problems" not in answer:
        return answer
    problems = [{**each, "message": None} for each in answer["problems"]]
    return {**answer, "problems": problems}


#: one of each type, with the answer that is right
QUESTIONS = {
    "single": {"options": [{"text": "Rome"}, {"text": "Paris", "right": True}, {"text": "Bonn"}]},
    "multiple": {
        "options": [{"text": "2", "right": True}, {"text": "3", "right": True}, {"text": "4"}]
    },
    "boolean": {"answer": True},
    "number": {"answer": 42, "tolerance": 2},
    "nearest": {"type": "number", "answer": 42},
    "text": {"accepted": ["Volga", "the Volga"]},
    "order": {"options": [{"text": "one"}, {"text": "two"}, {"text": "three"}]},
}


def make(id: str, kind: str = "single", **more: object) -> dict:
    """A question of a type, such as `single`; `nearest` is a number without tolerance."""
    return {"id": id, "type": kind, "text": f"Question {id}?", **deepcopy(QUESTIONS[kind]), **more}


@dataclass
class Window:
    """A window that the app opened, and what was submitted."""

    declared: OpenWindow
    submissions: list[Submission] = field(default_factory=list)
    status: str = "open"
    revealed: bool = False
    credited: Counter[str] = field(default_factory=Counter)


class Room:
    """A running room with people p1, p2, … in it, made under a version of the app."""

    def __init__(
        self,
        *questions: Mapping,
        people: int = 3,
        locale: str = "en",
        version: str = NEWEST,
        **settings: object,
    ) -> None:
        self.version = version
        #: whether the first release is asked too; not where a test changes a limit of today's code
        self.compares = version == FIRST
        self.manifest = MANIFESTS[version]
        defaults = {
            name: said["default"]
            for name, said in self.manifest["settings"]["properties"].items()
            if "default" in said
        }
        self.settings: dict = {**defaults, **self.asking(*questions), **settings}
        self.must_fit(self.settings, "settings")
        self.locale = locale
        self.room_status = RoomStatus.ACTIVE
        self.state = RoomData()
        self.people = {f"p{number}": self.person(f"p{number}") for number in range(1, people + 1)}
        self.windows: dict[str, Window] = {}
        self.prizes: list[Prize] = []
        self.winners: list[Winner] = []
        self.timers: dict[str, datetime] = {}
        self.log: list[Emit] = []
        self.draws: list = []
        self.revealed: list[str] = []
        self.moved: list[str] = []
        self.now = NOW
        self.calls = 0

    def must_fit(self, value: object, *path: str) -> None:
        """Fail where a value is not what the room's manifest says there."""
        validator(self.version, *path).validate(value)

    def asking(self, *questions: Mapping) -> dict:
        """The setting in which questions lie: one list, or one round of them."""
        listed = [dict(one) for one in questions]
        if self.version == FIRST:
            return {"questions": listed}
        one = {"id": "r1", "title": "Round 1", "questions": listed}
        return {"rounds": [one] if listed else []}

    def ask(self, hook: str, **given: object) -> object:
        """Ask the app; in a room of the first version its first release must say the same.

        The wording of problems may have changed, but not their lines and codes.
        """
        if self.compares:
            today = outcome(getattr(quiz, hook), **given)
            first = outcome(getattr(FIRST_RELEASE, hook), **given)
            assert without_messages(today) == without_messages(first)
        return getattr(quiz, hook)(**given)

    def person(self, id: str, **more: object) -> Participant:
        return Participant(
            id=id,
            person_id=f"person-{id}",
            kind=PersonKind.GUEST,
            role=more.pop("role", Role.PARTICIPANT),
            status=more.pop("status", ParticipantStatus.ACTIVE),
            joined_at=NOW,
            last_seen_at=NOW,
            metadata=more.pop("metadata", {}),
            data=ParticipantData(),
            points=more.pop("points", 0),
        )

    def context(self, need: str = "", **more: object) -> Context:
        self.calls += 1
        needs = self.manifest["needs"].get(need, [])
        view = RoomView(
            id="room_1",
            name="The room",
            status=self.room_status,
            locale=self.locale,
            settings=self.settings,
            state=self.state,
        )
        return Context(
            contract="1.0",
            call_id=f"call_{self.calls}",
            app=AppRef(id="quiz", version=self.version),
            room=view,
            now=self.now,
            deadline_ms=5_000,
            seed=f"{self.calls:064x}",
            prizes=tuple(self.prizes) if "prizes" in needs else None,
            winners=tuple(self.winners) if "winners" in needs else None,
            participants=self._table() if "participants" in needs else None,
            submissions=self._closed() if "submissions" in needs else None,
            **more,
        )

    # ------------------------------------------------------------------------- what people do

    def act(self, action: str, *, by: str | None = None, **payload: object) -> object:
        """Let somebody ask for an action; return what they get back."""
        self.must_fit(payload, "actions", action, "payload")
        actor = None
        if by is not None:
            one = self.people[by]
            actor = Actor(
                participant_id=by,
                role=one.role,
                kind=one.kind,
                metadata=one.metadata,
                data=one.data,
            )
        context = self.context(f"action:{action}", actor=actor)
        request = ActionRequest(action=action, payload=payload)
        result = self.ask("handle_action", context=context, request=request)
        return self.apply(result)

    def answer(self, person: str, answer: object, *, ms: int = 1_000, window: str | None = None):
        """Let a phone submit; the host judges by the rules, and closes what is to be closed."""
        name = window or self.current
        taken = self.windows[name]
        assert taken.status == "open"
        if taken.declared.participants is not None:
            assert person in taken.declared.participants
        payload = {"answer": answer}
        jsonschema.validate(payload, taken.declared.accepts)
        verdict = Verdict.PENDING
        if taken.declared.rules is not None:
            verdict = Verdict.RIGHT if fits(taken.declared, payload, self.locale) else Verdict.WRONG
        taken.submissions.append(
            Submission(
                id=f"{name}-{person}",
                window_id=name,
                participant_id=person,
                payload=payload,
                elapsed_ms=ms,
                verdict=verdict,
                points=0,
            )
        )
        return self

    def close(self, window: str | None = None) -> "Room":
        """Let the window's time be over."""
        name = window or self.current
        taken = self.windows[name]
        taken.status = "closed"
        request = CloseWindowRequest(
            window=self._view(taken),
            submissions=rows(Submissions, taken.submissions),
            scores=Scores(),
        )
        result = self.ask("close_window", context=self.context("close_window"), request=request)
        self.apply(result)
        if result.verdicts is not None:
            self._judge(taken, result.verdicts)
        self._publish(taken)
        return self

    def play(self, *answers: tuple, action: str = "next", **payload: object) -> "Room":
        """Show a question, let people answer (id, answer or RIGHT, milliseconds), and close it."""
        self.act("start" if not self.windows else action, **payload)
        for person, answer, *ms in answers:
            self.answer(person, answer, **({"ms": ms[0]} if ms else {}))
        return self.close()

    def fire(self) -> "Room":
        """Let timers fire until none is left; a quiz that never rests fails."""
        for _ in range(20):
            if not self.timers:
                return self
            name = min(self.timers, key=self.timers.get)
            self.now = max(self.now, self.timers.pop(name))
            request = TimerRequest(name=name)
            self.apply(self.ask("on_timer", context=self.context(f"timer:{name}"), request=request))
        raise AssertionError("the timers never rest")

    def change(self, kind: ChangeKind, what: str, **more: object) -> "Room":
        request = RoomChangeRequest(change=Change(kind=kind, what=what, **more))
        context = self.context("on_room_changed")
        self.apply(self.ask("on_room_changed", context=context, request=request))
        return self

    def settle(self) -> "Room":
        """Let the host settle the open window without the app: the rules and their points stand."""
        name = self.current
        taken = self.windows[name]
        taken.status = "closed"
        for index, one in enumerate(taken.submissions):
            points = taken.declared.points if one.verdict is Verdict.RIGHT else 0
            self._give(taken, index, one.verdict, points)
        self._publish(taken)
        return self.change(ChangeKind.WINDOW, "settled", window_id=name)

    def ended(self) -> "Room":
        """Let the organizer end the room, timers and all."""
        self.room_status = RoomStatus.COMPLETED
        self.timers.clear()
        return self

    def correct(self, window: str, verdict: str, points: int) -> "Room":
        """Let an organizer correct the first submission of a window by the host's own means."""
        self.windows[window].status = "closed"
        self._give(self.windows[window], 0, verdict, points)
        return self.change(ChangeKind.WINDOW, "corrected", window_id=window)

    def void(self, window: str) -> "Room":
        """Let an organizer void a window by the host's own means."""
        self.windows[window].status = "void"
        self._credit(self.windows[window])
        return self.change(ChangeKind.WINDOW, "voided", window_id=window)

    def problems(self, purpose: str = "save", **settings: object) -> list[tuple[str, str]]:
        """What the app says to settings; `questions` are those of the list, or of the one round."""
        if "questions" in settings:
            settings |= self.asking(*settings.pop("questions"))
        wanted = {**self.settings, **settings}
        self.must_fit(wanted, "settings")
        return self.listed(self.validate(wanted, purpose))

    def validate(self, settings: Mapping, purpose: str = "save") -> list[tuple[str, str]]:
        """What the app says to settings, whatever they are, at the places where they lie."""
        request = SettingsValidationRequest(settings=settings, purpose=purpose)
        found = self.ask("validate_settings", context=self.context(), request=request).problems
        return [(one.pointer, one.code) for one in found]

    def listed(self, problems: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Problems at the places that they had in one list of questions, also of a round."""
        return [(plain(pointer), code) for pointer, code in problems]

    # ------------------------------------------------------------------------- what stands

    @property
    def current(self) -> str:
        return next(name for name, one in self.windows.items() if one.status == "open")

    @property
    def status(self) -> str:
        return self.state.public["status"]

    def seen(self) -> tuple[list[str], str, list[str]]:
        """Everything that phones get of the questions so far, as they get it."""
        hidden = {"rules", "data"}
        windows = [
            one.declared.model_dump_json(by_alias=True, exclude=hidden)
            for one in self.windows.values()
        ]
        return windows, json.dumps(self.state.public), [one.model_dump_json() for one in self.log]

    @property
    def points(self) -> dict[str, int]:
        return {person: one.points for person, one in self.people.items()}

    def told(self, type: str) -> list[dict]:
        return [one.payload for one in self.log if one.type == f"quiz:{type}"]

    def prompt(self, window: str | None = None) -> dict:
        return self.windows[window or self.current].declared.prompt

    def ids(self, *texts: str, window: str | None = None) -> list[str]:
        known = {one["text"]: one["id"] for one in self.prompt(window)["options"]}
        return [known[text] for text in texts]

    # ------------------------------------------------------------------------- effects

    def apply(self, result: Effects) -> object:
        assert len(result.effects) <= 200
        reply = None
        for effect in result.effects:
            if isinstance(effect, Reply):
                reply = effect.data
            else:
                getattr(self, f"_{effect.effect}")(effect)
        if isinstance(result, ActionResult) and result.answers is not None:
            return result.answers
        return reply

    def _emit(self, effect):
        self.must_fit(effect.payload, "events", effect.type, "payload")
        assert effect.to == self.manifest["events"][effect.type]["visibility"]
        self.log.append(effect)

    def _setState(self, effect):  # noqa: N802  named as the effect
        parts = effect.model_dump(mode="json", by_alias=True, exclude_none=True)
        parts = {"public": self.state.public, "private": self.state.private} | {
            name: part for name, part in parts.items() if name in {"public", "private"}
        }
        self.must_fit(parts, "state")
        self.state = RoomData(**parts)

    def _setSettings(self, effect):  # noqa: N802  named as the effect
        for name in effect.patch:
            assert self.manifest["settings"]["properties"][name]["x-live"]
        self.settings = {**self.settings, **effect.patch}
        self.must_fit(self.settings, "settings")

    def _setParticipants(self, effect):  # noqa: N802  named as the effect
        for person, own in zip(effect.participant_id, effect.own, strict=True):
            data = self.people[person].data.model_copy(update={"own": own})
            self.people[person] = self.people[person].model_copy(update={"data": data})

    def _openWindow(self, effect):  # noqa: N802  named as the effect
        assert effect.id not in self.windows
        for schema in (effect.accepts, effect.rules or {}):
            jsonschema.Draft202012Validator.check_schema(schema)
        self.windows[effect.id] = Window(effect)

    def _changeWindow(self, effect):  # noqa: N802  named as the effect
        assert self.windows[effect.id].status == "open"
        self.moved.append(effect.id)

    def _closeWindow(self, effect):  # noqa: N802  named as the effect
        if self.windows[effect.id].status == "open":
            self.close(effect.id)

    def _revealWindow(self, effect):  # noqa: N802  named as the effect
        assert self.windows[effect.id].status == "closed"
        self.revealed.append(effect.id)
        self.windows[effect.id].revealed = True
        self._credit(self.windows[effect.id])

    def _rejudge(self, effect):
        window = self.windows[effect.window_id]
        assert window.status == "closed"
        if effect.void:
            window.status = "void"
            self._credit(window)
        else:
            self._judge(window, effect.verdicts)

    def _award(self, effect):
        index, prize = next(
            (n, one) for n, one in enumerate(self.prizes) if one.id == effect.prize_id
        )
        assert prize.quantity_remaining > 0
        left = prize.quantity_remaining - 1
        self.prizes[index] = prize.model_copy(update={"quantity_remaining": left})
        self.winners.append(
            Winner(
                id=f"win_{len(self.winners)}",
                participant_id=effect.participant_id,
                prize_id=effect.prize_id,
                draw_id=None,
                status="awarded",
                metadata=effect.metadata,
            )
        )

    def _draw(self, effect):
        self.draws.append(effect)

    def _schedule(self, effect):
        self.timers[effect.name] = effect.at or self.now + timedelta(milliseconds=effect.after_ms)

    def _judge(self, window, verdicts):
        places = {one.id: index for index, one in enumerate(window.submissions)}
        for submission, verdict, points in zip(
            verdicts.submission_id, verdicts.verdict, verdicts.points, strict=True
        ):
            self._give(window, places[submission], verdict, points)

    def _give(self, window, index, verdict, points):
        one = window.submissions[index]
        window.submissions[index] = one.model_copy(update={"verdict": verdict, "points": points})
        self._credit(window)

    def _publish(self, window):
        window.revealed = window.declared.results == "onClose"
        self._credit(window)

    def _credit(self, window):
        """Points are people's once the results are shown, and no longer when they are void."""
        if not window.revealed:
            return
        for one in window.submissions:
            given = 0 if window.status == "void" else one.points
            person = self.people[one.participant_id]
            more = person.points + given - window.credited[person.id]
            window.credited[person.id] = given
            self.people[person.id] = person.model_copy(update={"points": more})

    def _table(self) -> Participants:
        return rows(Participants, self.people.values())

    def _closed(self) -> Submissions:
        over = (one for one in self.windows.values() if one.status != "open")
        return rows(Submissions, [each for one in over for each in one.submissions])

    def _view(self, window: Window) -> WindowView:
        return WindowView(
            id=window.declared.id,
            prompt=window.declared.prompt,
            data=window.declared.data,
            opened_at=self.now,
            closes_at=None,
            points=window.declared.points,
        )


def rows(kind, items):
    """Parallel arrays of items."""
    listed = list(items)
    return kind(**{name: tuple(getattr(one, name) for one in listed) for name in kind.model_fields})


def fits(window: OpenWindow, payload: dict, locale: str) -> bool:
    """Whether a payload satisfies the rules, texts folded on both sides as the host folds them."""
    rules = window.rules
    if window.fold:
        texts = [fold_text(one, locale) for one in rules["properties"]["answer"]["enum"]]
        rules = {**rules, "properties": {"answer": {"enum": texts}}}
        payload = {"answer": fold_text(payload["answer"], locale)}
    return jsonschema.Draft202012Validator(rules).is_valid(payload)


def plain(pointer: str) -> str:
    """A pointer as if there were one list of questions, and not one round of them."""
    inside = pointer.removeprefix("/rounds/0")
    return "/questions" if inside == "/rounds" else inside


@pytest.fixture(params=[NEWEST, FIRST])
def version(request) -> str:
    """The version of the app under which a room was made."""
    return request.param


@pytest.fixture
def question() -> Callable[..., dict]:
    return make


@pytest.fixture
def room(version) -> Callable[..., Room]:
    """A room with the given questions; settings by keyword."""
    return partial(Room, version=version)


@pytest.fixture
def ten(room) -> Callable[..., Room]:
    """A room with ten questions of one right option, `Paris`, which is `b`."""
    return lambda **settings: room(*(make(f"q{n}") for n in range(1, 11)), **settings)


@pytest.fixture
def prize() -> Callable[..., Prize]:
    def build(id: str, left: int = 1) -> Prize:
        return Prize(id=id, name=id, quantity=left, quantity_remaining=left)

    return build
