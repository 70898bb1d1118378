"""The table of access: complete, and as the matrix of roles says."""

import itertools

import pytest

from mymozhem.auth.access_rules import AppPermissionDenied
from mymozhem.auth.access_table import (
    ACCESS,
    Access,
    admit,
    check,
    creation_rule,
    grantable,
    rule_for,
)
from mymozhem.auth.principal import AppPrincipal, Principal
from mymozhem.contract import PersonKind, Role
from mymozhem.errors import Forbidden, NotFound, Unauthenticated

PERSON = Principal("usr_1", PersonKind.REGISTERED, None, "jti")
GUEST = Principal("usr_2", PersonKind.GUEST, "room_1", "jti")
APP = AppPrincipal("raffle", frozenset({"rooms:read"}), "key_1", "jti")

# Role by role, from the matrix: A(DMIN), O(RGANIZER), M(ODERATOR), P(ARTICIPANT), V(IEWER).
ROOM_READ, ROOM_WRITE, HELP, ACT, SUBMIT = "AOMPV", "AO", "AOM", "OMP", "OMPV"
MATRIX = {
    "GET /rooms/{id}": ROOM_READ,
    "PATCH /rooms/{id}": ROOM_WRITE,
    "DELETE /rooms/{id}": ROOM_WRITE,
    "GET /rooms/{id}/lock": ROOM_READ,
    "GET /rooms/{id}/state": ROOM_READ,
    "GET /rooms/{id}/events": ROOM_READ,
    "POST /rooms/{id}/actions/{action}": ACT,
    "POST /rooms/{id}/copy": ROOM_WRITE,
    "POST /rooms/{id}/upgrade-manifest": ROOM_WRITE,
    "POST /rooms/{id}/rollback-manifest": ROOM_WRITE,
    "POST /rooms/{id}/import/{setting}": ROOM_WRITE,
    "POST /rooms/{id}/retry": HELP,
    "GET /rooms/{id}/qr.svg": HELP,
    "GET /rooms/{id}/export": ROOM_WRITE,
    "GET /rooms/{id}/participants": ROOM_READ,
    "DELETE /rooms/{id}/participants/me": ROOM_READ,
    "GET /rooms/{id}/participants/{pid}": ROOM_READ,
    "PATCH /rooms/{id}/participants/{pid}": HELP,
    "DELETE /rooms/{id}/participants/{pid}": HELP,
    "POST /rooms/{id}/participants/{pid}/approve": HELP,
    "POST /rooms/{id}/participants/{pid}/reject": HELP,
    "POST /rooms/{id}/participants/{pid}/rename": HELP,
    "POST /rooms/{id}/participants/{pid}/seat": HELP,
    "POST /rooms/{id}/participants/import": HELP,
    "POST /rooms/{id}/prizes": HELP,
    "GET /rooms/{id}/prizes": ROOM_READ,
    "GET /rooms/{id}/prizes/{prizeId}": ROOM_READ,
    "PATCH /rooms/{id}/prizes/{prizeId}": HELP,
    "DELETE /rooms/{id}/prizes/{prizeId}": HELP,
    "POST /rooms/{id}/winners": HELP,
    "GET /rooms/{id}/winners": ROOM_READ,
    "GET /rooms/{id}/winners/{wid}": ROOM_READ,
    "DELETE /rooms/{id}/winners/{wid}": HELP,
    "POST /rooms/{id}/winners/{wid}/fulfill": HELP,
    "POST /rooms/{id}/winners/{wid}/move": HELP,
    "POST /rooms/{id}/draws": HELP,
    "GET /rooms/{id}/draws": ROOM_READ,
    "GET /rooms/{id}/draws/{did}": ROOM_READ,
    "POST /rooms/{id}/draws/{did}/run": HELP,
    "POST /rooms/{id}/draws/{did}/reveal": HELP,
    "POST /rooms/{id}/draws/{did}/void": HELP,
    "POST /rooms/{id}/draws/{did}/retry": HELP,
    "GET /rooms/{id}/windows": ROOM_READ,
    "GET /rooms/{id}/windows/{windowId}": ROOM_READ,
    "GET /rooms/{id}/windows/{windowId}/submissions": ROOM_READ,
    "GET /rooms/{id}/standings": ROOM_READ,
    "POST /rooms/{id}/windows/{windowId}/submissions": SUBMIT,
    "POST /rooms/{id}/windows/{windowId}/pause": HELP,
    "POST /rooms/{id}/windows/{windowId}/resume": HELP,
    "POST /rooms/{id}/windows/{windowId}/extend": HELP,
    "POST /rooms/{id}/windows/{windowId}/close": HELP,
    "POST /rooms/{id}/windows/{windowId}/settle": HELP,
    "POST /rooms/{id}/windows/{windowId}/reveal": HELP,
    "POST /rooms/{id}/windows/{windowId}/rejudge": HELP,
}
#: what strangers read of a public room
OPEN = {
    "GET /rooms/{id}",
    "GET /rooms/{id}/participants",
    "GET /rooms/{id}/participants/{pid}",
    "GET /rooms/{id}/prizes",
    "GET /rooms/{id}/prizes/{prizeId}",
    "GET /rooms/{id}/winners",
    "GET /rooms/{id}/winners/{wid}",
}
EVERYBODY = {
    "GET /lists/{listId}",
    "POST /auth/login",
    "POST /auth/guest",
    "POST /auth/return",
    "POST /auth/sign-up",
    "POST /auth/sign-up/request",
    "POST /auth/password/request",
    "POST /auth/password/choose",
    "POST /auth/refresh",
    "POST /auth/logout",
    "POST /apps/token",
    "GET /rooms",
    "GET /rooms/{id}/draws/{did}/record",
    "GET /",
    "GET /api/versions",
    "GET /health/live",
    "GET /health/ready",
    "GET /metrics",
    "GET /openapi.json",
    "GET /docs",
    "GET /.well-known/jwks.json",
}
SIGNED_IN = {
    "GET /auth/me",
    "GET /auth/sessions",
    "DELETE /auth/sessions",
    "GET /users/me/export",
    "GET /apps",
    "GET /apps/{appId}",
    "GET /apps/{appId}/versions",
    "GET /apps/{appId}/versions/{v}",
    "GET /notifications",
}
USERS = {"GET /users/{id}", "PATCH /users/{id}", "DELETE /users/{id}"}
ADMINS = {
    "GET /admin/audit",
    "GET /admin/invitations",
    "POST /admin/invitations",
    "DELETE /admin/invitations/{id}",
    "GET /admin/users",
    "GET /admin/users/{id}/history",
    "POST /admin/users/{id}/deactivate",
    "POST /admin/users/{id}/activate",
    "POST /admin/users/{id}/revoke",
    "GET /admin/overview",
    "GET /admin/webhooks",
    "GET /admin/alerts",
    "POST /admin/alerts/{id}/acknowledge",
    "GET /admin/breakers",
    "POST /admin/breakers/reset",
    "GET /admin/deliveries",
    "GET /admin/deliveries/{id}",
    "GET /admin/dead-letters",
    "POST /admin/dead-letters/retry",
    "POST /admin/dead-letters/{id}/retry",
    "DELETE /admin/dead-letters/{id}",
    "POST /admin/apps/{appId}/stop",
    "POST /admin/apps/{appId}/start",
    "POST /apps",
    "POST /apps/{appId}/upgrade-rooms",
}
OWNED = {
    "GET /apps/{appId}/health",
    "PATCH /apps/{appId}",
    "DELETE /apps/{appId}",
    "POST /apps/{appId}/regenerate-secret",
    "POST /apps/{appId}/deprecate-version",
}
BY_APPS = {"POST /callbacks/{capability}/{deliveryId}"}
OTHERS = {
    "POST /rooms",
    "GET /apps/{appId}/diff",
    "POST /apps/validate-manifest",
    "POST /rooms/{id}/participants",
    "POST /notifications/{id}/read",
    "DELETE /auth/sessions/{id}",
    "POST /auth/password",
}


def outcome(endpoint, principal, role=None, **facts) -> type[Exception] | None:
    try:
        check(rule_for(endpoint), principal, role, **facts)
    except (Unauthenticated, Forbidden, NotFound) as refused:
        return type(refused)
    return None


def test_every_row_is_expected_and_every_expectation_has_its_row():
    expected = [*MATRIX, *EVERYBODY, *SIGNED_IN, *USERS, *ADMINS, *OWNED, *BY_APPS, *OTHERS]
    assert sorted(expected) == sorted(ACCESS)


@pytest.mark.parametrize("endpoint", ACCESS)
def test_a_row_lets_somebody_in_and_is_spelled_like_a_route(endpoint):
    method, _, path = endpoint.partition(" ")
    assert method in {"GET", "POST", "PATCH", "DELETE"}
    assert path.startswith("/")
    assert path == "/" or not path.endswith("/")
    assert rule_for(endpoint).callers


def test_a_route_without_a_row_is_no_route():
    with pytest.raises(KeyError):
        rule_for("GET /rooms/{id}/secret")


@pytest.mark.parametrize(("endpoint", "role"), list(itertools.product(MATRIX, Role)))
def test_a_role_may_do_what_the_matrix_says_and_nothing_else(endpoint, role):
    allowed = role.value[0] in MATRIX[endpoint]
    for public, principal in itertools.product([False, True], [PERSON, GUEST]):
        found = outcome(endpoint, principal, role, public=public)
        open_anyway = endpoint in OPEN and public
        assert found is (None if allowed or open_anyway else Forbidden)


@pytest.mark.parametrize("endpoint", MATRIX)
def test_a_stranger_never_learns_that_a_private_room_exists(endpoint):
    assert outcome(endpoint, PERSON) is NotFound
    assert outcome(endpoint, GUEST) is NotFound


@pytest.mark.parametrize("endpoint", sorted(MATRIX.keys() - OPEN))
def test_of_a_public_room_a_stranger_sees_what_is_open_alone(endpoint):
    assert outcome(endpoint, PERSON, public=True) is Forbidden
    assert outcome(endpoint, None, public=True) is Unauthenticated
    assert outcome(endpoint, None) is Unauthenticated


@pytest.mark.parametrize("endpoint", sorted(OPEN))
def test_anybody_sees_a_public_room_and_nobody_without_a_seat_a_private_one(endpoint):
    assert outcome(endpoint, None, public=True) is None
    assert outcome(endpoint, PERSON, public=True) is None
    assert outcome(endpoint, None) is NotFound


@pytest.mark.parametrize("endpoint", MATRIX)
def test_a_platform_s_admin_is_one_beside_any_role_in_the_room(endpoint):
    allowed = "A" in MATRIX[endpoint]
    assert outcome(endpoint, PERSON, admin=True) is (None if allowed else Forbidden)
    with_role = outcome(endpoint, PERSON, Role.PARTICIPANT, admin=True)
    assert with_role is (None if allowed or "P" in MATRIX[endpoint] else Forbidden)


@pytest.mark.parametrize("endpoint", sorted(EVERYBODY))
def test_some_routes_are_for_everybody(endpoint):
    assert {outcome(endpoint, each) for each in (None, GUEST, PERSON)} == {None}


@pytest.mark.parametrize("endpoint", sorted(SIGNED_IN))
def test_some_routes_are_for_everybody_who_signed_in(endpoint):
    assert outcome(endpoint, None) is Unauthenticated
    assert {outcome(endpoint, each) for each in (GUEST, PERSON)} == {None}


@pytest.mark.parametrize("endpoint", sorted(USERS))
def test_a_person_is_known_to_themselves_and_to_admins(endpoint):
    assert outcome(endpoint, None) is Unauthenticated
    assert outcome(endpoint, PERSON) is NotFound
    assert outcome(endpoint, GUEST, own=True) is None
    assert outcome(endpoint, PERSON, admin=True) is None


@pytest.mark.parametrize("endpoint", sorted(ADMINS))
def test_the_platform_is_run_by_admins(endpoint):
    assert outcome(endpoint, None) is Unauthenticated
    assert outcome(endpoint, PERSON, Role.ORGANIZER) is Forbidden
    assert outcome(endpoint, PERSON, admin=True) is None


@pytest.mark.parametrize("endpoint", sorted(OWNED))
def test_an_app_is_managed_by_its_owner_and_by_admins(endpoint):
    assert outcome(endpoint, None) is Unauthenticated
    assert outcome(endpoint, PERSON) is Forbidden
    assert outcome(endpoint, PERSON, own=True) is None
    assert outcome(endpoint, PERSON, admin=True) is None


@pytest.mark.parametrize("endpoint", sorted(BY_APPS))
def test_some_routes_are_for_apps_and_for_no_person(endpoint):
    assert outcome(endpoint, APP) is None
    assert outcome(endpoint, None) is Unauthenticated
    assert {outcome(endpoint, each, admin=True) for each in (GUEST, PERSON)} == {Forbidden}


@pytest.mark.parametrize("endpoint", sorted(ACCESS.keys() - BY_APPS))
def test_an_app_is_told_that_no_permission_of_its_own_lets_it_in(endpoint):
    with pytest.raises(AppPermissionDenied) as caught:
        admit(rule_for(endpoint), APP)
    assert (caught.value.status, caught.value.code) == (403, "APP_PERMISSION_DENIED")
    assert caught.value.details == {"required": None, "granted": ["rooms:read"]}


def test_a_notification_is_its_reader_s_alone():
    endpoint = "POST /notifications/{id}/read"
    assert outcome(endpoint, PERSON, own=True) is None
    assert outcome(endpoint, PERSON) is NotFound
    assert outcome(endpoint, PERSON, admin=True) is Forbidden


def test_people_with_an_account_join_and_guests_only_come_back():
    endpoint = "POST /rooms/{id}/participants"
    assert outcome(endpoint, PERSON) is None
    assert outcome(endpoint, GUEST, own=True) is None
    assert outcome(endpoint, GUEST) is NotFound
    assert outcome(endpoint, GUEST, public=True) is Forbidden


@pytest.mark.parametrize(
    "endpoint",
    [
        "DELETE /rooms/{id}/participants/me",
        "GET /rooms/{id}/participants/{pid}",
        "PATCH /rooms/{id}/participants/{pid}",
        "DELETE /rooms/{id}/participants/{pid}",
    ],
)
def test_who_waits_to_be_let_in_has_their_own_seat(endpoint):
    assert outcome(endpoint, GUEST, own=True) is None


@pytest.mark.parametrize(
    ("setting", "principal", "admin", "found"),
    [
        ("registered", PERSON, False, None),
        ("registered", GUEST, False, Forbidden),
        ("registered", None, False, Unauthenticated),
        ("admins", PERSON, False, Forbidden),
        ("admins", PERSON, True, None),
        ("admins", None, False, Unauthenticated),
    ],
)
def test_the_operator_says_who_creates_rooms(setting, principal, admin, found):
    if found is None:
        check(creation_rule(setting), principal, None, admin=admin)
        return
    with pytest.raises(found):
        check(creation_rule(setting), principal, None, admin=admin)


@pytest.mark.parametrize("endpoint", sorted(ACCESS.keys() - BY_APPS))
def test_who_lacks_a_token_is_turned_away_before_anything_is_looked_up(endpoint):
    rule = rule_for(endpoint)
    admit(rule, PERSON)
    if rule.callers & {Access.ANONYMOUS, Access.OUTSIDER}:
        admit(rule, None)
        return
    with pytest.raises(Unauthenticated):
        admit(rule, None)


@pytest.mark.parametrize(
    ("own", "may_grant"),
    [
        (Role.ADMIN, "ADMIN ORGANIZER MODERATOR PARTICIPANT VIEWER"),
        (Role.ORGANIZER, "ORGANIZER MODERATOR PARTICIPANT VIEWER"),
        (Role.MODERATOR, "MODERATOR PARTICIPANT VIEWER"),
        (Role.PARTICIPANT, "PARTICIPANT VIEWER"),
        (Role.VIEWER, "VIEWER"),
    ],
)
def test_nobody_grants_a_role_above_their_own(own, may_grant):
    assert [role for role in Role if grantable(own, role)] == [Role(x) for x in may_grant.split()]
