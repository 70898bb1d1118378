"""Joining gives one ticket to whom the organizer invited, and never more than that."""

import pytest

from mymozhem.contract import Applicant, PersonKind, RegistrationRequest, Role
from mymozhem_lottery import register_participant

EVERYBODY = [(kind, role) for kind in PersonKind for role in Role]


def register(context, *, kind=PersonKind.GUEST, role=Role.PARTICIPANT, answers=None, known=None):
    applicant = Applicant(
        person_id="person-1", name="Ann", kind=kind, role=role, metadata=known or {}
    )
    request = RegistrationRequest(applicant=applicant, answers=answers or {})
    return register_participant(context=context, request=request)


@pytest.mark.parametrize(
    ("eligibility", "kind", "decision"),
    [
        ("everyone", PersonKind.GUEST, "accept"),
        ("everyone", PersonKind.REGISTERED, "accept"),
        ("registered", PersonKind.GUEST, "reject"),
        ("registered", PersonKind.REGISTERED, "accept"),
    ],
)
def test_eligibility(context, eligibility, kind, decision):
    result = register(context(eligibility=eligibility), kind=kind)
    assert result.decision == decision


def test_the_host_counts_the_tickets_and_knows_what_to_say(context):
    result = register(context(ticketCount=3))
    assert (result.seats, result.reason) == (3, "All tickets of this lottery are given.")


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.PARTICIPANT])
def test_who_only_helps_or_watches_takes_no_ticket(context, role):
    result = register(context(ticketCount=1, eligibility="registered"), role=role)
    assert (result.decision, result.seats) == ("accept", None)


@pytest.mark.parametrize(("kind", "role"), EVERYBODY)
def test_tickets_in_answers_count_for_nothing(context, kind, role):
    result = register(context(), kind=kind, role=role, answers={"tickets": 1_000})
    assert result.metadata == {}


@pytest.mark.parametrize(("kind", "role"), EVERYBODY)
def test_tickets_from_organizers_survive_joining(context, kind, role):
    result = register(
        context(), kind=kind, role=role, answers={"tickets": 1_000}, known={"tickets": 5}
    )
    assert result.metadata == {"tickets": 5}


@pytest.mark.parametrize("transport", ["inprocess"], indirect=True)
def test_a_call_without_a_room_is_the_hosts_mistake(context):
    with pytest.raises(ValueError, match="asked about a room"):
        register(context().model_copy(update={"room": None}))
