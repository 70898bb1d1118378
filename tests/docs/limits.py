"""The limits that the pages of hooks and effects name, taken from the constants that hold them."""

from collections.abc import Mapping
from datetime import timedelta

from mymozhem.api.routes import BODY_BYTES
from mymozhem.config import Settings
from mymozhem.contract.canonical_json import MAX_INTEGER
from mymozhem.contract.codec import MAX_ANSWER_BYTES
from mymozhem.contract.effects import MAX_EFFECTS, MAX_ITEMS, MAX_NOTE_BYTES
from mymozhem.contract.envelopes import MAX_BODY_BYTES
from mymozhem.contract.fair import CHAIN_LENGTH
from mymozhem.contract.fair.model import MAX_RESERVES
from mymozhem.contract.fair.selection import (
    MAX_ENTRIES,
    MAX_RESERVES_IN_ALL,
    MAX_TICKETS,
    MAX_TICKETS_PER_PRIZE,
)
from mymozhem.deliveries import results
from mymozhem.dispatch.breakers.breaker import BreakerPolicy
from mymozhem.dispatch.dispatcher import CALLS_AT_ONCE
from mymozhem.dispatch.transports.inprocess import MAX_UNFINISHED
from mymozhem.monitoring.loop import CHECK_EVERY
from mymozhem.rooms import app_state, scores
from mymozhem.rooms.app_calls import backoff
from mymozhem.rooms.app_settings import import_values, update
from mymozhem.rooms.coordination import action_batches
from mymozhem.rooms.core.transaction import MAX_DEPTH
from mymozhem.rooms.prizes import winners
from mymozhem.rooms.timers import SAME_CHAIN
from mymozhem.rooms.windows import judge, submission_batch, submission_lookup
from mymozhem.rooms.windows import open as opening
from mymozhem.rooms.windows.timing import LONGEST, REVEALED_AFTER
from tests.docs.contract_shapes import schemas

Limit = tuple[str, str]


def _bytes(number: int) -> str:
    return f"{number // 1024:,} KiB" if number < 1024 * 1024 else f"{number // (1024 * 1024)} MiB"


def _span(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        if seconds % size == 0:
            number = seconds // size
            return f"{number:,} {unit}{'s' * (number != 1)}"
    raise ValueError(span)


def _milliseconds(span: timedelta) -> str:
    return f"{span // timedelta(milliseconds=1)} ms"


def _setting(name: str) -> int:
    return int(Settings.model_fields[name].default)


def _most(model: str, field: str, bound: str) -> int:
    """Return a bound of a field, which may stand in one of several alternatives."""
    schema = schemas()[model]["properties"][field]
    alternatives = [schema, *schema.get("anyOf", ())]
    return int(next(each[bound] for each in alternatives if bound in each))


_SPAN = (
    "A span in milliseconds",
    _span(timedelta(milliseconds=_most("Schedule", "afterMs", "maximum"))),
)
_CHAIN = (
    f"Hooks that cause one another (changes, draws; windows within {_milliseconds(SAME_CHAIN)})",
    f"{MAX_DEPTH}",
)
_BUDGET = (
    "All hooks that one request of a person causes",
    f"{_setting('action_budget_ms') / 1000:g} s together",
)
_SOON = ", ".join(f"{wait:g}" for wait in backoff.SOON)
_PARKED = backoff.PARKED
_RETRIES = (
    "Retries with `queue`",
    f"after {_SOON} s, then {_PARKED.first:g} s, doubling up to {_PARKED.longest:g} s",
)
_EFFECTS = ("Effects in one result", f"{MAX_EFFECTS}")
_SETTINGS = ("Settings of a room, as JSON", _bytes(update.MAX_SETTINGS_BYTES))
_STATE = ("The three parts of the state together, as JSON", _bytes(app_state.MAX_STATE_BYTES))
_PERSON = (
    "`own` and `private` of one participant, each, as JSON",
    _bytes(app_state.MAX_PERSON_BYTES),
)
_PART = ("`prompt`, `data` and `rules`, each, as JSON", _bytes(opening.MAX_PART_BYTES))
_NOTE = ("`data` of a draw, as JSON", _bytes(MAX_NOTE_BYTES))
_PRIZE = ("`metadata` of the prize, as JSON", _bytes(MAX_NOTE_BYTES))
_DRAWS = ("Draws of one room that are committed", f"{CHAIN_LENGTH - 1:,}")
_DELIVERY: tuple[Limit, ...] = (
    ("Attempts, unless the operator or the manifest says otherwise",
     f"{_setting('delivery_attempts')}"),
    ("First wait after a failed attempt", f"{_setting('delivery_wait_seconds')} s"),
    ("Wait while the app is paused or stopped", _span(results.PARKED)),
    ("Time for a callback after an answer 202", _span(results.CALLBACK)),
)  # fmt: skip

COMMON: tuple[Limit, ...] = (
    ("An answer, as JSON", _bytes(MAX_ANSWER_BYTES)),
    ("A request to a remote app; longer lists are fetched", _bytes(MAX_BODY_BYTES)),
    ("An integer in an answer", f"±{MAX_INTEGER:,} (2⁵³-1)"),
    ("A float in an answer", "finite: NaN and the infinities are refused"),
    _EFFECTS,
    ("Deadline of a call that a manifest may ask for", "0.1 to 30 s"),
    _BUDGET,
    ("Calls of one app that run at the same time in a process", f"{CALLS_AT_ONCE}"),
    ("Plain functions of one app that run or hang in a process", f"{MAX_UNFINISHED}"),
    _CHAIN,
    _RETRIES,
    ("Failures in a row after which the breaker opens", f"{BreakerPolicy.failures}"),
    ("Time for which an open breaker lets no call through", f"{BreakerPolicy.open_s:g} s"),
    _SETTINGS,
    _STATE,
    _PERSON,
)

#: hook → what its page says is the limit
HOOK_LIMITS: Mapping[str, tuple[Limit, ...]] = {
    "validate_settings": (_BUDGET, _SETTINGS),
    "import_settings": (
        ("The text", _bytes(import_values.MAX_TEXT_BYTES)),
        _SETTINGS,
    ),
    "migrate_settings": (_SETTINGS, _STATE),
    "register_participant": (
        _BUDGET,
        ("Request of a person who joins, with the answers", _bytes(BODY_BYTES)),
        _PERSON,
    ),
    "prepare_draw": (
        ("Entries of a draw", f"{MAX_ENTRIES:,}"),
        ("Tickets of a draw", f"{MAX_TICKETS:,}"),
        ("Tickets times prizes, with `perPrize`", f"{MAX_TICKETS_PER_PRIZE:,}"),
        ("People in reserve, for a draw or for each prize", f"{MAX_RESERVES:,}"),
        ("People in reserve in all", f"{MAX_RESERVES_IN_ALL:,}"),
        _NOTE,
        _DRAWS,
    ),
    "select_winners": (
        ("Entries of a draw", f"{MAX_ENTRIES:,}"),
        ("Tickets of a draw", f"{MAX_TICKETS:,}"),
        _RETRIES,
    ),
    "judge_submission": (
        ("Submissions that an app judges at the same time", f"{judge.AT_ONCE}"),
        ("A submission, as JSON", _bytes(submission_lookup.MAX_PAYLOAD_BYTES)),
    ),
    "handle_action": (
        _BUDGET,
        _EFFECTS,
        ("Calls in one batch", f"{action_batches.MAX_CALLS}"),
        ("Request of the caller, with the payload", _bytes(BODY_BYTES)),
    ),
    "close_window": (
        _EFFECTS,
        _RETRIES,
        ("Time until held-back results are revealed automatically", _span(REVEALED_AFTER)),
        _CHAIN,
    ),
    "on_timer": (_EFFECTS, _RETRIES, _CHAIN, ("Timers of one room", "no limit of their own")),
    "on_room_changed": (
        _EFFECTS,
        _RETRIES,
        _CHAIN,
        ("Wins in one change", f"{winners.WINS_AT_ONCE:,}"),
    ),
    "deliver_notification": _DELIVERY,
    "on_event": _DELIVERY,
    "check_health": (("Time between two checks", _span(CHECK_EVERY)),),
}

#: effect → what its page says is the limit
EFFECT_LIMITS: Mapping[str, tuple[Limit, ...]] = {
    "emit": (("`type`", f"{_most('Emit', 'type', 'maxLength')} characters"), _EFFECTS),
    "setState": (_STATE,),
    "setParticipants": (_PERSON,),
    "setSettings": (_SETTINGS,),
    "openWindow": (
        ("Open and paused windows of a room", f"{opening.MAX_OPEN}"),
        ("Windows of a room in all", f"{opening.MAX_WINDOWS:,}"),
        _PART,
        ("`accepts`, as JSON", _bytes(opening.MAX_ACCEPTS_BYTES)),
        ("A submission, as JSON", _bytes(submission_lookup.MAX_PAYLOAD_BYTES)),
        ("Submissions of one participant, with `many`", f"{submission_batch.MAX_MANY:,}"),
        _SPAN,
        _CHAIN,
    ),
    "changeWindow": (("How far away the end may be", _span(LONGEST)), _CHAIN),
    "closeWindow": (_CHAIN,),
    "revealWindow": (
        ("Time until held-back results are revealed automatically", _span(REVEALED_AFTER)),
    ),
    "share": (("`fields`", f"{_most('Share', 'fields', 'maxItems')}"),),
    "rejudge": (("`rules`, as JSON", _bytes(opening.MAX_PART_BYTES)),),
    "adjust": (
        ("Points of one adjustment, and the sum of one participant",
         f"-{scores.MOST:,} to {scores.MOST:,}"),
    ),
    "award": (("Wins of one prize for one participant that stand", "1"),),
    "addPrize": (
        ("Units", f"{_most('AddPrize', 'quantity', 'maximum'):,}"),
        ("`name`", f"{_most('AddPrize', 'name', 'maxLength')} characters"),
        _PRIZE,
        _EFFECTS,
    ),
    "fulfill": (_EFFECTS,),
    "revoke": (("`reason`", f"{_most('Revoke', 'reason', 'maxLength')} characters"),),
    "schedule": (
        _SPAN,
        ("`at`", "any moment"),
        ("Timers of one room", "no limit of their own"),
        _CHAIN,
    ),
    "cancel": (_EFFECTS,),
    "draw": (
        _NOTE,
        ("People in reserve, for a draw or for each prize", f"{MAX_RESERVES:,}"),
        ("Units of one prize", f"{_most('PrizeCount', 'count', 'maximum'):,}"),
        _DRAWS,
    ),
    "drawItems": (("Items of one draw", f"{MAX_ITEMS:,}"), _DRAWS, _CHAIN),
    "runDraw": (_EFFECTS,),
    "reveal": (_EFFECTS,),
    "notify": (
        ("`title`", f"{_most('Notify', 'title', 'maxLength')} characters"),
        ("`message`", f"{_most('Notify', 'message', 'maxLength'):,} characters"),
    ),
    "reply": (("The whole answer, as JSON", _bytes(MAX_ANSWER_BYTES)),),
}  # fmt: skip


def limits_table(limits: tuple[Limit, ...]) -> str:
    """Return limits as a table."""
    lines = ["| what | limit |", "| --- | --- |"]
    return "\n".join([*lines, *(f"| {what} | {limit} |" for what, limit in limits)])
