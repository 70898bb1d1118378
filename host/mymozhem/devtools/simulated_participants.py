"""Simulated participants: they answer open windows, and try the app's actions."""

import asyncio
import json
from collections.abc import Callable, Sequence

from pydantic import JsonValue

from mymozhem.contract import JsonObject
from mymozhem.contract.demo import Attempt, DemoFailed
from mymozhem.demo.http_evening import HttpEvening
from mymozhem.manifests.enums import Addressee
from mymozhem.manifests.model import ActionSpec, Manifest
from mymozhem.testing.sample_inputs import names_in
from mymozhem.testing.schema_values import values_for

from .dev_room import DevRoom, SimulatedPhone
from .dev_script import Step

#: how often a participant polls for open windows
LOOK_SECONDS = 0.4
#: the pause between two automatic rounds
TURN_SECONDS = 2.0
#: the pause after an action, in which others answer
PAUSE_SECONDS = 1.0
_ORGANIZER = "the organizer"

Say = Callable[[str], None]


class SimulatedParticipants:
    """The participants of one room; they answer windows automatically, and act on request."""

    def __init__(self, evening: HttpEvening, manifest: Manifest, party: DevRoom, say: Say) -> None:
        self._evening = evening
        self._manifest = manifest
        self._party = party
        self._say = say
        self._answered: set[tuple[str, str]] = set()
        self._turn = 0
        self._manual = False
        self._seen = ""

    async def tell(self) -> None:
        """Print why effects were refused or others decided instead of the app, until cancelled."""
        path = f"/rooms/{self._party.room_id}/events"
        while True:
            after = f"?after={self._seen}" if self._seen else ""
            found = await self._look(path + after, self._evening.organizer)
            for event in found if isinstance(found, list) else ():
                match event:
                    case {"cursor": str(cursor), "type": kind, "payload": dict(told)}:
                        self._seen = cursor
                        if kind == "app:fallback_used":
                            what = f"{told['hook']} was not applied, {told['code']}"
                            self._say(f"   {what}: {told['message']}")
            await asyncio.sleep(LOOK_SECONDS)

    async def perform(self, steps: Sequence[Step]) -> None:
        """Do the steps of a scenario, one after the other."""
        for step in steps:
            self._manual = step.answers is not None
            token = self._token_of(step.by)
            if token is None:
                self._say(f"   There is no {step.by} here: the step {step.action} is left out.")
                continue
            path = f"/rooms/{self._party.room_id}/actions/{step.action}"
            what = f"{step.by or _ORGANIZER} does {step.action} {_short(step.payload)}"
            await self._try(what, path, step.payload, token)
            for number, payload in enumerate(step.answers or ()):
                if payload is not None and number < len(self._party.phones):
                    await self._answer_by_hand(self._party.phones[number], payload)
            await asyncio.sleep(step.pause if step.answers is not None else PAUSE_SECONDS)
        self._manual = False
        self._say(f"   The scenario is over: {len(steps)} steps.")

    def _token_of(self, name: str | None) -> str | None:
        if name is None:
            return self._evening.organizer
        return next((each.guest.token for each in self._party.phones if each.name == name), None)

    async def _answer_by_hand(self, phone: SimulatedPhone, payload: JsonValue) -> None:
        """Submit to the windows that are open; again for a while if it is too early."""
        for window in await self._open_windows(phone):
            path = f"/rooms/{self._party.room_id}/windows/{window}/submissions"
            what = f"{phone.name} answers {window} {_short(payload)}"
            for _ in range(20):
                if (
                    await self._try(what, path, {"payload": payload}, phone.guest.token)
                    != "TOO_EARLY"
                ):
                    break
                await asyncio.sleep(LOOK_SECONDS)

    async def _open_windows(self, phone: SimulatedPhone) -> list[str]:
        state = await self._look(f"/rooms/{self._party.room_id}/state", phone.guest.token)
        windows = state.get("windows") if isinstance(state, dict) else None
        return [
            str(each["id"])
            for each in (windows if isinstance(windows, list) else ())
            if isinstance(each, dict) and each.get("status") == "open" and each.get("maySubmit")
        ]

    async def answer(self) -> None:
        """Answer every open window, once for each participant, until this is cancelled."""
        async with asyncio.TaskGroup() as group:
            for number, phone in enumerate(self._party.phones):
                group.create_task(self._answer(phone, number))

    async def play_on(self) -> None:
        """Play round after round until this is cancelled."""
        while True:
            await self.play()
            await asyncio.sleep(TURN_SECONDS)

    async def play(self) -> None:
        """Try every action with every role that may do it, each time with other payloads."""
        known: dict[str, JsonValue] = await self._known()
        for name, spec in self._manifest.actions.items():
            payloads = values_for(spec.payload, known=known) if spec.payload else [{}]
            if not payloads:
                self._say(f"   No payload is known for {name}: add examples to its schema.")
                continue
            if await self._act(name, spec, payloads):
                await asyncio.sleep(PAUSE_SECONDS)
        self._turn += 1

    async def _act(self, name: str, spec: ActionSpec, payloads: list[JsonValue]) -> bool:
        """Try an action as everybody who may do it; return whether any attempt succeeded."""
        done = False
        for number, (who, token) in enumerate(self._who(spec)):
            payload = payloads[(self._turn + number) % len(payloads)]
            path = f"/rooms/{self._party.room_id}/actions/{name}"
            what = f"{who} does {name} {_short(payload)}"
            done = await self._try(what, path, payload, token) is None or done
        return done

    def _who(self, spec: ActionSpec) -> list[tuple[str, str]]:
        """Return the names and tokens of everybody who may do an action."""
        who = [(_ORGANIZER, self._evening.organizer)] if Addressee.ORGANIZER in spec.roles else []
        if Addressee.PARTICIPANT in spec.roles:
            who += [(each.name, each.guest.token) for each in self._party.phones]
        return who

    async def _known(self) -> dict[str, JsonValue]:
        """Return real ids, by the payload properties that name them."""
        known = names_in(self._party.settings)
        if self._party.phones:
            known["participantId"] = self._party.phones[0].guest.participant_id
        for name, list_of in (("prizeId", "prizes"), ("winnerId", "winners")):
            path = f"/rooms/{self._party.room_id}/{list_of}"
            match await self._look(path, self._evening.organizer):
                case [{"id": str(found)}, *_]:
                    known[name] = found
        return known

    async def _answer(self, phone: SimulatedPhone, number: int) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self._manual:
                continue
            state = await self._look(f"/rooms/{self._party.room_id}/state", phone.guest.token)
            windows = state.get("windows") if isinstance(state, dict) else None
            for window in windows if isinstance(windows, list) else ():
                match window:
                    case {"id": str(name), "status": "open", "maySubmit": True, "accepts": accepts}:
                        await self._submit(phone, number, name, accepts)

    async def _submit(
        self, phone: SimulatedPhone, number: int, window: str, accepts: JsonValue
    ) -> None:
        if (phone.name, window) in self._answered:
            return
        values = values_for(accepts)
        if not values:
            self._answered.add((phone.name, window))
            self._say(f"   {phone.name} has no answer to {window}: no valid value was found.")
            return
        payload = values[number % len(values)]
        path = f"/rooms/{self._party.room_id}/windows/{window}/submissions"
        body: JsonObject = {"payload": payload}
        what = f"{phone.name} answers {window} {_short(payload)}"
        if await self._try(what, path, body, phone.guest.token) != "TOO_EARLY":
            self._answered.add((phone.name, window))

    async def _look(self, path: str, token: str) -> JsonValue:
        """Return the data of a resource; None if it cannot be read now."""
        try:
            found = await self._evening.attempt("GET", path, token=token)
        except DemoFailed:
            return None
        return found.data if found.code is None else None

    async def _try(self, what: str, path: str, body: JsonValue, token: str) -> str | None:
        """Do something and print it; return the code of the refusal, None if it succeeded."""
        try:
            done = await self._evening.attempt("POST", path, body, token=token)
        except DemoFailed as error:
            self._say(f"   {what}: {error}")
            return "FAILED"
        if done.code != "TOO_EARLY":
            self._say(f"   {what}" if done.code is None else f"   {what}: {_refusal(done)}")
        return done.code


def _refusal(done: Attempt) -> str:
    """Return the code of a refusal, and the reason: an effect's own, if it is one's fault."""
    reason = done.data.get("reason") if isinstance(done.data, dict) else None
    said = reason if isinstance(reason, str) else done.message
    return f"refused, {done.code}" + (f": {said}" if said else "")


def _short(value: JsonValue) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else f"{text[:100]}…"  # noqa: PLR2004  a line of a terminal
