"""The progress of the tasting: the public state as typed values, and what follows from it."""

from collections.abc import Sequence
from statistics import fmean, median, pstdev
from typing import Self

from mymozhem.contract import Context, JsonObject, SetState
from mymozhem.contract.wire import Wire

from .settings import room_of


class Result(Wire):
    """The result of a sample: no numbers if no rating counts, no bottle before its reveal."""

    sample: int
    count: int = 0
    mean: float | None = None
    median: float | None = None
    spread: float | None = None
    void: bool = False
    bottle: str | None = None

    @classmethod
    def of(cls, sample: int, ratings: Sequence[int]) -> Self:
        """Return the result of some ratings; the spread is their standard deviation."""
        if not ratings:
            return cls(sample=sample)
        return cls(
            sample=sample,
            count=len(ratings),
            mean=round(fmean(ratings), 1),
            median=round(median(ratings), 1),
            spread=round(pstdev(ratings), 1),
        )

    def as_payload(self) -> JsonObject:
        """Return the result as events and the state show it."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Evening(Wire):
    """The public state; everybody sees all of it, so it has a bottle only after its reveal.

    `open` is the sample that people rate now; `results` are those of closed samples, by number.
    """

    open: int | None = None
    results: dict[int, Result] = {}
    finished: bool = False

    def updated(self, *results: Result, **changes: int | None) -> Self:
        """Return the evening with these results added; they replace those of the same samples."""
        known = self.results | {each.sample: each for each in results}
        return self.model_copy(update={"results": known, **changes})

    def without(self, sample: int) -> Self:
        """Return the evening in which a sample does not count; its bottle may be known."""
        known = self.results.get(sample)
        nothing = Result(sample=sample, void=True, bottle=known.bottle if known else None)
        return self.updated(nothing, open=None if self.open == sample else self.open)

    def ranking(self) -> JsonObject:
        """Return the revealed bottles that have a mean, best first; equal means share a rank."""
        rated = [(r.mean, r) for r in self.results.values() if r.bottle and r.mean is not None]
        rated.sort(key=lambda pair: -pair[0])
        means = [mean for mean, _ in rated]
        places = ((1 + means.index(mean), mean, result) for mean, result in rated)
        return {
            "ranking": [
                {"rank": rank, "mean": mean, "sample": result.sample, "bottle": result.bottle}
                for rank, mean, result in places
            ]
        }

    def as_effect(self) -> SetState:
        """Return the effect that stores this as the room's public state."""
        public = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return SetState(public=public | self.ranking())


def evening_of(context: Context) -> Evening:
    """Return the progress of the tasting."""
    return Evening.model_validate(room_of(context).state.public)
