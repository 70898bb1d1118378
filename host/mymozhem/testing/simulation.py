"""Simulates an event with any app: every role tries every action, at all times."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue
from sqlalchemy import select

from mymozhem.contract import ChangeKind, JsonObject, ParticipantStatus, RoomStatus, WindowStatus
from mymozhem.contract.hooks import REGISTER_PARTICIPANT
from mymozhem.dispatch.outcome import FailureKind
from mymozhem.errors import MymozhemError
from mymozhem.manifests.enums import Addressee
from mymozhem.rooms.coordination.join_batches import JoinResult
from mymozhem.rooms.participants.manage import approve
from mymozhem.rooms.tables.prizes import WinnerRow
from mymozhem.rooms.tables.rooms import RoomRow

from .app_lookup import App
from .draws import finish_draws
from .harness import HostHarness
from .room_checks import log_problems, next_due, refused_effects, tallying
from .sample_inputs import SampleInputs, answers_of, names_in, payloads_of, settings_of
from .schema_values import values_for

MAX_TURNS = 12
MAX_ANSWERED = 5
MAX_PAYLOADS = 3
HTTP_FAULT = 500

#: done, or the code of a refusal
DONE = "done"


@dataclass(frozen=True)
class Tried:
    """An attempt and its outcome: `done`, a code, or the error's name; `action` is its action."""

    what: str
    outcome: str
    message: str = ""
    is_fault: bool = False
    action: str = ""


@dataclass
class Simulation:
    """The result of a simulation; `settings` are those of the room, None if none could start."""

    tried: list[Tried] = field(default_factory=list)
    settings: JsonObject | None = None
    refused: list[str] = field(default_factory=list)
    completed: bool = False
    stuck: list[str] = field(default_factory=list)
    refused_effects: list[str] = field(default_factory=list)
    log_problems: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[Tried]:
        """The outcomes that must not occur: errors of 500 and above, and those without a code."""
        return [each for each in self.tried if each.is_fault]


async def simulate(host: HostHarness, app: App, wishes: SampleInputs) -> Simulation:
    """Simulate an event and return how it went; faults of the app raise nothing here."""
    player = Player(host, app, wishes, Simulation())
    await player.simulate()
    return player.game


class Player:
    """All participants in the room of one simulation; what they do is added to `game`."""

    def __init__(self, host: HostHarness, app: App, wishes: SampleInputs, game: Simulation) -> None:
        self.game = game
        self._host = host
        self._app = app
        self._wishes = wishes
        self.guests: list[JoinResult] = []
        self.known: dict[str, JsonValue] = {}
        self._round = 0
        self.silent: set[str] = set()

    async def simulate(self) -> None:
        """Play a room from its start to its end, and another one that is called off."""
        room = await self.started(settings_of(self._app, self._wishes))
        if room is None:
            return
        for number, name in enumerate(("Ada", "Bob")):
            await self.let_in(room, name, number)
        await self.add_person(room, "Zoe")
        for turn in range(self._wishes.rounds):
            self._round = turn
            await self._everything(room, "ACTIVE")
            await self.attempt("finishing draws", finish_draws(self._host, room))
            await self.let_time_pass(room)
        self.game.stuck = await tallying(self._host, room)
        await self.complete(room)
        await self._everything(room, "COMPLETED")
        self.game.refused_effects = await refused_effects(self._host, room)
        self.game.log_problems = await log_problems(self._host, room)
        await self._called_off()

    async def started(self, choices: Sequence[JsonObject]) -> RoomRow | None:
        """Start a room with the first of these settings that the app accepts; None without any."""
        for settings in choices:
            made = await self.attempt("making a room", self._host.room(
                self._app.app_id, settings=settings
            ))  # fmt: skip
            if not isinstance(made, RoomRow):
                self.game.refused.append(self.game.tried[-1].message)
                continue
            self.known = {"prizeId": await self._host.prize(made, 3), **names_in(settings)}
            started = await self.attempt(
                "starting the room", self._host.change(made.id, status=RoomStatus.ACTIVE)
            )
            if isinstance(started, RoomRow):
                self.game.settings = self.game.settings or settings
                await self._host.settle()
                return started
            self.game.refused.append(self.game.tried[-1].message)
        return None

    async def let_in(self, room: RoomRow, name: str, number: int) -> None:
        """Let somebody join; approve them if the app leaves that to the organizer."""
        answers = answers_of(self._app, self._wishes)
        for offset in range(len(answers)):
            given = answers[(number + offset) % len(answers)]
            joined = await self.attempt(f"{name} joins", self._host.guest(room, name, given))
            if not isinstance(joined, JoinResult):
                continue
            person = joined.participant
            if person.status == ParticipantStatus.PENDING:
                services, organizer = self._host.services, self._host.organizer
                await self.attempt(
                    f"{name} is approved", approve(services, room.id, organizer, person.id)
                )
            self.guests.append(joined)
            self.known["participantId"] = person.id
            await self._host.settle()
            return

    async def add_person(self, room: RoomRow, name: str) -> None:
        """Add somebody as an organizer does, so that the app meets a person without its data."""
        manifest = self._app.manifest
        if (
            REGISTER_PARTICIPANT.capability in manifest.capabilities
            or ChangeKind.JOINED in manifest.changes
        ):
            await self.attempt(f"{name} is added", self._host.add_person(room, name))
            await self._host.settle()

    async def _everything(self, room: RoomRow, status: str) -> None:
        """Try every action by every role with every payload, and answer what is asked."""
        for name, spec in self._app.manifest.actions.items():
            if name in self.silent:
                continue  # each time it is asked takes the whole of its deadline
            await self.learn(room)
            payloads = payloads_of(name, spec, self._wishes, self.known)[:MAX_PAYLOADS]
            for who in (None, *self.guests):
                may = Addressee("PARTICIPANT" if who else "ORGANIZER") in spec.roles
                now = status in spec.when
                role = "a participant" if who else "the organizer"
                for payload in payloads if may and now else payloads[:1]:
                    what = f"{name!r} by {role} while the room is {status}"
                    acting = self._host.act(room, name, payload, by=who)
                    await self.attempt(what, acting, action=name)
                    if self.game.tried[-1].outcome == FailureKind.TIMEOUT:
                        self.silent.add(name)
                    if now and may:
                        await self.answer(room)
                if who and not may:
                    break  # the next guest may not either

    async def answer(self, room: RoomRow, guests: Sequence[JoinResult] | None = None) -> None:
        """Submit to the windows that are open, each guest (or all) with something of its own."""
        for number, guest in enumerate(self.guests if guests is None else guests):
            seen = await self._host.sees(room, guest)
            waiting = [each for each in seen.windows if each.status == WindowStatus.OPEN]
            if waiting and number == 0:
                await self._host.advance(max(each.min_elapsed_ms for each in waiting) / 1000 + 1)
            for window in waiting[:MAX_ANSWERED]:
                made = values_for(window.accepts)
                if made and window.may_submit:
                    answer = made[(number + self._round) % len(made)]
                    what = f"answering the window {window.id!r}"
                    await self.attempt(what, self._host.submit(room, window.id, answer, by=guest))

    async def let_time_pass(self, room: RoomRow, *, most: int = MAX_TURNS) -> None:
        """Move the clock from one thing that is due to the next."""
        for _ in range(most):
            due = await next_due(self._host, room)
            if due is None:
                return
            wait = (due - self._host.services.clock.now()).total_seconds()
            await self.attempt("letting time pass", self._host.advance(max(wait, 0) + 1))

    async def complete(self, room: RoomRow) -> None:
        """Complete the room, and let what is due happen."""
        ended = await self.attempt(
            "completing the room", self._host.change(room.id, status=RoomStatus.COMPLETED)
        )
        self.game.completed = self.game.completed or isinstance(ended, RoomRow)
        await self.let_time_pass(room)

    async def _called_off(self) -> None:
        room = await self._host.room(self._app.app_id, settings=self.game.settings)
        self.guests = []
        await self._everything(room, "DRAFT")
        cancelled = self._host.change(room.id, status=RoomStatus.CANCELLED)
        await self.attempt("calling the room off", cancelled)
        await self._everything(room, "CANCELLED")

    async def learn(self, room: RoomRow) -> None:
        """Remember the id of a win."""
        async with self._host.services.database.read() as session:
            winner = await session.scalar(
                select(WinnerRow.id).where(WinnerRow.room_id == room.id).limit(1)
            )
        if winner is not None:
            self.known["winnerId"] = winner

    async def attempt(self, what: str, doing: object, *, action: str = "") -> object:
        """Do something; return its result, None if it was refused or failed."""
        try:
            found = await doing  # type: ignore[misc]  # a coroutine
        except MymozhemError as error:
            is_fault = error.status >= HTTP_FAULT
            self.game.tried.append(Tried(what, error.code, _sentence(error), is_fault, action))
        except Exception as error:  # noqa: BLE001  whatever it is, it is a fault
            self.game.tried.append(Tried(what, type(error).__name__, str(error), True, action))
        else:
            self.game.tried.append(Tried(what, DONE, action=action))
            return found
        return None


def _sentence(error: MymozhemError) -> str:
    fields = error.details.get("fields")
    parts = [error.message]
    if isinstance(fields, dict):
        parts += [f"{name or 'the whole'}: {' '.join(map(str, fields[name]))}" for name in fields]
    return " ".join(parts)
