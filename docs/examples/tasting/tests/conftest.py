"""Requests as a host makes them, and what the manifest says about answers."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import jsonschema
import pytest

import mymozhem_tasting as tasting
from mymozhem.contract import (
    ActionRequest,
    AppRef,
    CloseWindowRequest,
    Context,
    Effect,
    Effects,
    Emit,
    JsonObject,
    RoomData,
    RoomStatus,
    RoomView,
    Scores,
    SetState,
    Submissions,
    Verdict,
    WindowView,
)
from mymozhem.testing import over_both_transports

transport = over_both_transports("mymozhem_tasting")

NOW = datetime(2026, 12, 31, 20, 0, tzinfo=UTC)
MANIFEST = tasting.app_manifest()


class Table:
    """A room in which every answer's state is kept, as the host keeps it."""

    def __init__(self, *bottles: str, locale: str = "en", **settings: object) -> None:
        self.settings = {"samples": [{"bottle": each} for each in bottles], **settings}
        self.locale = locale
        self.public: JsonObject = {}

    def context(self, **more: object) -> Context:
        room = RoomView(
            id="room_1",
            name="The cellar",
            status=RoomStatus.ACTIVE,
            locale=self.locale,
            settings=self.settings,
            state=RoomData(public=self.public),
        )
        app = AppRef(id="tasting", version="1.0.0")
        return Context(
            contract="1.0", call_id="c", app=app, room=room, now=NOW, deadline_ms=5_000, **more
        )

    def do(self, action: str, **payload: object) -> tuple[Effect, ...]:
        jsonschema.validate(payload, MANIFEST["actions"][action]["payload"])
        request = ActionRequest(action=action, payload=payload)
        return self.kept(tasting.handle_action(context=self.context(), request=request))

    def closed(self, sample: int, ratings: Sequence[int]) -> tuple[tuple[Effect, ...], tuple]:
        """Let the host close the sample's window; return the effects, and who got points."""
        request = CloseWindowRequest(
            window=WindowView(
                id=f"sample-{sample}",
                prompt={},
                data={},
                opened_at=NOW,
                closes_at=None,
                points=0,
            ),
            submissions=submissions({sample: ratings}),
            scores=Scores(),
        )
        result = tasting.close_window(context=self.context(), request=request)
        assert result.verdicts is not None
        return self.kept(result), result.verdicts.points

    def rated(self, sample: int, *ratings: int) -> "Table":
        self.do("pour", sample=sample)
        self.closed(sample, ratings)
        return self

    def kept(self, answer: Effects) -> tuple[Effect, ...]:
        """Check effects against the manifest, as the host does, and keep the state."""
        for effect in answer.effects:
            if isinstance(effect, SetState):
                self.public = effect.public or {}
                jsonschema.validate({"public": self.public}, MANIFEST["state"])
            if isinstance(effect, Emit):
                declared = MANIFEST["events"][effect.type]
                jsonschema.validate(effect.payload, declared["payload"])
                assert effect.to == declared["visibility"]
        return answer.effects


def submissions(ratings: Mapping[int, Sequence[int]]) -> Submissions:
    """Return what was submitted to the windows of samples, one taster after the other."""
    rows = [(sample, who, each) for sample in ratings for who, each in enumerate(ratings[sample])]
    return Submissions(
        id=tuple(f"sub_{sample}_{who}" for sample, who, _ in rows),
        window_id=tuple(f"sample-{sample}" for sample, _, _ in rows),
        participant_id=tuple(f"part_{who}" for _, who, _ in rows),
        payload=tuple({"rating": rating} for _, _, rating in rows),
        elapsed_ms=(0,) * len(rows),
        verdict=(Verdict.PENDING,) * len(rows),
        points=(0,) * len(rows),
    )


@pytest.fixture
def table() -> Callable[..., Table]:
    """A room with these bottles; settings by keyword."""
    return Table


@pytest.fixture
def rated() -> Callable[[Mapping[int, Sequence[int]]], Submissions]:
    """The submissions to samples, as the host brings them."""
    return submissions
