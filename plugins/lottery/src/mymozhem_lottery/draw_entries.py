"""Who takes part in a draw, with how many tickets, and with which algorithm."""

from collections.abc import Iterator

from mymozhem.contract import (
    Context,
    EntryRule,
    JsonObject,
    PreparedDraw,
    PrepareDrawRequest,
    PublicSource,
    Refuse,
    TicketRule,
    WinnerStatus,
    hookimpl,
)

from .messages_en import say
from .settings import Settings, settings_of

#: the key of the note in the data of a requested draw
ONLY_PRESENT = "onlyPresent"

REGISTERED: JsonObject = {
    "properties": {"kind": {"const": "registered"}},
    "required": ["kind"],
}


@hookimpl
def prepare_draw(context: Context, request: PrepareDrawRequest) -> PreparedDraw:
    """Return a rule instead of a list of entries, so that the size of a room does not matter.

    A room has at most one draw in progress, so all earlier winners are known here. Raise Refuse for
    `rfc3797` without a public source whose value is still unknown.
    """
    settings = settings_of(context).of_one_draw(only_present=_only_present(request))
    reserves = request.reserves or settings.reserves
    left_out = tuple(sorted(_left_out(context, request, settings)))
    return PreparedDraw(
        entries=_entries(context, settings, left_out),
        algorithm="rfc3797" if settings.selection_method == "rfc3797" else "vrs-1",
        each="perPrize" if settings.allow_multiple_wins else "once",
        rule=" ".join(_rule(context, settings, left_out=len(left_out), reserves=reserves)),
        public_sources=_sources(context, request, settings),
        reserves=reserves,
    )


def _only_present(request: PrepareDrawRequest) -> bool | None:
    """Return what was noted when the draw was requested, or None if nothing was noted."""
    noted = request.data.get(ONLY_PRESENT)
    return noted if isinstance(noted, bool) else None


def _entries(context: Context, settings: Settings, left_out: tuple[str, ...]) -> EntryRule:
    return EntryRule(
        where=REGISTERED if settings.eligibility == "registered" else True,
        leave_out=left_out,
        seen_since=settings.seen_since(context.now),
        tickets=settings.tickets(),
    )


def _sources(
    context: Context, request: PrepareDrawRequest, settings: Settings
) -> tuple[PublicSource, ...]:
    """Return the sources of this draw, or else those of the room whose values are still unknown."""
    sources = request.public_sources or tuple(
        source.named() for source in settings.sources_after(context.now)
    )
    if settings.selection_method == "rfc3797" and not sources:
        raise Refuse("SOURCES_MISSING", say(context, "SOURCES_MISSING"))
    return sources


def _left_out(context: Context, request: PrepareDrawRequest, settings: Settings) -> set[str]:
    found = set(_listed(request, settings)) | set(_drawn_before(context, request))
    if settings.leaves_winners_out:
        found |= _holders(context)
    return found


def _listed(request: PrepareDrawRequest, settings: Settings) -> Iterator[str]:
    """Yield the candidates that the organizer listed, by participant id or person id."""
    listed = frozenset(settings.excluded_people)
    if not listed:
        return
    people = request.candidates
    for participant, person in zip(people.id, people.person_id, strict=True):
        if participant in listed or person in listed:
            yield participant


def _holders(context: Context) -> set[str]:
    return {
        winner.participant_id
        for winner in context.winners or ()
        if winner.status is not WinnerStatus.REVOKED
    }


def _drawn_before(context: Context, request: PrepareDrawRequest) -> Iterator[str]:
    """Yield participants who were drawn for one of these prizes and did not get it.

    They are never picked for it again.
    """
    if request.replaces is not None:
        yield request.replaces.participant_id
    prizes = {prize.prize_id for prize in request.prizes}
    for winner in context.winners or ():
        if winner.status is WinnerStatus.REVOKED and winner.prize_id in prizes:
            yield winner.participant_id


def _rule(context: Context, settings: Settings, *, left_out: int, reserves: int) -> Iterator[str]:
    yield _ticket_sentence(context, settings)
    if settings.eligibility == "registered":
        yield say(context, "rule.registered")
    if settings.presence.who == "present":
        yield say(context, "rule.present", seconds=settings.presence.within_seconds)
    several = settings.allow_multiple_wins
    yield say(context, "rule.perPrize" if several else "rule.once")
    if reserves:
        yield say(context, "rule.reservesEach" if several else "rule.reserves", count=reserves)
    if left_out:
        yield say(context, "rule.left_out", count=left_out)


def _ticket_sentence(context: Context, settings: Settings) -> str:
    tickets = settings.tickets()
    if not isinstance(tickets, TicketRule):
        return say(context, "rule.equal")
    return say(
        context,
        f"rule.{tickets.of}",
        field=tickets.field,
        per=tickets.per,
        maximum=tickets.maximum,
    )
