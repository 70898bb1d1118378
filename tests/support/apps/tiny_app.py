"""A tiny app that keeps every rule, and ways to break one rule each."""

import asyncio
import random
import threading
import time

from mymozhem.contract import (
    ActionAnswer,
    ActionRequest,
    ActionResult,
    AddPrize,
    Adjust,
    CloseWindowRequest,
    Context,
    Effects,
    Emit,
    HealthReport,
    JsonObject,
    OpenWindow,
    Refuse,
    RegistrationRequest,
    RegistrationResult,
    Reply,
    Schedule,
    SetState,
    SettingsValidationRequest,
    SettingsValidationResult,
    TimerRequest,
    hookimpl,
)
from mymozhem.contract.payloads import Problem


class Tiny:
    """Counts, and asks one question."""

    more: JsonObject = {}
    capabilities = ("actions", "windows")

    @hookimpl
    def app_manifest(self) -> JsonObject:
        ask = {"title": "Ask", "payload": {"type": "object", "additionalProperties": False}}
        return {
            "id": "tiny",
            "meta": {"name": "Tiny", "version": "1.0.0", "description": "Counts and asks."},
            "capabilities": [*self.capabilities],
            "permissions": [],
            "actions": {
                "add": {"title": "Add one", "roles": ["ORGANIZER", "PARTICIPANT"]},
                "ask": ask,
            },
            "events": {"tiny:added": {"title": "One was added", "visibility": "organizer"}},
            **self.more,
        }

    @hookimpl
    def handle_action(self, context: Context, request: ActionRequest) -> Effects:
        assert context.room is not None
        if request.action == "ask":
            window = f"question-{context.seed}"[:40]
            accepts: JsonObject = {"type": "object", "maxProperties": 0}
            return Effects.of(OpenWindow(id=window, accepts=accepts, duration_ms=5_000))
        return self.add(context, int(context.room.state.public.get("count", 0)) + 1)  # type: ignore[arg-type]  # as it was set

    def add(self, context: Context, count: int) -> Effects:
        told = Emit(type="tiny:added", to="organizer", payload={"count": count})
        return Effects.of(SetState(public={"count": count}), told, Reply(data=count))

    @hookimpl
    def close_window(self, request: CloseWindowRequest) -> Effects:
        who = request.submissions.participant_id
        return Effects.of(
            *(Adjust(participant_id=each, points=1, reason="was there") for each in who)
        )


class Invalid(Tiny):
    more = {"actions": {"add": {"roles": ["KING"]}}}


class Promises(Tiny):
    capabilities = ("actions", "windows", "timers")


class Hides(Tiny):
    @hookimpl
    def on_timer(self, request: TimerRequest) -> Effects:
        return Effects()


class SpeaksAnother(Tiny):
    more = {"contract": ">=2.0 <3.0"}


class Untitled(Tiny):
    more = {"events": {"tiny:added": {"visibility": "organizer"}}}


class Raises(Tiny):
    def add(self, context: Context, count: int) -> Effects:
        if count > 2:
            raise ValueError("cannot count so far")
        return super().add(context, count)


class Nonsense(Tiny):
    def add(self, context: Context, count: int) -> Effects:
        return {"effects": "many"}  # type: ignore[return-value]  # that is what is wrong


class Slow(Tiny):
    more = {"policies": {"actions": {"timeout": 100}}}

    def add(self, context: Context, count: int) -> Effects:
        time.sleep(0.3)
        return super().add(context, count)


class Moody(Tiny):
    def add(self, context: Context, count: int) -> Effects:
        return Effects.of(Reply(data=random.random()))


class Feels(Tiny):
    """Says where it runs."""

    def add(self, context: Context, count: int) -> Effects:
        inside = threading.current_thread().name.startswith("app-")
        return Effects.of(Reply(data=inside))


class Scribbles(Tiny):
    def add(self, context: Context, count: int) -> Effects:
        assert context.room is not None
        context.room.settings["scribble"] = True
        return super().add(context, count)


class Blurts(Tiny):
    """Says something that it never declared."""

    def add(self, context: Context, count: int) -> Effects:
        return Effects.of(Emit(type="tiny:secret", payload={}))


class Loud(Tiny):
    """Says to everybody what is for organizers."""

    def add(self, context: Context, count: int) -> Effects:
        return Effects.of(Emit(type="tiny:added", to="public", payload={"count": count}))


class Shapeless(Tiny):
    """Keeps a state that its own schema refuses."""

    more = {"state": {"type": "object", "properties": {"public": {"maxProperties": 0}}}}


class Hoards(Tiny):
    def add(self, context: Context, count: int) -> Effects:
        return Effects.of(SetState(private={"text": "x" * 200_000}))


class GivesUnasked(Tiny):
    def add(self, context: Context, count: int) -> Effects:
        return Effects.of(AddPrize(name="More"))

    more = {"contract": ">=1.1 <2.0"}


class NeedsNewest(Tiny):
    def add(self, context: Context, count: int) -> Effects:
        assert context.contract != "1.0"
        return super().add(context, count)


class AnswersNewest(Tiny):
    def add(self, context: Context, count: int) -> Effects:
        return Effects.of(SetState(public={"count": count}, merge=True), Reply(data=count))


class NeverStarts(Tiny):
    capabilities = ("actions", "windows", "settingsValidation")

    @hookimpl
    def validate_settings(self, request: SettingsValidationRequest) -> SettingsValidationResult:
        if request.purpose == "save":
            return SettingsValidationResult()
        return SettingsValidationResult(problems=(Problem(message="Not in this weather."),))


class LetsNobodyIn(Tiny):
    capabilities = ("actions", "windows", "participantRegistration")

    @hookimpl
    def register_participant(self, request: RegistrationRequest) -> RegistrationResult:
        return RegistrationResult(decision="reject", reason="Full.")


class NeedsCards(Tiny):
    """Deals a card at joining, and fails if somebody has none because an organizer added them."""

    capabilities = ("actions", "windows", "participantRegistration")
    more = {"needs": {"action:add": ["participants"]}, "contract": ">=1.1 <2.0"}

    @hookimpl
    def register_participant(self) -> RegistrationResult:
        return RegistrationResult(own={"card": 1})

    def add(self, context: Context, count: int) -> Effects:
        assert context.participants is not None
        guests = (row for row in context.participants.rows() if row.role == "PARTICIPANT")
        cards = [row.data.own["card"] for row in guests]
        return super().add(context, count + len(cards))


class TakesNoActions(Tiny):
    """Declares actions, and not that it takes them."""

    capabilities = ("windows",)
    handle_action = None


class NeverSettles(Tiny):
    """Says of each window what cannot be done."""

    @hookimpl
    def close_window(self, request: CloseWindowRequest) -> Effects:
        return Effects.of(Adjust(participant_id="part_nobody", points=1, reason="was there"))


class Healthy:
    """Says how it feels, and nothing else."""

    @hookimpl
    def app_manifest(self) -> JsonObject:
        meta: JsonObject = {"name": "Healthy", "version": "1.0.0", "description": "Feels well."}
        return {"id": "healthy", "meta": meta, "capabilities": ["health"], "permissions": []}

    @hookimpl
    async def check_health(self) -> HealthReport:
        return HealthReport()


class Patient:
    """Coroutines alone: lets people in by and by, takes calls together, sets timers."""

    @hookimpl
    def app_manifest(self) -> JsonObject:
        phone: JsonObject = {"type": "string", "pattern": "^\\+[0-9]{7,15}$", "title": "Phone"}
        go: JsonObject = {"title": "Go", "batch": True, "roles": ["PARTICIPANT"]}
        return {
            "id": "patient",
            "meta": {"name": "Patient", "version": "1.0.0", "description": "Waits."},
            "capabilities": ["actions", "participantRegistration", "timers"],
            "permissions": [],
            "registration": {
                "type": "object",
                "required": ["phone"],
                "additionalProperties": False,
                "properties": {"phone": phone},
            },
            "actions": {"go": go},
        }

    @hookimpl
    async def register_participant(self) -> RegistrationResult:
        return RegistrationResult(decision="pending")

    @hookimpl
    async def handle_action(self, request: ActionRequest) -> ActionResult:
        await asyncio.sleep(0)
        answer = ActionAnswer(effects=(Schedule(name="soon", after_ms=1_000), Reply(data=1)))
        return ActionResult(answers=(answer,) * len(request.calls or ()))

    @hookimpl
    async def on_timer(self) -> Effects:
        return Effects()


class FallsBadly(Tiny):
    """Its word for failures cannot be used."""

    more = {
        "policies": {
            "actions": {
                "onFailure": "fallback",
                "fallback": {"effects": [{"effect": "emit", "type": "tiny:secret"}]},
            }
        }
    }


class Misspelt(Tiny):
    more = {"settings": {"type": "object", "minProperty": 0}}


class AlwaysRefuses(Tiny):
    @hookimpl
    def handle_action(self, context: Context, request: ActionRequest) -> Effects:
        if request.action == "ask":
            raise Refuse("NEVER", "Nobody may ask.")
        return super().handle_action(context, request)


class EndsFirst(Tiny):
    """The action that ends the game comes first; another one is broken while the game goes on."""

    more = {"actions": {"end": {"title": "End"}, "work": {"title": "Work"}}, "events": {}}

    @hookimpl
    def handle_action(self, context: Context, request: ActionRequest) -> Effects:
        assert context.room is not None
        if context.room.state.public.get("over"):
            raise Refuse("OVER", "The game is over.")
        if request.action == "end":
            return Effects.of(SetState(public={"over": True}))
        raise RuntimeError("nobody has tried this")
