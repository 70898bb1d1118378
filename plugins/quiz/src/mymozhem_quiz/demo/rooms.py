"""Sample rooms: one that waits for its start, one played, one draft, one cancelled."""

import json
from pathlib import Path

from pydantic import JsonValue, TypeAdapter

from mymozhem.contract import JsonObject, RoomStatus
from mymozhem.contract.demo import SampleAction, SamplePrize, SampleRoom

from .people import names

_FILE = Path(__file__).with_name("questions.json")
#: questions of all types, in the form of the settings
QUESTIONS = TypeAdapter(list[JsonObject]).validate_python(json.loads(_FILE.read_bytes()))

#: the rounds of the next evening
MATTER = ("boiling", "noble-gases", "gold", "primes", "eiffel", "inventions")
SKY_AND_EARTH = ("moons", "red-planet", "planets", "light", "whales", "penicillin")

#: last week's answers by question; None if a participant did not answer
LAST_WEEK: dict[str, tuple[JsonValue, ...]] = {
    "moons": ("b", "b", "a", "b", None, "c", "b", "d"),
    "whales": ("true", "true", "true", None, "false", "true", "true", "true"),
    "eiffel": (1900, 1889, 1850, 1875, 1920, None, 1887, 1901),
    "noble-gases": (
        ["a", "c", "e"],
        ["a", "c", "e"],
        ["a"],
        ["c", "e"],
        ["b"],
        None,
        ["a", "e"],
        None,
    ),
    "red-planet": ("Mars", " mars ", "Jupiter", "Venus", None, "MARS", "Mars", "Mercury"),
}


ASKED = tuple(LAST_WEEK)


def _played() -> tuple[SampleAction, ...]:
    """Return the actions of an evening: ask, answer and close each question, then end the quiz."""
    steps: list[SampleAction] = []
    for number, answers in enumerate(LAST_WEEK.values()):
        given: tuple[JsonValue, ...] = tuple(
            None if one is None else {"answer": one} for one in answers
        )
        steps.append(SampleAction(action="next" if number else "start", answers=given))
        steps.append(SampleAction(action="close"))
    return (*steps, SampleAction(action="end"))


def _rounds(**titled: tuple[str, ...]) -> list[JsonValue]:
    """Return rounds by their titles, each with these questions in order."""
    known = {str(question["id"]): question for question in QUESTIONS}
    return [
        {
            "id": f"r{number}",
            "title": title.replace("_", " "),
            "questions": [known[one] for one in ids],
        }
        for number, (title, ids) in enumerate(titled.items(), start=1)
    ]


SAMPLES = (
    SampleRoom(
        name="Science night at the Lighthouse",
        description="Two rounds with questions of all kinds; faster is more. Join with the code.",
        settings={
            "rounds": _rounds(Matter=MATTER, Sky_and_earth=SKY_AND_EARTH),
            "pauseBetweenRounds": True,
            "mode": "speed",
            "streakBonus": 50,
        },
        prizes=(SamplePrize(name="Telescope"), SamplePrize(name="Star chart", quantity=2)),
        people=names(18),
    ),
    SampleRoom(
        name="Science night of last week",
        description="Played to its end; the winner has taken the cake home.",
        settings={
            "rounds": _rounds(Warming_up=ASKED[:2], Science=ASKED[2:]),
            "mode": "plain",
            "minElapsedMs": 0,
        },
        status=RoomStatus.COMPLETED,
        prizes=(SamplePrize(name="Chocolate cake"),),
        people=names(8),
        actions=_played(),
        handed_over=1,
    ),
    SampleRoom(
        name="Holiday riddles",
        description="A week for everybody at their own pace, once the last questions are written.",
        settings={"rounds": _rounds(Riddles=("planets", "inventions", "gold")), "pace": "self"},
        status=RoomStatus.DRAFT,
        is_public=False,
    ),
    SampleRoom(
        name="Quiz on the night train",
        description="Called off: there was no train.",
        settings={"rounds": _rounds(On_the_way=("light", "boiling")), "mode": "first"},
        status=RoomStatus.CANCELLED,
        is_public=False,
    ),
)
