"""Every message that people read, in English; `messages_ru` has the same ones in Russian."""

from mymozhem.contract import Context

from .messages_ru import RUSSIAN

ENGLISH = {
    "DRAW_DATE_PAST": "The draw date is in the past: choose a later one, or none.",
    "SOURCES_MISSING": "RFC 3797 draws from public sources alone: name at least one whose value"
    " comes after the draw.",
    "SOURCE_TOO_EARLY": "The value of {name} is known before the draw: choose a later due time.",
    "FORMAT_MISSING": "Say how the value of {name} is written: how many numbers, and from which to"
    " which, or how many bytes in hex. So nobody can choose among spellings.",
    "SOURCE_TWICE": "{name} is named twice.",
    "REGISTERED_ONLY": "This lottery is for people with an account: log in and join again.",
    "TICKETS_GONE": "All tickets of this lottery are given.",
    "PRIZE_UNKNOWN": "There is no prize {prize} in this room.",
    "PRIZE_TWICE": "Prize {prize} is listed twice.",
    "PRIZE_SHORT": "Of {prize} only {left} are left.",
    "NO_PRIZES_LEFT": "No prize is left to draw.",
    "WINNER_UNKNOWN": "There is no such winner in this room.",
    "WINNER_FULFILLED": "This prize was handed out already.",
    "WINNER_REVOKED": "This win was taken back already: draw its prize again.",
    "WINNER_REPLACED": "Somebody moved up for this win already.",
    "NO_RESERVES": "The draw of this win named nobody in reserve, or is not revealed as a whole.",
    "RESERVES_USED_UP": "Nobody is left in reserve: draw the prize again.",
    "CODE_UNKNOWN": "No winner has this code.",
    "CODE_SHARED": "Several winners have this code: scan the phone instead.",
    "NOTHING_TO_HAND_OVER": "This person has no prize left to collect.",
    "won.title": "You have won!",
    "won.message": "Show the code and colour on your screen to collect your prize.",
    "moved.title": "Your prize has changed",
    "moved.message": "The organizer gave you another prize. Your code stays the same.",
    "revoked.title": "Your prize goes to somebody else",
    "revoked.message": "The organizer took the win back. Ask them if you think this is wrong.",
    "rule.equal": "Everybody has one ticket.",
    "rule.metadata": "Tickets as the organizer gave them, from the field “{field}”: one if nothing"
    " is written there, {maximum} at most.",
    "rule.earlierPoints": "One ticket for every {per} points of the earlier room: one at least,"
    " {maximum} at most.",
    "rule.registered": "People with an account only.",
    "rule.present": "Only people seen within {seconds} s before the draw.",
    "rule.once": "Nobody wins twice.",
    "rule.perPrize": "Everybody may win each prize once.",
    "rule.reserves": "Next in line, in order: {count}.",
    "rule.reservesEach": "Next in line for each prize, in order: {count}.",
    "rule.left_out": "Left out: {count}.",
}


def say(context: Context, key: str, /, **values: object) -> str:
    """Return a message in the language of the room, or in English if it is not translated."""
    russian = context.room is not None and context.room.locale.lower().startswith("ru")
    return (RUSSIAN if russian else ENGLISH)[key].format(**values)
