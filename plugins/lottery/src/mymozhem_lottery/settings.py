"""The room's settings as typed values, and what follows from the settings alone."""

from datetime import datetime, timedelta
from typing import Literal

from mymozhem.contract import (
    Context,
    HexFormat,
    NumbersFormat,
    PublicSource,
    RoomView,
    TicketRule,
)
from mymozhem.contract.wire import Moment, Wire


class SourceFormat(Wire):
    """How the value of a source is written, as the form has it: what does not apply is None."""

    kind: Literal["numbers", "hex"]
    count: int | None = None
    min: int | None = None
    max: int | None = None
    ordered: bool = False
    bytes: int | None = None

    def fixed(self) -> NumbersFormat | HexFormat:
        """Return the format that the rule of a draw uses; ValueError if something is missing."""
        if self.kind == "hex":
            return HexFormat.model_validate({"bytes": self.bytes})
        return NumbersFormat.model_validate(
            {"count": self.count, "min": self.min, "max": self.max, "ordered": self.ordered}
        )


class Source(Wire):
    """A public source of randomness, when its value is due, and how it is written."""

    name: str
    due: Moment
    format: SourceFormat | None = None

    def named(self) -> PublicSource:
        """Return the source in the form that the rule of a draw uses."""
        form = self.format.fixed() if self.format is not None and self.is_fixed else None
        return PublicSource(name=self.name, due=self.due, format=form)

    @property
    def is_fixed(self) -> bool:
        """Whether the value has one form, because its format is complete."""
        try:
            return self.format is not None and bool(self.format.fixed())
        except ValueError:
            return False


class Presence(Wire):
    """Whether only people who are present can win, and how long ago they may have been seen."""

    who: Literal["everyone", "present"] = "everyone"
    within_seconds: int = 120


class Settings(Wire):
    """What the organizer chose; the manifest says what each field means."""

    ticket_count: int = 10_000
    draw_date: Moment | None = None
    theme: str = "generic"
    allow_multiple_wins: bool = False
    exclude_earlier_winners: bool = False
    excluded_people: tuple[str, ...] = ()
    eligibility: Literal["everyone", "registered"] = "everyone"
    presence: Presence = Presence()
    reserves: int = 0
    ticket_source: Literal["equal", "metadata", "earlierPoints"] = "metadata"
    ticket_field: str = "tickets"
    points_per_ticket: int = 100
    maximum_tickets: int = 10_000
    selection_method: Literal["vrs", "rfc3797"] = "vrs"
    public_sources: tuple[Source, ...] = ()
    reveal: Literal["now", "manual"] = "now"

    @property
    def leaves_winners_out(self) -> bool:
        """Whether participants who hold a prize of the room are excluded from its next draw."""
        return self.exclude_earlier_winners or not self.allow_multiple_wins

    def tickets(self) -> int | TicketRule:
        """Return how many tickets each participant has, or the rule for the host to find it."""
        match self.ticket_source:
            case "equal":
                return 1
            case "metadata":
                return TicketRule(field=self.ticket_field, maximum=self.maximum_tickets)
            case "earlierPoints":
                return TicketRule(
                    of="earlierPoints",
                    per=self.points_per_ticket,
                    minimum=1,
                    maximum=self.maximum_tickets,
                )

    def of_one_draw(self, *, only_present: bool | None) -> "Settings":
        """Return the settings for one draw, which may override whether winners must be present."""
        if only_present is None:
            return self
        who = "present" if only_present else "everyone"
        return self.model_copy(update={"presence": self.presence.model_copy(update={"who": who})})

    def seen_since(self, now: datetime) -> datetime | None:
        """Return since when participants must have been seen, or None if it is not required."""
        if self.presence.who == "everyone":
            return None
        return now - timedelta(seconds=self.presence.within_seconds)

    def draws_at(self, now: datetime) -> datetime | None:
        """Return the date of the scheduled draw, or None if there is none in the future."""
        return self.draw_date if self.draw_date is not None and self.draw_date > now else None

    def sources_after(self, moment: datetime) -> tuple[Source, ...]:
        """Return the sources whose values are still unknown at that moment."""
        return tuple(source for source in self.public_sources if source.due > moment)


def room_of(context: Context) -> RoomView:
    """Return the room of a call that always concerns a room."""
    if context.room is None:
        raise ValueError("this hook is asked about a room, and the request carries none")
    return context.room


def settings_of(context: Context) -> Settings:
    """Return the settings of the room that a call concerns."""
    return Settings.model_validate(room_of(context).settings)
