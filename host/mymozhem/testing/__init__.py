"""What authors of apps test with: a conformance kit, and a small host of one's own.

One line in a file of tests holds an app to the contract, inside the host and as a web service:

    TestConformance = conformance("mymozhem_bell")

`open_house` gives rooms, guests, actions and a clock to one's own tests.
"""

from .game import Game, play
from .house import House, principal
from .kit import ConformanceWarning, Finding, NotConforming, conformance, report
from .opening import NotLoadable, loaded, open_house
from .serving import WebServer, listening
from .values import values_for

__all__ = [
    "ConformanceWarning",
    "Finding",
    "Game",
    "House",
    "NotConforming",
    "NotLoadable",
    "WebServer",
    "conformance",
    "listening",
    "loaded",
    "open_house",
    "play",
    "principal",
    "report",
    "values_for",
]
