# mypy: disable-error-code="empty-body"
# Specifications have no bodies: they only declare what may be implemented.
"""Every hook of the contract, one sentence each, and the table of how the host calls it."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Generic, TypeVar, Union

import pluggy
from pydantic import BaseModel

from . import payloads as p
from .enums import Strategy
from .wire import JsonObject

PROJECT = "mymozhem"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

R = TypeVar("R")
MaybeAsync = Union[R, Awaitable[R]]  # noqa: UP007  an alias with a parameter, on Python 3.11


class AppHooks:
    """The hooks that an app may implement, as plain functions or coroutine functions."""

    @hookspec
    def app_manifest(self) -> JsonObject:
        """Return the app's manifest as a document; called once, when the app is loaded."""

    @hookspec
    def validate_settings(
        self, context: p.Context, request: p.SettingsValidationRequest
    ) -> MaybeAsync[p.SettingsValidationResult]:
        """Return what is wrong with settings that satisfy the schema."""

    @hookspec
    def import_settings(
        self, context: p.Context, request: p.SettingsImportRequest
    ) -> MaybeAsync[p.SettingsImportResult]:
        """Read pasted or uploaded text, and return the value of a setting."""

    @hookspec
    def migrate_settings(
        self, context: p.Context, request: p.SettingsMigrationRequest
    ) -> MaybeAsync[p.SettingsMigrationResult]:
        """Migrate settings and state from one version of the app to another."""

    @hookspec
    def register_participant(
        self, context: p.Context, request: p.RegistrationRequest
    ) -> MaybeAsync[p.RegistrationResult]:
        """Accept or reject somebody who joins, or leave it to an organizer."""

    @hookspec
    def prepare_draw(
        self, context: p.Context, request: p.PrepareDrawRequest
    ) -> MaybeAsync[p.PreparedDraw]:
        """Return who takes part in a draw, with how many tickets, and the algorithm."""

    @hookspec
    def select_winners(
        self, context: p.Context, request: p.SelectWinnersRequest
    ) -> MaybeAsync[p.SelectWinnersResult]:
        """Select winners by the app's own algorithm, from a given seed."""

    @hookspec
    def judge_submission(
        self, context: p.Context, request: p.JudgeRequest
    ) -> MaybeAsync[p.JudgeResult]:
        """Judge one submission."""

    @hookspec
    def handle_action(
        self, context: p.Context, request: p.ActionRequest
    ) -> MaybeAsync[p.ActionResult | p.Effects]:
        """Do an action that somebody in the room called, by effects."""

    @hookspec
    def close_window(
        self, context: p.Context, request: p.CloseWindowRequest
    ) -> MaybeAsync[p.CloseWindowResult | p.Effects]:
        """Judge the submissions of a window that has closed, and return effects."""

    @hookspec
    def on_timer(self, context: p.Context, request: p.TimerRequest) -> MaybeAsync[p.Effects]:
        """Act on a timer that is due."""

    @hookspec
    def on_room_changed(
        self, context: p.Context, request: p.RoomChangeRequest
    ) -> MaybeAsync[p.Effects]:
        """Act on a change in the room, of a kind that the manifest names."""

    @hookspec
    def deliver_notification(
        self, context: p.Context, request: p.NotificationRequest
    ) -> MaybeAsync[p.Acknowledgement]:
        """Deliver a notification to people."""

    @hookspec
    def on_event(
        self, context: p.Context, request: p.EventRequest
    ) -> MaybeAsync[p.Acknowledgement]:
        """Take note of an event of the room's log."""

    @hookspec
    def check_health(
        self, context: p.Context, request: p.HealthRequest
    ) -> MaybeAsync[p.HealthReport]:
        """Return how well the app works."""


Req_co = TypeVar("Req_co", bound=BaseModel, covariant=True)
Res_co = TypeVar("Res_co", bound=BaseModel, covariant=True)


@dataclass(frozen=True)
class Hook(Generic[Req_co, Res_co]):
    """How the host calls one hook.

    `deadline_ms` and `on_failure` are defaults that a manifest's policy may change; `allowed` are
    the strategies that it may name. The result of an `asked` hook decides something; the others are
    deliveries. `empty` means that returning nothing is the result with its defaults.
    """

    name: str
    capability: str
    request: type[Req_co]
    result: type[Res_co]
    deadline_ms: int
    on_failure: Strategy
    allowed: frozenset[Strategy]
    asked: bool = True
    empty: bool = False


def _strategies(names: str) -> frozenset[Strategy]:
    return frozenset(Strategy(name) for name in names.split())


VALIDATE_SETTINGS = Hook(
    "validate_settings", "settingsValidation",
    p.SettingsValidationRequest, p.SettingsValidationResult,
    2_000, Strategy.PLATFORM, _strategies("platform fail fallback"), empty=True,
)  # fmt: skip
IMPORT_SETTINGS = Hook(
    "import_settings", "settingsImport",
    p.SettingsImportRequest, p.SettingsImportResult,
    10_000, Strategy.FAIL, _strategies("fail"),
)  # fmt: skip
MIGRATE_SETTINGS = Hook(
    "migrate_settings", "settingsMigration",
    p.SettingsMigrationRequest, p.SettingsMigrationResult,
    5_000, Strategy.HOLD, _strategies("hold fail"),
)  # fmt: skip
REGISTER_PARTICIPANT = Hook(
    "register_participant", "participantRegistration",
    p.RegistrationRequest, p.RegistrationResult,
    3_000, Strategy.REVIEW, _strategies("review fail fallback"),
)  # fmt: skip
PREPARE_DRAW = Hook(
    "prepare_draw", "winnerSelection",
    p.PrepareDrawRequest, p.PreparedDraw,
    5_000, Strategy.HOLD, _strategies("hold platform fallback"),
)  # fmt: skip
SELECT_WINNERS = Hook(
    "select_winners", "winnerSelection",
    p.SelectWinnersRequest, p.SelectWinnersResult,
    5_000, Strategy.PLATFORM, _strategies("platform queue"),
)  # fmt: skip
JUDGE_SUBMISSION = Hook(
    "judge_submission", "answerValidation",
    p.JudgeRequest, p.JudgeResult,
    2_000, Strategy.CACHED, _strategies("cached review fallback"),
)  # fmt: skip
HANDLE_ACTION = Hook(
    "handle_action", "actions",
    p.ActionRequest, p.ActionResult,
    5_000, Strategy.FAIL, _strategies("fail fallback"), empty=True,
)  # fmt: skip
CLOSE_WINDOW = Hook(
    "close_window", "windows",
    p.CloseWindowRequest, p.CloseWindowResult,
    5_000, Strategy.QUEUE, _strategies("queue platform"), empty=True,
)  # fmt: skip
ON_TIMER = Hook(
    "on_timer", "timers",
    p.TimerRequest, p.Effects,
    5_000, Strategy.QUEUE, _strategies("queue fail fallback"), empty=True,
)  # fmt: skip
ON_ROOM_CHANGED = Hook(
    "on_room_changed", "roomChanges",
    p.RoomChangeRequest, p.Effects,
    5_000, Strategy.QUEUE, _strategies("queue fail fallback"), empty=True,
)  # fmt: skip
DELIVER_NOTIFICATION = Hook(
    "deliver_notification", "notifications",
    p.NotificationRequest, p.Acknowledgement,
    30_000, Strategy.QUEUE, _strategies("queue"), asked=False, empty=True,
)  # fmt: skip
ON_EVENT = Hook(
    "on_event", "analytics",
    p.EventRequest, p.Acknowledgement,
    30_000, Strategy.QUEUE, _strategies("queue"), asked=False, empty=True,
)  # fmt: skip
CHECK_HEALTH = Hook(
    "check_health", "health",
    p.HealthRequest, p.HealthReport,
    5_000, Strategy.FAIL, _strategies("fail"), empty=True,
)  # fmt: skip

HOOKS: tuple[Hook[BaseModel, BaseModel], ...] = (
    VALIDATE_SETTINGS, IMPORT_SETTINGS, MIGRATE_SETTINGS, REGISTER_PARTICIPANT, PREPARE_DRAW,
    SELECT_WINNERS, JUDGE_SUBMISSION, HANDLE_ACTION, CLOSE_WINDOW, ON_TIMER, ON_ROOM_CHANGED,
    DELIVER_NOTIFICATION, ON_EVENT, CHECK_HEALTH,
)  # fmt: skip

#: capabilities of the first platform's format that are accepted and call no hook
SILENT_CAPABILITIES = frozenset({"prizeFund", "roomSettings"})

CAPABILITIES = frozenset(hook.capability for hook in HOOKS) | SILENT_CAPABILITIES


def hooks_of(capability: str) -> tuple[Hook[BaseModel, BaseModel], ...]:
    """Return the hooks of a capability; an empty tuple if the capability calls none."""
    return tuple(hook for hook in HOOKS if hook.capability == capability)
