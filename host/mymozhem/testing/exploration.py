"""Explores an app: plays rooms in several orders of actions until everything was reached.

A walk is a room in which pseudo-random steps are taken; those that were never done are preferred. A
second exploration takes the same steps.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random

from pydantic import JsonValue

from mymozhem.contract import JsonObject, RoomStatus
from mymozhem.contract.demo import SampleAction, SampleRoom
from mymozhem.manifests.enums import Addressee
from mymozhem.manifests.model import ActionSpec
from mymozhem.manifests.settings import complete
from mymozhem.rooms.coordination.join_batches import JoinResult
from mymozhem.rooms.tables.rooms import RoomRow

from .app_lookup import App
from .coverage import coverage_of
from .draws import finish_draws
from .harness import HostHarness
from .learned_values import LearnedValues
from .random_values import various
from .recording_app import CallRecords
from .room_checks import log_problems, refused_effects
from .sample_inputs import SampleInputs, payloads_of, settings_of
from .schema_values import values_for
from .simulation import DONE, Player, Simulation

#: rooms that are explored, and steps in each
MAX_WALKS = 6
MAX_STEPS = 20
#: a walk ends after so many steps in which no action was done
MAX_IDLE = 8
MAX_SETTINGS = 6
_PEOPLE = ("Cyd", "Dan", "Eve")
_PASS_TIME = 0.2
_ANSWER = 0.8
_FINISH_DRAWS = 0.15
_CHANGE_SETTINGS = 0.15
_VARIED = 0.25
#: weights of actions, and what they are multiplied by
_USUAL, _NEW = 2, 3
_REFUSED, _ENDING = 0.3, 0.05
#: attempts after an action that show whether it ends the game
_AFTER = 4


async def explore(
    host: HostHarness, app: App, wishes: SampleInputs, game: Simulation, notes: CallRecords
) -> None:
    """Play more rooms and add to `game` what happened, until everything was reached or time is up.

    First come the sample rooms of the app's demo, then walks.
    """
    for walk in _walks(host, app, wishes, game):
        if coverage_of(app, notes.calls, game.tried).is_complete:
            return
        await walk.take()


def _walks(
    host: HostHarness, app: App, wishes: SampleInputs, game: Simulation
) -> Iterator["_Walk"]:
    for sample in (*wishes.scenarios, *app.samples):
        if sample.actions:
            yield _Walk(host, app, wishes, game, seed=0, sample=sample)
    base = game.settings or {}
    choices = _Settings(app, wishes, base)
    for number in range(MAX_WALKS):
        yield _Walk(
            host, app, wishes, game, seed=number, settings=choices.varied(number), otherwise=base
        )


class _Settings:
    """Settings of rooms to explore: those that work, and variations of them."""

    def __init__(self, app: App, wishes: SampleInputs, base: JsonObject) -> None:
        self._fits = app.manifest.settings_validator.is_valid
        given = [
            complete(app.manifest.settings_outline, each.settings) for each in wishes.scenarios
        ]
        known = [base, *given, *settings_of(app, wishes)]
        self._known = [
            each
            for number, each in enumerate(known)
            if isinstance(each, dict) and each not in known[:number]
        ]
        schema = app.manifest.settings
        varies = wishes.settings is None and schema is not None
        made = various(schema, most=MAX_SETTINGS) if varies else []
        self._parts = [(n, v) for each in made if isinstance(each, dict) for n, v in each.items()]

    def varied(self, number: int) -> JsonObject:
        """Return the settings of one room; every second one varies several of them."""
        base = self._known[number // 2 % len(self._known)]
        if number % 2 == 0:
            return base
        chance = Random(number)  # noqa: S311  the same every time
        mixed = base
        for name, value in self._parts:
            changed = {**mixed, name: value}
            if chance.random() < _VARIED and self._fits(changed):
                mixed = changed
        return mixed


class _Walk:
    """One room, in which steps are taken."""

    def __init__(
        self,
        host: HostHarness,
        app: App,
        wishes: SampleInputs,
        game: Simulation,
        *,
        seed: int,
        settings: JsonObject | None = None,
        otherwise: JsonObject | None = None,
        sample: SampleRoom | None = None,
    ) -> None:
        self._host = host
        self._app = app
        self._wishes = wishes
        self._game = game
        self._chance = Random(f"{app.app_id} {seed}")  # noqa: S311  the same every time
        self._sample = sample
        self._choices = [each for each in (settings, otherwise) if each is not None]
        if sample is not None:
            self._choices = [sample.settings]
        self._refused: set[str] = set()
        self._player = Player(host, app, wishes, game)
        self._learned = LearnedValues()
        self._live = _live_values(app)

    async def take(self) -> None:
        """Play the room to its end."""
        room = await self._player.started(self._choices)
        if room is None:
            return
        self._learned.learn(room.app_settings)
        for number, name in enumerate(_PEOPLE):
            await self._player.let_in(room, name, number)
        await self._player.add_person(room, "Zoe")
        if self._sample is not None:
            await self._follow(room, self._sample.actions)
        await self._wander(room)
        await self._player.complete(room)
        for name, spec in self._app.manifest.actions.items():
            if "COMPLETED" in spec.when:
                await self._act(room, name, spec)
        self._game.refused_effects += await refused_effects(self._host, room)
        self._game.log_problems += await log_problems(self._host, room)

    async def _follow(self, room: RoomRow, actions: Sequence[SampleAction]) -> None:
        """Do the actions of a sample room, in their order."""
        for each in actions:
            if each.action in self._app.manifest.actions:
                doing = self._host.act(room, each.action, each.payload)
                await self._player.attempt(_what(each.action), doing, action=each.action)
                await self._player.answer(room, self._some())

    async def _wander(self, room: RoomRow) -> None:
        idle = 0
        for _ in range(MAX_STEPS):
            name = self._chosen()
            if name is None or idle >= MAX_IDLE:
                return
            if idle == 0:
                await self._learn(room)
            done = await self._act(room, name, self._app.manifest.actions[name])
            idle = 0 if done else idle + 1
            await self._pause(room)

    def _some(self) -> list[JoinResult]:
        """Return some of the guests, or all."""
        guests = self._player.guests
        return self._chance.sample(guests, self._chance.randint(0, len(guests)))

    async def _pause(self, room: RoomRow) -> None:
        """Let others act, and time pass, now and then."""
        chance = self._chance.random
        if chance() < _ANSWER:
            await self._player.answer(room, self._some())
        if chance() < _FINISH_DRAWS:
            await self._player.attempt("finishing draws", finish_draws(self._host, room))
        if chance() < _PASS_TIME:
            await self._player.let_time_pass(room, most=1)
        if self._live and chance() < _CHANGE_SETTINGS:
            patch = dict([self._chance.choice(self._live)])
            changing = self._host.change(room.id, settings=patch)
            await self._player.attempt("changing a live setting", changing)

    def _chosen(self) -> str | None:
        """Return the next action.

        One that was never done is more probable; less probable is one that was refused since the
        room changed, and least one after which everything was refused before.
        """
        done = Counter(each.action for each in self._game.tried if each.outcome == DONE)
        ends = _ending(self._game)
        names = [
            name
            for name, spec in self._app.manifest.actions.items()
            if RoomStatus.ACTIVE in spec.when and name not in self._player.silent
        ]
        if not names:
            return None
        weights = [
            (_USUAL if done[name] else _NEW)
            * (_REFUSED if name in self._refused else 1)
            * (_ENDING if name in ends else 1)
            for name in names
        ]
        return self._chance.choices(names, weights)[0]

    async def _act(self, room: RoomRow, name: str, spec: ActionSpec) -> bool:
        """Try an action as somebody who may do it; return whether it was done."""
        payloads = payloads_of(name, spec, self._wishes, self._player.known)
        who = self._actor(spec)
        if not payloads or isinstance(who, bool):
            return False
        chosen = self._chance.choice(payloads)
        if not self._wishes.payloads.get(name):
            chosen = self._learned.filled(chosen, spec.payload, self._chance)
        doing = self._host.act(room, name, chosen, by=who)
        await self._player.attempt(_what(name), doing, action=name)
        done = self._game.tried[-1].outcome == DONE
        self._refused = set() if done else {*self._refused, name}
        return done

    def _actor(self, spec: ActionSpec) -> JoinResult | bool | None:
        """Return a guest, None for the organizer, or False if nobody here may do it."""
        may: list[JoinResult | None] = []
        if Addressee.ORGANIZER in spec.roles:
            may.append(None)
        if Addressee.PARTICIPANT in spec.roles:
            may += self._player.guests
        return self._chance.choice(may) if may else False

    async def _learn(self, room: RoomRow) -> None:
        """Remember what the organizer and the participants see, and whom there is."""
        await self._player.learn(room)
        for name, value in self._player.known.items():
            self._learned.add(name, value)
        for guest in self._player.guests:
            self._learned.add("participantId", guest.participant.id)
        for who in (None, *self._player.guests[:1]):
            seen = await self._host.sees(room, who)
            self._learned.learn(seen.model_dump(mode="json", by_alias=True))


def _ending(game: Simulation) -> frozenset[str]:
    """Return the actions after which every other one was refused."""
    tried = [each for each in game.tried if each.action]
    goes_on: dict[str, bool] = {}
    for place, each in enumerate(tried):
        after = [it for it in tried[place + 1 :][:_AFTER] if it.action != each.action]
        if each.outcome == DONE and after:
            done = any(it.outcome == DONE for it in after)
            goes_on[each.action] = goes_on.get(each.action, False) or done
    return frozenset(name for name, on in goes_on.items() if not on)


def _live_values(app: App) -> list[tuple[str, JsonValue]]:
    """Return values of settings that may change while a room runs."""
    properties = (app.manifest.settings or {}).get("properties")
    found: list[tuple[str, JsonValue]] = []
    for name, schema in (properties if isinstance(properties, dict) else {}).items():
        if isinstance(schema, dict) and schema.get("x-live") is True:
            found += [(name, value) for value in values_for(schema)]
    return found


def _what(action: str) -> str:
    return f"{action!r} in another order"
