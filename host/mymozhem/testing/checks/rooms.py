"""Checks that a room continues if its app breaks, and after it is repaired."""

from collections.abc import Callable, Iterator

from mymozhem.testing.conformance_run import ConformanceRun
from mymozhem.testing.recording_app import Fault
from mymozhem.testing.web_server import WireFault

Look = Callable[[ConformanceRun], Iterator[str]]


def _look(name: str, sentence: str, fault: Fault | WireFault) -> Look:
    def look(trial: ConformanceRun) -> Iterator[str]:
        yield from trial.survival(fault).problems

    look.__name__ = f"room_goes_on_when_{name}"
    look.__doc__ = f"A room goes on as the manifest says when {sentence}."
    return look


CHECKS: tuple[Look, ...] = (
    _look("the_app_raises", "its app raises an error", Fault.RAISES),
    _look("the_app_hangs", "its app does not answer", Fault.HANGS),
    _look("the_app_talks_nonsense", "its app answers nonsense", Fault.TALKS_NONSENSE),
    _look("the_app_crashes", "its app ends itself", Fault.CRASHES),
    _look("the_service_answers_500", "the service answers 500", WireFault.ANSWERS_500),
    _look("the_service_answers_html", "the service answers HTML", WireFault.ANSWERS_HTML),
    _look("the_service_denies_access", "the service answers 403", WireFault.DENIES),
    _look("the_service_redirects", "the service redirects", WireFault.REDIRECTS),
    _look("the_service_cuts_off", "the connection breaks", WireFault.CUTS_OFF),
    _look("the_service_hangs", "the service does not answer", WireFault.HANGS),
    _look(
        "the_service_forgets_the_id",
        "the service answers another question",
        WireFault.FORGETS_THE_ID,
    ),
    _look("the_service_is_down", "nobody listens any more", WireFault.IS_DOWN),
)
