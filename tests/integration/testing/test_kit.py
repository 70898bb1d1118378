"""No check of the kit is one that cannot fail: an app that breaks one rule fails just there."""

import unittest
from collections.abc import Iterator
from functools import partial

import pytest

from mymozhem.testing import ConformanceWarning, conformance, report
from mymozhem.testing.checks import (
    CHECKS,
    Check,
    answers,
    contract_versions,
    endpoint,
    games,
    manifest,
    reach,
    rooms,
)
from mymozhem.testing.conformance_kit import NotConforming, find
from mymozhem.testing.conformance_run import ConformanceRun
from mymozhem.testing.sample_inputs import SampleInputs
from mymozhem.testing.web_server import by_contract
from tests.integration.testing.endpoint import Service
from tests.support.apps import tiny_app

VERSIONS = {check.__name__ for check in contract_versions.CHECKS}
ROOMS = {check.name for check in CHECKS if check.problems in rooms.CHECKS}

BROKEN = {
    tiny_app.Invalid: {"manifest_is_valid"},
    tiny_app.Promises: {"capabilities_are_implemented"},
    tiny_app.Hides: {"hooks_are_declared"},
    tiny_app.SpeaksAnother: {"manifest_is_valid"},
    tiny_app.Untitled: {"everything_has_a_title"},
    tiny_app.Raises: {"questions_are_answered_inside", "questions_are_answered_served"},
    tiny_app.Nonsense: {"questions_are_answered_inside", "questions_are_answered_served"},
    tiny_app.Slow: {"answers_come_in_time"},
    tiny_app.Moody: {"equal_questions_have_equal_answers", "both_transports_answer_alike"},
    tiny_app.Feels: {"both_transports_answer_alike"},
    tiny_app.Scribbles: {"questions_stay_as_they_are"},
    tiny_app.Blurts: {"effects_keep_to_the_manifest"},
    tiny_app.Loud: {"effects_keep_to_the_manifest"},
    tiny_app.Shapeless: {"effects_keep_to_the_manifest"},
    tiny_app.Hoards: {"state_stays_small"},
    tiny_app.GivesUnasked: {"effects_keep_to_the_manifest"},
    tiny_app.NeedsNewest: {"older_versions_are_spoken"},
    tiny_app.AnswersNewest: {"answers_fit_the_declared_versions"},
    tiny_app.NeverStarts: {"room_can_be_started"},
    tiny_app.LetsNobodyIn: {"people_can_join"},
    tiny_app.TakesNoActions: {"nobody_meets_a_fault_inside", "nobody_meets_a_fault_served"},
    tiny_app.NeverSettles: {"room_can_be_completed"},
    tiny_app.FallsBadly: ROOMS,
    tiny_app.Misspelt: {"keywords_are_known"},
    tiny_app.AlwaysRefuses: {"everything_is_reached"},
    tiny_app.NeedsCards: {"questions_are_answered_inside", "questions_are_answered_served"},
    tiny_app.EndsFirst: {"questions_are_answered_inside", "questions_are_answered_served"},
}

WITHOUT = {
    "signed": {"unsigned_messages_are_refused"},
    "signature": {"wrong_signatures_are_refused"},
    "time": {"old_messages_are_refused"},
    "tolerance": {"clocks_may_be_off"},
    "memory": {"simultaneous_questions_run_once", "repeated_questions_have_the_same_answer",
               "known_ids_ask_one_question"},
    "comparing": {"known_ids_ask_one_question"},
    "hook": {"unknown_hooks_are_refused"},
    "contract": {"other_contracts_are_refused"},
    "reading": {"nonsense_is_refused"},
    "size": {"large_messages_are_refused"},
    "type": {"other_types_are_refused"},
    "stamina": {"service_goes_on"},
}  # fmt: skip

#: no app can break this one: the host writes the log
UNBREAKABLE = {"log_adds_up"}


def failed(trial: ConformanceRun, checks: Iterator[Check]) -> set[str]:
    found = [find(trial, check) for check in checks]
    return {each.check for each in found if each.problems}


def of(*modules) -> list[Check]:
    return [check for check in CHECKS if any(check.problems in each.CHECKS for each in modules)]


@pytest.fixture(scope="module")
def good() -> ConformanceRun:
    return ConformanceRun(tiny_app.Tiny(), strict=True)


def test_a_good_app_passes_every_check(good):
    found = [find(good, check) for check in CHECKS]
    assert [each for each in found if each.problems or each.skipped] == []


@pytest.mark.parametrize(
    "app", [tiny_app.Healthy(), tiny_app.Patient()], ids=["no rooms", "coroutines"]
)
def test_a_good_app_of_another_kind_passes_too(app):
    trial = ConformanceRun(app, strict=True)
    found = [find(trial, check) for check in of(manifest, answers, games)]
    assert [each for each in found if each.problems or each.skipped] == []


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_an_app_that_breaks_a_rule_fails_just_there(broken):
    expected = BROKEN[broken]
    modules = [manifest, answers, games, *([rooms] if expected & ROOMS else [])]
    modules += [contract_versions] if expected & VERSIONS else []
    modules += [reach] if expected == {"everything_is_reached"} else []
    assert (
        failed(ConformanceRun(broken(), wishes=SampleInputs(rounds=1), strict=True), of(*modules))
        == expected
    )


@pytest.mark.parametrize("rule", WITHOUT)
def test_a_service_that_leaves_a_rule_out_fails_just_there(good, rule):
    trial = ConformanceRun(tiny_app.Tiny(), endpoint=partial(Service, without=rule))
    trial.__dict__["inside"] = good.inside  # the same app: it need not play again
    assert failed(trial, of(endpoint)) == WITHOUT[rule]


def test_a_service_of_ones_own_that_keeps_the_rules_passes(good):
    trial = ConformanceRun(tiny_app.Tiny(), endpoint=Service)
    trial.__dict__["inside"] = good.inside
    assert failed(trial, of(endpoint)) == set()


def test_every_check_has_an_app_that_fails_it():
    broken = set().union(*BROKEN.values(), *WITHOUT.values())
    assert {check.name for check in CHECKS} - broken == UNBREAKABLE


def test_a_log_that_tells_another_story_is_found(good):
    trial = ConformanceRun(tiny_app.Tiny())
    trial.__dict__["inside"] = good.inside
    trial.__dict__["served"] = good.served
    game = good.inside.game
    kept, game.log_problems = game.log_problems, ["points differ"]
    try:
        assert failed(trial, of(games)) == {"log_adds_up"}
    finally:
        game.log_problems = kept


def test_a_report_says_why_a_check_did_not_look():
    found = {each.check: each for each in report(tiny_app.Invalid())}
    assert found["manifest_is_valid"].problems
    assert found["room_can_be_started"].skipped == "the manifest is not valid"


def test_an_app_of_one_version_of_the_contract_is_held_to_that_alone():
    class Older(tiny_app.Tiny):
        more = {"contract": ">=1.0 <1.1"}

    trial = ConformanceRun(Older(), strict=True)
    assert {noted.hook.name for noted in trial.inside.noted} >= {"handle_action"}
    assert all(b'"contract":"1.0"' in noted.context for noted in trial.inside.noted)
    found = [find(trial, check) for check in of(contract_versions, answers)]
    assert {each.check for each in found if each.skipped} == VERSIONS
    assert [each for each in found if each.problems] == []


def test_a_title_that_is_missing_is_a_remark_and_not_a_failure():
    tests = conformance(tiny_app.Untitled())()
    with pytest.warns(ConformanceWarning, match="tiny:added has no title"):
        tests.test_everything_has_a_title()


def test_what_was_never_reached_is_named_with_its_reason():
    tests = conformance(tiny_app.AlwaysRefuses())()
    with pytest.raises(unittest.SkipTest) as skipped:
        tests.test_everything_is_reached()
    said = str(skipped.value)
    assert "The action 'ask' was only ever refused: NEVER" in said
    assert "close_window was never called" in said
    assert "The effect adjust was never returned" in said
    with pytest.raises(NotConforming):
        conformance(tiny_app.AlwaysRefuses(), strict=True)().test_everything_is_reached()


def test_a_failure_tells_the_author_what_to_do():
    tests = conformance(tiny_app.Promises())()
    with pytest.raises(NotConforming, match="no on_timer; write it with @hookimpl"):
        tests.test_capabilities_are_implemented()


def test_the_service_of_the_contract_is_what_is_tested_by_default():
    assert ConformanceRun(tiny_app.Tiny()).endpoint is by_contract
