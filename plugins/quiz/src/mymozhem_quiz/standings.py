"""Who has which rank, and who gets which prize."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, islice, repeat

from mymozhem.contract import Context, Prize, Winner, WinnerStatus

from .game_state import Game, Place
from .teams import active

#: how many places the state keeps
MOST_KEPT = 10

Key = tuple[int, ...]


@dataclass(frozen=True)
class Awarded:
    """A unit of a prize that is given for a rank."""

    place: Place
    prize_id: str


@dataclass(frozen=True)
class Tie:
    """Participants who share a rank, and the units of prizes that they cannot all get."""

    rank: int
    points: int
    people: tuple[str, ...]
    units: tuple[str, ...]


@dataclass(frozen=True)
class Prizes:
    """The outcome for the prizes: clear wins, and ties that are still to be broken."""

    awards: tuple[Awarded, ...]
    ties: tuple[Tie, ...]


def ranker(game: Game) -> Callable[[str, int], Key]:
    """Return the sort key of places: points, then who was right first in rounds that broke ties."""
    breaks = [
        {person: index for index, person in enumerate(played.ranked)}
        for played in game.private.rounds
        if played.tie and played.stands
    ]
    return lambda person, points: (-points, *(one.get(person, len(one)) for one in breaks))


def standings(game: Game, points: Sequence[tuple[str, int]]) -> list[Place]:
    """Return everybody's place, the best first; participants with equal results share a rank."""
    key = ranker(game)
    ordered = sorted(points, key=lambda one: (key(*one), one[0]))
    places: list[Place] = []
    for _, group in groupby(ordered, key=lambda one: key(*one)):
        rank = len(places) + 1
        places += [Place(rank=rank, participant_id=one, points=score) for one, score in group]
    return places


def final(context: Context, game: Game, gained: Mapping[str, int]) -> list[Place]:
    """Return the standings by current points plus the points that were just gained."""
    people = active(context.participants)
    return standings(game, [(one.id, one.points + gained.get(one.id, 0)) for one in people])


def best(places: Sequence[Place]) -> tuple[Place, ...]:
    """Return the places that the state keeps."""
    return tuple(place for place in places if place.points)[:MOST_KEPT]


def share_out(
    places: Sequence[Place], prizes: Sequence[Prize], winners: Sequence[Winner]
) -> Prizes:
    """Give the prizes to the ranks, best first, in the order in which the room lists the prizes.

    Nobody wins without points, and nobody wins a prize twice. Participants who share a rank get
    units if there is one for each of them, and all are of one prize; otherwise it is a tie.
    """
    best = [place for place in places if place.points > 0]
    units = _units(prizes, len(best))
    held = {(one.participant_id, one.prize_id) for one in winners if _stands(one)}
    awards: list[Awarded] = []
    ties: list[Tie] = []
    for rank, group in groupby(best, key=lambda place: place.rank):
        people = list(group)
        prize_ids = tuple(islice(units, len(people)))
        if len(prize_ids) == len(people) and len(set(prize_ids)) == 1:
            each = map(Awarded, people, prize_ids)
            awards += [one for one in each if _pair(one) not in held]
        elif prize_ids:
            names = tuple(one.participant_id for one in people)
            ties.append(Tie(rank, people[0].points, names, prize_ids))
    return Prizes(tuple(awards), tuple(ties))


def _units(prizes: Sequence[Prize], most: int) -> Iterator[str]:
    """Yield the units that are left, one by one, but never more than there are people."""
    return chain.from_iterable(
        repeat(prize.id, min(prize.quantity_remaining, most)) for prize in prizes
    )


def _stands(winner: Winner) -> bool:
    return winner.status is not WinnerStatus.REVOKED


def _pair(award: Awarded) -> tuple[str, str]:
    return award.place.participant_id, award.prize_id
