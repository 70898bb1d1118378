"""Simulated participants: they answer open windows, and try the app's actions."""

import asyncio
import json
from collections.abc import Callable

from pydantic import JsonValue

from mymozhem.contract import JsonObject
from mymozhem.contract.demo import DemoFailed
from mymozhem.demo.http_evening import HttpEvening
from mymozhem.manifests.enums import Addressee
from mymozhem.manifests.model import ActionSpec, Manifest
from mymozhem.testing.sample_inputs import names_in
from mymozhem.testing.schema_values import values_for

from .dev_room import DevRoom, SimulatedPhone

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
            self._say(f"   {what}" if done.code is None else f"   {what}: refused, {done.code}")
        return done.code


def _short(value: JsonValue) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else f"{text[:100]}…"  # noqa: PLR2004  a line of a terminal
