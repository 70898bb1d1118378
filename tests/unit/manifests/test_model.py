"""A valid manifest is read with every default in its place."""

import pytest

from mymozhem.contract import ChangeKind, Level, RoomStatus, Strategy
from mymozhem.contract.hooks import (
    HANDLE_ACTION,
    ON_TIMER,
    PREPARE_DRAW,
    REGISTER_PARTICIPANT,
    SELECT_WINNERS,
)
from mymozhem.manifests.enums import Addressee, Need
from mymozhem.manifests.model import Manifest
from mymozhem.manifests.settings import apply_defaults, project

MINIMAL = {"meta": {"name": "A", "version": "1.2.0", "description": ""}, "permissions": []}


def manifest(**fields):
    return Manifest.of({**MINIMAL, **fields}, registered_as="raffle")


def test_what_is_left_out_is_what_the_reference_says():
    found = manifest(actions={"go": {}}, events={"raffle:a": {}})
    assert (found.id, found.version, found.contract) == ("raffle", "1.2.0", ">=1.0 <2.0")
    assert (found.is_remote, found.capabilities, found.settings) == (False, frozenset(), None)
    go = found.actions["go"]
    assert (go.roles, go.when) == ({Addressee.ORGANIZER}, {RoomStatus.ACTIVE})
    assert (go.batch, go.confirm, go.payload) == (False, False, None)
    assert found.events["raffle:a"].visibility is Level.ORGANIZER


def test_names_are_read_as_members_of_the_closed_lists():
    found = manifest(
        changes=["status"],
        needs={"prepare_draw": ["winners"]},
        actions={"go": {"roles": ["APP"], "when": "DRAFT"}},
    )
    assert found.changes == {ChangeKind.STATUS}
    assert found.needs["prepare_draw"] == {Need.WINNERS}
    assert found.actions["go"].roles == {Addressee.APP}
    assert found.actions["go"].when == {RoomStatus.DRAFT}


def test_the_documents_own_id_stands_before_the_registered_one():
    assert manifest(id="raffle").id == "raffle"
    assert Manifest.of(MINIMAL).id is None


def test_a_manifest_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        manifest().base_url = "https://example.com"


@pytest.mark.parametrize(
    ("fields", "served"),
    [
        ({}, {"1.2.0"}),
        ({"serves": ">=1.1 <1.3"}, {"1.1.0", "1.2.0"}),
        ({"meta": {**MINIMAL["meta"], "version": "1.2.0+build.7"}}, {"1.2.0"}),
    ],
)
def test_the_code_serves_its_own_version_or_the_range_it_names(fields, served):
    found = manifest(**fields).serves
    assert {each for each in ("1.0.0", "1.1.0", "1.2.0", "1.3.0") if each in found} == served


def test_a_policy_is_the_tables_where_the_manifest_is_silent():
    policy = manifest().policy(PREPARE_DRAW)
    assert (policy.timeout_ms, policy.on_failure) == (5_000, Strategy.HOLD)


def test_a_policy_of_a_capability_counts_for_the_hooks_that_may_have_it():
    found = manifest(policies={"winnerSelection": {"timeout": 900, "onFailure": "queue"}})
    assert found.policy(SELECT_WINNERS).on_failure is Strategy.QUEUE
    assert found.policy(PREPARE_DRAW).on_failure is Strategy.HOLD
    assert found.policy(PREPARE_DRAW).timeout_ms == 900


def test_a_literal_travels_with_its_strategy():
    literal = {"decision": "accept"}
    policies = {"participantRegistration": {"onFailure": "fallback", "fallback": literal}}
    policy = manifest(policies=policies).policy(REGISTER_PARTICIPANT)
    assert (policy.on_failure, policy.fallback) == (Strategy.FALLBACK, literal)


def test_a_webhook_is_one_path_for_all_or_one_per_capability():
    assert manifest(webhooks="/hooks").webhook("timers").path == "/hooks"
    found = manifest(
        webhooks={"timers": "/t", "actions": {"path": "/a", "timeout": 2500, "async": True}}
    )
    assert found.webhook("timers").path == "/t"
    assert found.webhook("actions").asynchronous
    assert found.webhook("windows") is None


def test_a_webhooks_timeout_counts_for_remote_apps_and_a_policys_before_it():
    webhooks = {"actions": {"path": "/a", "timeout": 2500}}
    remote = {"baseUrl": "https://example.com", "webhooks": webhooks}
    assert manifest(webhooks=webhooks).policy(HANDLE_ACTION).timeout_ms == 5_000
    assert manifest(**remote).policy(HANDLE_ACTION).timeout_ms == 2_500
    policies = {"actions": {"timeout": 3_000}}
    assert manifest(**remote, policies=policies).policy(HANDLE_ACTION).timeout_ms == 3_000


def test_needs_of_an_action_add_to_those_of_its_hook():
    found = manifest(
        actions={"go": {}},
        needs={"handle_action": ["prizes"], "action:go": ["winners"], "timer:go": ["submissions"]},
    )
    assert found.needs_of(HANDLE_ACTION, "go") == {Need.PRIZES, Need.WINNERS}
    assert found.needs_of(HANDLE_ACTION, "stop") == {Need.PRIZES}
    assert found.needs_of(ON_TIMER, "go") == {Need.SUBMISSIONS}
    assert found.needs_of(PREPARE_DRAW) == frozenset()


def test_without_a_schema_no_settings_and_no_answers_are_taken_but_any_state_is():
    found = manifest(actions={"go": {}})
    assert found.settings_validator.is_valid({})
    assert not found.settings_validator.is_valid({"a": 1})
    assert not found.registration_validator.is_valid({"a": 1})
    assert found.state_validator.is_valid({"public": {"a": 1}})
    assert found.actions["go"].validator.is_valid({"a": 1})
    assert not found.actions["go"].validator.is_valid([])


def test_a_validator_is_compiled_once():
    found = manifest(settings={"type": "object"})
    assert found.settings_validator is found.settings_validator


def test_a_manifest_holds_the_outline_of_its_settings():
    found = manifest(settings={"properties": {"a": {"default": 1, "x-visibility": "public"}}})
    assert apply_defaults(found.settings_outline, {}) == {"a": 1}
    assert project(found.settings_outline, {"a": 1, "b": 2}, Level.PUBLIC) == {"a": 1}
    assert manifest().settings_outline.names == ()
