"""Every hook is declared in full: a sentence, a capability, its types, and how it may fail."""

import inspect
import typing

import pytest

from mymozhem.contract import HOOKS, AppHooks, Strategy
from mymozhem.contract.hooks import CAPABILITIES, SILENT_CAPABILITIES, hooks_of

SPECIFIED = {
    name: found
    for name, found in vars(AppHooks).items()
    if not name.startswith("_") and name != "app_manifest"
}

ROWS = {
    # capability, deadline in milliseconds, on failure
    "validate_settings": ("settingsValidation", 2_000, "platform"),
    "import_settings": ("settingsImport", 10_000, "fail"),
    "migrate_settings": ("settingsMigration", 5_000, "hold"),
    "register_participant": ("participantRegistration", 3_000, "review"),
    "prepare_draw": ("winnerSelection", 5_000, "hold"),
    "select_winners": ("winnerSelection", 5_000, "platform"),
    "judge_submission": ("answerValidation", 2_000, "cached"),
    "handle_action": ("actions", 5_000, "fail"),
    "close_window": ("windows", 5_000, "queue"),
    "on_timer": ("timers", 5_000, "queue"),
    "on_room_changed": ("roomChanges", 5_000, "queue"),
    "deliver_notification": ("notifications", 30_000, "queue"),
    "on_event": ("analytics", 30_000, "queue"),
    "check_health": ("health", 5_000, "fail"),
}


def test_the_table_has_a_row_for_every_specified_hook_and_no_other():
    assert {hook.name for hook in HOOKS} == set(SPECIFIED) == set(ROWS)


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.name)
def test_a_hook_is_called_as_the_contract_says(hook):
    assert (hook.capability, hook.deadline_ms, hook.on_failure) == ROWS[hook.name]


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.name)
def test_a_hook_is_one_sentence(hook):
    sentence = inspect.getdoc(SPECIFIED[hook.name])
    assert sentence is not None
    assert sentence.endswith(".")
    assert "\n\n" not in sentence


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.name)
def test_a_hook_takes_the_request_and_returns_the_result_of_its_row(hook):
    hints = typing.get_type_hints(SPECIFIED[hook.name])
    assert hints["request"] is hook.request
    assert hook.result.__name__ in str(hints["return"])


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.name)
def test_the_default_is_among_the_allowed_strategies(hook):
    assert hook.on_failure in hook.allowed
    assert hook.allowed <= set(Strategy)


@pytest.mark.parametrize("hook", [hook for hook in HOOKS if hook.empty], ids=lambda hook: hook.name)
def test_where_nothing_may_be_returned_the_result_has_defaults_for_all(hook):
    assert hook.result()


def test_only_what_is_told_is_delivered_later():
    assert {hook.name for hook in HOOKS if not hook.asked} == {"deliver_notification", "on_event"}


def test_a_capability_knows_its_hooks_and_a_silent_one_has_none():
    assert [hook.name for hook in hooks_of("winnerSelection")] == ["prepare_draw", "select_winners"]
    assert {capability for capability in CAPABILITIES if not hooks_of(capability)} == set(
        SILENT_CAPABILITIES
    )
