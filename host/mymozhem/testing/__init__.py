"""What authors of apps test with: a conformance kit, and a small host of one's own.

One line in a file of tests holds an app to the contract, inside the host and as a web service:

    TestConformance = conformance("mymozhem_bell")

and another proves that rooms of its older versions can be carried to this one:

    TestMigrations = migrations("mymozhem_bell", since=["releases/bell-1.0.0.whl"])

`open_host` gives rooms, guests, actions and a clock to one's own tests. The names below are
imported when they are first used: a program that only wants a `report` needs no pytest.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .both_transports import over_both_transports
    from .conformance_kit import ConformanceWarning, Finding, NotConforming, conformance, report
    from .harness import HostHarness, principal
    from .harness_setup import NotLoadable, loaded, open_host
    from .migration_kit import migration_report, migrations
    from .older_manifest import NotOlder
    from .schema_values import values_for
    from .simulation import Simulation, simulate
    from .web_server import WebServer, listening

__all__ = [
    "ConformanceWarning",
    "Finding",
    "HostHarness",
    "NotConforming",
    "NotLoadable",
    "NotOlder",
    "Simulation",
    "WebServer",
    "conformance",
    "listening",
    "loaded",
    "migration_report",
    "migrations",
    "open_host",
    "over_both_transports",
    "principal",
    "report",
    "simulate",
    "values_for",
]

_HOMES = {
    "simulation": ("Simulation", "simulate"),
    "harness": ("HostHarness", "principal"),
    "conformance_kit": ("ConformanceWarning", "Finding", "NotConforming", "conformance", "report"),
    "migration_kit": ("migration_report", "migrations"),
    "older_manifest": ("NotOlder",),
    "harness_setup": ("NotLoadable", "loaded", "open_host"),
    "web_server": ("WebServer", "listening"),
    "both_transports": ("over_both_transports",),
    "schema_values": ("values_for",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = importlib.import_module(f".{_HOME_OF[name]}", __name__)
    except ModuleNotFoundError as error:
        if error.name != "pytest":
            raise
        message = f"{name} needs pytest: pip install 'mymozhem[testing]'"
        raise ModuleNotFoundError(message, name="pytest") from error
    return getattr(module, name)
