"""Requests as a host makes them, and what the manifest says about answers."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import hypothesis
import jsonschema
import pytest

import mymozhem_lottery as lottery
from mymozhem.contract import (
    AppRef,
    Candidates,
    Context,
    DrawPrize,
    Effect,
    Emit,
    PersonKind,
    PrepareDrawRequest,
    Prize,
    RoomData,
    RoomStatus,
    RoomView,
    SetState,
    Winner,
    WinnerStatus,
)
from mymozhem.testing import over_both_transports

# An example has no time limit: the first one builds the models that the others find.
hypothesis.settings.register_profile("mymozhem", deadline=None)
hypothesis.settings.load_profile("mymozhem")

transport = over_both_transports("mymozhem_lottery")

NOW = datetime(2026, 12, 31, 20, 0, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def later() -> Callable[[float], datetime]:
    """A moment so many hours from now."""
    return lambda hours: NOW + timedelta(hours=hours)


@pytest.fixture
def context() -> Callable[..., Context]:
    """A call's context; settings by keyword (`reserves_` is one), the rest under its own name."""

    def build(
        *,
        status=RoomStatus.ACTIVE,
        state=None,
        locale="en",
        call_id="call_1",
        seed="5e" * 32,
        prizes=None,
        winners=None,
        reserves=None,
        due_at=None,
        now=NOW,
        **settings,
    ) -> Context:
        return Context(
            contract="1.0",
            call_id=call_id,
            app=AppRef(id="lottery", version="2.1.0"),
            room=RoomView(
                id="room_1",
                name="The room",
                status=status,
                locale=locale,
                settings={name.rstrip("_"): value for name, value in settings.items()},
                state=state or RoomData(),
            ),
            now=now,
            due_at=due_at,
            deadline_ms=2_000,
            seed=seed,
            prizes=prizes,
            winners=winners,
            reserves=reserves,
        )

    return build


@pytest.fixture
def prize() -> Callable[..., Prize]:
    def build(id="prize_1", left=1, quantity=1) -> Prize:
        return Prize(id=id, name="Bicycle", quantity=quantity, quantity_remaining=left)

    return build


@pytest.fixture
def winner() -> Callable[..., Winner]:
    def build(
        person, *, prize="prize_1", status=WinnerStatus.AWARDED, draw="draw_1", **metadata
    ) -> Winner:
        return Winner(
            id=f"win_{person}_{prize}",
            participant_id=person,
            prize_id=prize,
            draw_id=draw,
            status=status,
            metadata=metadata,
        )

    return build


@pytest.fixture
def to_draw() -> Callable[..., PrepareDrawRequest]:
    """A draw of one bicycle among the named people; persons are `person-` and the id."""

    def build(*people, prizes=("prize_1",), **more) -> PrepareDrawRequest:
        candidates = Candidates(
            id=people,
            person_id=tuple(f"person-{one}" for one in people),
            kind=(PersonKind.GUEST,) * len(people),
            metadata=({},) * len(people),
            points=(0,) * len(people),
            last_seen_at=(None,) * len(people),
        )
        return PrepareDrawRequest(
            draw_id="draw_2",
            key="key",
            prizes=tuple(DrawPrize(prize_id=one, name="Bicycle", count=1) for one in prizes),
            candidates=candidates,
            **more,
        )

    return build


@pytest.fixture
def wire() -> Callable[[tuple[Effect, ...]], list[dict]]:
    """Effects as the host sees them, each checked against what the manifest declares."""
    manifest = lottery.app_manifest()

    def on_the_wire(effects: tuple[Effect, ...]) -> list[dict]:
        for effect in effects:
            if isinstance(effect, Emit):
                declared = manifest["events"][effect.type]
                jsonschema.validate(effect.payload, declared["payload"])
                assert effect.to == declared["visibility"]
            if isinstance(effect, SetState):
                parts = effect.model_dump(exclude_none=True, exclude={"effect"})
                jsonschema.validate(parts, manifest["state"])
        return [one.model_dump(mode="json", by_alias=True, exclude_none=True) for one in effects]

    return on_the_wire
