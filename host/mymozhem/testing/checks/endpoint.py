"""Whether the web service takes no message that it should not, and runs no question twice."""

from collections.abc import Callable, Iterator

from mymozhem.testing.conformance_run import ConformanceRun
from mymozhem.testing.protocol_probes import Exchange

UNSIGNED = 401


def _refused(
    trial: ConformanceRun, name: str, statuses: tuple[int, ...], why: str
) -> Iterator[str]:
    """Yield a problem if a message was not refused, or the app was called nevertheless."""
    found = trial.exchanges.by_name[name]
    if found.status not in statuses:
        wanted = " or ".join(str(each) for each in statuses if each)
        yield f"A message {name} was answered with {_status(found)} instead of {wanted}: {why}"
    elif found.runs:
        yield f"A message {name} was refused, but the app was asked first: {why}"


def _status(found: Exchange) -> str:
    return str(found.status) if found.status else "a broken connection"


def unsigned_messages_are_refused(trial: ConformanceRun) -> Iterator[str]:
    """A message without a signature is answered with 401."""
    for name in ("unsigned", "without a time"):
        yield from _refused(trial, name, (UNSIGNED,), "verify webhook-signature.")


def wrong_signatures_are_refused(trial: ConformanceRun) -> Iterator[str]:
    """A message that somebody else signed, or that was changed, is answered with 401."""
    why = "verify the signature over id, timestamp and the bytes of the body."
    for name in ("by a stranger", "changed on the way"):
        yield from _refused(trial, name, (UNSIGNED,), why)


def old_messages_are_refused(trial: ConformanceRun) -> Iterator[str]:
    """A message that is more than five minutes old, or early, is answered with 401."""
    why = "compare webhook-timestamp with the clock, five minutes either way."
    for name in ("old", "of the future"):
        yield from _refused(trial, name, (UNSIGNED,), why)


def clocks_may_be_off(trial: ConformanceRun) -> Iterator[str]:
    """A message that is less than five minutes old, or early, is answered."""
    for name in ("a little old", "a little early"):
        found = trial.exchanges.by_name[name]
        if not _is_good(found):
            yield (
                f"A message {name} was answered with {_status(found)}: clocks may be off by "
                f"five minutes."
            )


def repeated_questions_have_the_same_answer(trial: ConformanceRun) -> Iterator[str]:
    """A question that is asked again under its id gets the same bytes, and the app runs once."""
    pair = trial.exchanges.repeated
    if pair is None:
        return
    first, second = pair
    if not _is_good(first):
        yield f"A question was answered with {_status(first)}: {first.body[:300]!r}"
    elif first.body != second.body:
        yield (
            "A question that was asked twice under one id got two answers; keep the answer under "
            "webhook-id, and give it again."
        )
    elif trial.exchanges.counts and second.runs:
        yield "A question that was asked twice under one id ran the app twice."


def simultaneous_questions_run_once(trial: ConformanceRun) -> Iterator[str]:
    """A question that arrives several times at once runs the app once, with one answer."""
    together = trial.exchanges.together
    if len({(each.status, each.body) for each in together}) > 1:
        yield "One question that arrived several times at once got different answers."
    elif trial.exchanges.counts and together and together[0].runs != 1:
        yield (
            f"One question that arrived {len(together)} times at once ran the app "
            f"{together[0].runs} times; let the others wait for the first."
        )


def known_ids_ask_one_question(trial: ConformanceRun) -> Iterator[str]:
    """Another question under a known id is refused."""
    why = "an id belongs to one question; the answer to another one is a lie."
    yield from _refused(trial, "another under a known id", (409, 400, 422), why)


def unknown_hooks_are_refused(trial: ConformanceRun) -> Iterator[str]:
    """A question for a hook that the app does not have is answered with 404."""
    yield from _refused(trial, "for an unknown hook", (404,), "say that there is no such hook.")


def other_contracts_are_refused(trial: ConformanceRun) -> Iterator[str]:
    """A question in another major version of the contract is answered with 400."""
    yield from _refused(trial, "of another contract", (400,), "look at `contract` in the body.")


def nonsense_is_refused(trial: ConformanceRun) -> Iterator[str]:
    """A signed body that is no question is answered with 400."""
    yield from _refused(trial, "nonsense", (400, 422), "read the body before you use it.")


def large_messages_are_refused(trial: ConformanceRun) -> Iterator[str]:
    """A body of more than 1 MiB is answered with 413, or the connection is closed."""
    yield from _refused(trial, "too large", (413, 0), "stop reading after 1 MiB.")


def other_types_are_refused(trial: ConformanceRun) -> Iterator[str]:
    """A body that is not said to be JSON is answered with 415."""
    yield from _refused(trial, "of another type", (415,), "take application/json alone.")


def service_goes_on(trial: ConformanceRun) -> Iterator[str]:
    """After all of that the next question is answered."""
    for name in ("right", "right again"):
        found = trial.exchanges.by_name[name]
        if not _is_good(found):
            yield f"A message that is {name} got {_status(found)}: {found.body[:300]!r}"


def _is_good(found: Exchange) -> bool:
    return found.status == 200  # noqa: PLR2004  the status of an answer


CHECKS: tuple[Callable[[ConformanceRun], Iterator[str]], ...] = (
    unsigned_messages_are_refused,
    wrong_signatures_are_refused,
    old_messages_are_refused,
    clocks_may_be_off,
    repeated_questions_have_the_same_answer,
    simultaneous_questions_run_once,
    known_ids_ask_one_question,
    unknown_hooks_are_refused,
    other_contracts_are_refused,
    nonsense_is_refused,
    large_messages_are_refused,
    other_types_are_refused,
    service_goes_on,
)
