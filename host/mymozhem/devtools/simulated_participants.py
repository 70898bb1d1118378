"""What people at the phones do: answer what is asked, and try what may be done."""

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

#: how often a phone looks whether something is asked
LOOK_SECONDS = 0.4
#: how long those who play by themselves wait between two turns
TURN_SECONDS = 2.0
#: how long others have to answer what an action has begun
PAUSE_SECONDS = 1.0
_ORGANIZER = "the organizer"

Say = Callable[[str], None]


class SimulatedParticipants:
    """The people of one room; they answer windows by themselves, and play when they are told to."""

    def __init__(self, evening: HttpEvening, manifest: Manifest, party: DevRoom, say: Say) -> None:
        self._evening = evening
        self._manifest = manifest
        self._party = party
        self._say = say
        self._answered: set[tuple[str, str]] = set()
        self._turn = 0

    async def answer(self) -> None:
        """Answer every window that is open, each phone once, until this is cancelled."""
        async with asyncio.TaskGroup() as group:
            for number, phone in enumerate(self._party.phones):
                group.create_task(self._answer(phone, number))

    async def play_on(self) -> None:
        """Play turn after turn until this is cancelled."""
        while True:
            await self.play()
            await asyncio.sleep(TURN_SECONDS)

    async def play(self) -> None:
        """Let everybody try every action that is theirs, each time with other payloads."""
        known: dict[str, JsonValue] = await self._known()
        for name, spec in self._manifest.actions.items():
            payloads = values_for(spec.payload, known=known) if spec.payload else [{}]
            if not payloads:
                self._say(f"   Nobody knows what to send with {name}: give its payload examples.")
                continue
            if await self._act(name, spec, payloads):
                await asyncio.sleep(PAUSE_SECONDS)
        self._turn += 1

    async def _act(self, name: str, spec: ActionSpec, payloads: list[JsonValue]) -> bool:
        """Let everybody who may do an action do it; tell whether anybody could."""
        done = False
        for number, (who, token) in enumerate(self._who(spec)):
            payload = payloads[(self._turn + number) % len(payloads)]
            path = f"/rooms/{self._party.room_id}/actions/{name}"
            what = f"{who} does {name} {_short(payload)}"
            done = await self._try(what, path, payload, token) is None or done
        return done

    def _who(self, spec: ActionSpec) -> list[tuple[str, str]]:
        """Return who may do an action, with their tokens."""
        who = [(_ORGANIZER, self._evening.organizer)] if Addressee.ORGANIZER in spec.roles else []
        if Addressee.PARTICIPANT in spec.roles:
            who += [(each.name, each.guest.token) for each in self._party.phones]
        return who

    async def _known(self) -> dict[str, JsonValue]:
        """Return real ids by the names that payloads call them."""
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
            self._say(f"   {phone.name} knows no answer to {window}: nothing was found that fits.")
            return
        payload = values[number % len(values)]
        path = f"/rooms/{self._party.room_id}/windows/{window}/submissions"
        body: JsonObject = {"payload": payload}
        what = f"{phone.name} answers {window} {_short(payload)}"
        if await self._try(what, path, body, phone.guest.token) != "TOO_EARLY":
            self._answered.add((phone.name, window))

    async def _look(self, path: str, token: str) -> JsonValue:
        """Return what is there; None where nothing can be seen now."""
        try:
            found = await self._evening.attempt("GET", path, token=token)
        except DemoFailed:
            return None
        return found.data if found.code is None else None

    async def _try(self, what: str, path: str, body: JsonValue, token: str) -> str | None:
        """Do something and say so; return the code of the refusal, None where it was done."""
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
