"""Who gets a ticket by joining."""

from mymozhem.contract import (
    Context,
    PersonKind,
    RegistrationRequest,
    RegistrationResult,
    Role,
    hookimpl,
)

from .messages_en import say
from .settings import settings_of


@hookimpl
def register_participant(context: Context, request: RegistrationRequest) -> RegistrationResult:
    """Give an eligible applicant a ticket, as long as there are tickets.

    The metadata stays as organizers wrote it: applicants write the answers themselves, so a ticket
    count in an answer must have no effect.
    """
    applicant, settings = request.applicant, settings_of(context)
    kept = dict(applicant.metadata)
    if applicant.role is not Role.PARTICIPANT:
        return RegistrationResult(metadata=kept)
    if settings.eligibility == "registered" and applicant.kind is not PersonKind.REGISTERED:
        reason = say(context, "REGISTERED_ONLY")
        return RegistrationResult(decision="reject", reason=reason, metadata=kept)
    return RegistrationResult(
        metadata=kept, seats=settings.ticket_count, reason=say(context, "TICKETS_GONE")
    )
