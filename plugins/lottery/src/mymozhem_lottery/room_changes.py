"""What the lottery does when the room changes: update the timer, notify winners, issue codes."""

from collections.abc import Iterator, Sequence

from mymozhem.contract import (
    Change,
    ChangeKind,
    Context,
    Effect,
    Effects,
    Emit,
    Notify,
    RoomChangeRequest,
    RoomStatus,
    SetParticipants,
    SetState,
    Wins,
    hookimpl,
)

from .claim_codes import Token, new_secret, token_of
from .messages_en import say
from .schedule import follow
from .settings import room_of, settings_of

#: how many people one effect names; more only if one result would have too many effects
CHUNK = 200
MOST_CHUNKS = 60

TOLD = {"selected": "won", "moved": "moved", "revoked": "revoked"}
GIVES_CODES = frozenset({"selected", "moved"})


@hookimpl
def on_room_changed(context: Context, request: RoomChangeRequest) -> Effects:
    """Follow the draw date when the room starts or its settings change, and notify new winners."""
    change = request.change
    match change.kind:
        case ChangeKind.STATUS | ChangeKind.SETTINGS:
            return Effects(effects=_follow_draw_date(context))
        case ChangeKind.WINNER:
            return Effects(effects=tuple(_look_after_winners(context, change)))
        case _:
            return Effects()


def _follow_draw_date(context: Context) -> tuple[Effect, ...]:
    if room_of(context).status is not RoomStatus.ACTIVE:
        return ()
    return follow(context, settings_of(context))


def _look_after_winners(context: Context, change: Change) -> Iterator[Effect]:
    text = TOLD.get(change.what)
    if text is None:
        return
    gives_codes = change.what in GIVES_CODES
    secret, keep = secret_of(context)
    if gives_codes:
        yield from keep
    for people in _chunks(_people(change.wins or Wins())):
        if gives_codes:
            yield from _give_codes([token_of(secret, person) for person in people])
        yield Notify(
            to=tuple(people),
            title=say(context, f"{text}.title"),
            message=say(context, f"{text}.message"),
        )


def secret_of(context: Context) -> tuple[str, tuple[Effect, ...]]:
    """Return the room's secret, and the effects that store it if the room has none yet."""
    private = room_of(context).state.private
    known = private.get("secret")
    if isinstance(known, str):
        return known, ()
    # A host without seeds still gives every call an id that participants never see.
    secret = new_secret(context.seed or context.call_id)
    return secret, (SetState(private=private | {"secret": secret}),)


def _give_codes(tokens: Sequence[Token]) -> Iterator[Effect]:
    people = tuple(token.participant_id for token in tokens)
    yield SetParticipants(
        participant_id=people,
        own=tuple(
            {"code": token.code, "colour": token.colour, "claim": token.claim} for token in tokens
        ),
    )
    yield Emit(
        type="lottery:codes_given",
        payload={
            "participantId": list(people),
            "code": [token.code for token in tokens],
            "colour": [token.colour for token in tokens],
        },
    )


def _people(wins: Wins) -> tuple[str, ...]:
    """Return each winner once, in the order of the wins."""
    return tuple(dict.fromkeys(wins.participant_id))


def _chunks(people: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    size = max(CHUNK, -(-len(people) // MOST_CHUNKS))
    for start in range(0, len(people), size):
        yield people[start : start + size]
