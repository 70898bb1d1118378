"""The referee's table: every code, its class, who has to agree, and what it means.

`docs/reference/referee.md` shows the same table; a test compares the two.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import JsonValue

from .model import Bump, Change, Consenter

PATCH, MINOR, MAJOR = Bump.PATCH, Bump.MINOR, Bump.MAJOR

#: the old value and the new value
Values = tuple[JsonValue, JsonValue]


@dataclass(frozen=True)
class Rule:
    """A kind of change; `known` is False if it is major because its effect is unknown."""

    code: str
    bump: Bump
    meaning: str
    consent: Consenter | None = None
    known: bool = True


RULES: tuple[Rule, ...] = (
    # words and looks
    Rule("TEXT_CHANGED", PATCH, "a text, translation, icon, homepage, example or `x-ui` hint"),
    Rule("SAME_MEANING", PATCH, "written differently, with the same meaning"),
    Rule("CONFIRM_CHANGED", PATCH, "whether people are asked before an action"),
    Rule("ADDRESS_CHANGED", PATCH, "another path on the same host in `baseUrl`"),
    Rule("WEBHOOK_CHANGED", PATCH, "path, deadline or retries of a webhook"),
    Rule("PAGE_CHANGED", PATCH, "a page of the app has another path in its package"),
    # schemas of values in rooms and requests: settings, registration, state, action payloads
    Rule("TYPE_WIDER", MINOR, "more types of values are accepted"),
    Rule("TYPE_NARROWER", MAJOR, "a type of values is not accepted any more"),
    Rule("VALUES_WIDER", MINOR, "`enum` or `const` takes more; in an event: names more"),
    Rule("VALUES_NARROWER", MAJOR, "`enum` or `const` takes less, or there was none"),
    Rule("LIMIT_WIDER", MINOR, "a limit of numbers, lengths or entries is wider"),
    Rule("LIMIT_NARROWER", MAJOR, "a limit of numbers, lengths or entries is narrower"),
    Rule("FIELD_ADDED", MINOR, "a new field, under a name that had to be absent"),
    Rule("FIELD_CLAIMED", MAJOR, "a new field, under a name that accepted other values"),
    Rule("FIELD_REMOVED", MAJOR, "a field was removed; renaming counts as removing"),
    Rule("OTHERS_ACCEPTED", MINOR, "fields that nobody declared are accepted"),
    Rule("OTHERS_REFUSED", MAJOR, "fields that nobody declared are refused"),
    Rule("REQUIRED_DROPPED", MINOR, "a field may be left out"),
    Rule("REQUIRED_WITH_DEFAULT", MINOR, "a setting must be there, and the host fills it in"),
    Rule("REQUIRED_ADDED", MAJOR, "a field must be given that could be left out"),
    Rule("DEFAULT_CHANGED", MINOR, "another default, a new one, or none"),
    Rule("DEFAULT_DROPPED", MAJOR, "a required setting has no default any more"),
    Rule("DEFAULT_INVALID", MAJOR, "the values that the host would fill in are not valid"),
    Rule("LIVE_ADDED", MINOR, "a setting may change while the room runs (`x-live`)"),
    Rule("LIVE_DROPPED", MAJOR, "a setting may not change any more while the room runs"),
    Rule("VISIBILITY_STRICTER", MINOR, "fewer people see a setting or an event"),
    Rule(
        "VISIBILITY_LOOSER",
        MAJOR,
        "more people see a setting or an event",
        consent=Consenter.ORGANIZER,
    ),
    # schemas that readers rely on: payloads of events
    Rule("PROMISE_STRONGER", MINOR, "the payload of an event is narrower"),
    Rule("PROMISE_WEAKER", MAJOR, "the payload of an event may contain what readers do not expect"),
    # the other parts
    Rule("CAPABILITY_ADDED", MINOR, "the app takes over a function of the host"),
    Rule("CAPABILITY_REMOVED", MAJOR, "the app returns a function to the host"),
    Rule(
        "PERMISSION_ADDED",
        MINOR,
        "the app's token may do more",
        consent=Consenter.OPERATOR,
    ),
    Rule("PERMISSION_REMOVED", MINOR, "the app's token may do less"),
    Rule(
        "HOST_CHANGED",
        MINOR,
        "another host in `baseUrl`, a new one, or none any more",
        consent=Consenter.OPERATOR,
    ),
    Rule("ACTION_ADDED", MINOR, "a new action"),
    Rule("ACTION_REMOVED", MAJOR, "an action was removed"),
    Rule("ROLE_ADDED", MINOR, "more roles may call an action"),
    Rule("ROLE_REMOVED", MAJOR, "a role may not call an action any more"),
    Rule("STATUS_ADDED", MINOR, "an action may be called in more statuses of the room"),
    Rule("STATUS_REMOVED", MAJOR, "an action may not be called in a status any more"),
    Rule("BATCH_CHANGED", MINOR, "whether waiting calls of an action are sent together"),
    Rule("EVENT_ADDED", MINOR, "a new type of event"),
    Rule("EVENT_REMOVED", MAJOR, "a type of event was removed"),
    Rule("IMPORT_ADDED", MINOR, "a setting can be imported, or from one more format"),
    Rule("IMPORT_REMOVED", MAJOR, "a setting cannot be imported any more, or not from a format"),
    Rule("PAGE_ADDED", MINOR, "a new page of the app"),
    Rule("PAGE_REMOVED", MAJOR, "a page of the app was removed"),
    Rule("NEEDS_CHANGED", MINOR, "which data the host adds to requests (`needs`)"),
    Rule("TOLD_CHANGED", MINOR, "which changes of the room the app is notified of (`changes`)"),
    Rule("POLICY_CHANGED", MINOR, "the deadline, or what the host does if the app fails"),
    Rule("SERVES_CHANGED", MINOR, "which versions the code can still answer for"),
    Rule("MIGRATIONS_CHANGED", MINOR, "how settings are migrated from version to version"),
    Rule("CONTRACT_RANGE", MINOR, "other versions of the contract, with the same major versions"),
    Rule("CONTRACT_MAJOR", MAJOR, "a major version of the contract was added or removed"),
    Rule("ID_CHANGED", MAJOR, "another app"),
    # the effect is unknown
    Rule("KEYWORD_UNKNOWN", MAJOR, "a change in a keyword that is not compared", known=False),
    Rule(
        "DEFAULT_UNPROVEN",
        MAJOR,
        "other defaults, under a keyword that may refuse the filled-in values",
        known=False,
    ),
    Rule("PART_UNKNOWN", MAJOR, "a change in a part that the referee does not know", known=False),
)

_BY_CODE = {rule.code: rule for rule in RULES}


def change(
    code: str,
    pointer: str,
    message: str,
    values: Values = (None, None),
    *,
    also: Iterable[Consenter] = (),
) -> Change:
    """Return a change of a kind in the table.

    `values` are the old value and the new one; `also` are consents beyond those of its kind.
    """
    rule = _BY_CODE[code]
    consent = rule.consent or next(iter(also), None)
    return Change(pointer, code, rule.bump, rule.known, message, consent, *values)
