"""The calls of an app: all that a simulation made, and those made from its manifest."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel

from mymozhem.contract import (
    HOOKS,
    AppRef,
    Context,
    Hook,
    JsonObject,
    Level,
    PersonKind,
    Role,
    RoomStatus,
)
from mymozhem.contract import payloads as p
from mymozhem.contract.hooks import (
    CHECK_HEALTH,
    DELIVER_NOTIFICATION,
    IMPORT_SETTINGS,
    MIGRATE_SETTINGS,
    ON_EVENT,
    PREPARE_DRAW,
    REGISTER_PARTICIPANT,
    SELECT_WINNERS,
    VALIDATE_SETTINGS,
)

from .app_lookup import App
from .recording_app import RecordedCall
from .sample_inputs import SampleInputs, answers_of, settings_of

#: questions of one kind, such as one action, that are taken from a game
OF_A_KIND = 6

_PEOPLE = ("part_1", "part_2", "part_3")


@dataclass(frozen=True)
class SampleCall:
    """A call of an app: the hook, its request, and a description."""

    what: str
    hook: Hook[BaseModel, BaseModel]
    context: Context
    request: BaseModel


def sample_calls_for(
    app: App, wishes: SampleInputs, settings: JsonObject | None, played: Sequence[RecordedCall]
) -> list[SampleCall]:
    """Return calls of every hook that the app implements, if they can be created.

    `played` are those of a simulation; `settings` are those of its room.
    """
    found = list(_of_game(played))
    asked = {question.hook.name for question in found}
    for question in _made(app, wishes, context_of(app, settings or {})):
        always = question.hook in (VALIDATE_SETTINGS, REGISTER_PARTICIPANT)
        taken = question.hook.capability in app.manifest.capabilities
        if taken and question.hook.name in app.functions and (
            always or question.hook.name not in asked
        ):  # fmt: skip
            found.append(question)
    return found


def never_asked(app: App, questions: Sequence[SampleCall]) -> list[str]:
    """Return the hooks that the app implements and that no call is for."""
    asked = {question.hook.name for question in questions}
    return [
        hook.name
        for hook in HOOKS
        if hook.capability in app.manifest.capabilities
        and hook.name in app.functions
        and hook.name not in asked
    ]


def _of_game(played: Sequence[RecordedCall]) -> Iterator[SampleCall]:
    taken: Counter[str] = Counter()
    for noted in played:
        context = Context.model_validate_json(noted.context)
        request = noted.hook.request.model_validate_json(noted.request)
        what = " ".join(filter(None, (noted.hook.name, _name_of(request))))
        taken[what] += 1
        if taken[what] <= OF_A_KIND:
            yield SampleCall(what, noted.hook, context, request)


def _name_of(request: BaseModel) -> str:
    for field in ("action", "name"):
        named = getattr(request, field, None)
        if isinstance(named, str):
            return repr(named)
    return ""


def context_of(app: App, settings: JsonObject) -> Context:
    """Return the context of a new room with these settings."""
    room = p.RoomView(
        id="room_1",
        name="Evening",
        status=RoomStatus.ACTIVE,
        locale="en",
        settings=settings,
        state=p.RoomData(),
    )
    return Context(
        contract=app.manifest.speaks,
        call_id="call_1",
        app=AppRef(id=app.app_id, version=app.manifest.version),
        room=room,
        now=datetime.now(UTC).replace(microsecond=0),
        deadline_ms=5_000,
        lock="ab" * 32,
        seed="5e" * 32,
    )


def _made(app: App, wishes: SampleInputs, context: Context) -> Iterator[SampleCall]:
    yield from _about_settings(app, wishes, context)
    yield from _about_people(app, wishes, context)
    yield from _about_draws(app, context)
    yield SampleCall("check_health", CHECK_HEALTH, context.model_copy(update={"room": None}),
                   p.HealthRequest())  # fmt: skip
    yield SampleCall(
        "deliver_notification",
        DELIVER_NOTIFICATION,
        context,
        p.NotificationRequest(
            notification_id="note_1", title="Hello", message="It begins.", recipients=_PEOPLE
        ),
    )
    event = p.LoggedEvent(
        type="participant:count", level=Level.PUBLIC, payload={"count": 2}, at=context.now
    )
    yield SampleCall("on_event", ON_EVENT, context, p.EventRequest(event=event))


def _about_settings(app: App, wishes: SampleInputs, context: Context) -> Iterator[SampleCall]:
    for settings in settings_of(app, wishes):
        for purpose in ("save", "activate"):
            asked = p.SettingsValidationRequest.model_validate(
                {"settings": settings, "purpose": purpose}
            )
            yield SampleCall(f"validate_settings to {purpose}", VALIDATE_SETTINGS, context, asked)
    for setting, formats in app.manifest.imports.items():
        for form in formats:
            for text in ("", "a,b\n1,2\n", '{"a": 1}'):
                request = p.SettingsImportRequest(setting=setting, text=text, format=form)
                what = f"import_settings of {form!r}"
                yield SampleCall(what, IMPORT_SETTINGS, context, request)
    version = app.manifest.version
    room = context.room
    if room is not None:
        request_ = p.SettingsMigrationRequest.model_validate(
            {"settings": room.settings, "state": p.RoomData(), "from": version, "to": version}
        )
        yield SampleCall("migrate_settings", MIGRATE_SETTINGS, context, request_)


def _about_people(app: App, wishes: SampleInputs, context: Context) -> Iterator[SampleCall]:
    for answers in answers_of(app, wishes):
        for kind in PersonKind:
            applicant = p.Applicant(
                person_id="person_1", name="Ada", kind=kind, role=Role.PARTICIPANT
            )
            request = p.RegistrationRequest(applicant=applicant, answers=answers)
            yield SampleCall(f"register_participant {kind}", REGISTER_PARTICIPANT, context, request)


def _about_draws(app: App, context: Context) -> Iterator[SampleCall]:
    prizes = (p.DrawPrize(prize_id="prize_1", name="Bicycle", count=1),)
    needs = app.manifest.needs_of(PREPARE_DRAW)
    context = context.model_copy(update={
        "winners": () if "winners" in needs else None,
        "prizes": () if "prizes" in needs else None,
        "reserves": p.Reserves() if "reserves" in needs else None,
        "participants": p.Participants() if "participants" in needs else None,
        "submissions": p.Submissions() if "submissions" in needs else None,
    })  # fmt: skip
    candidates = p.Candidates(
        id=_PEOPLE,
        person_id=tuple(f"person-{one}" for one in _PEOPLE),
        kind=(PersonKind.GUEST,) * len(_PEOPLE),
        metadata=({},) * len(_PEOPLE),
        points=(0,) * len(_PEOPLE),
        last_seen_at=(context.now - timedelta(seconds=5),) * len(_PEOPLE),
    )
    request = p.PrepareDrawRequest(
        draw_id="draw_1", key="key", prizes=prizes, candidates=candidates
    )
    yield SampleCall("prepare_draw", PREPARE_DRAW, context, request)
    selecting = p.SelectWinnersRequest(
        draw_id="draw_1", key="key", prizes=prizes, each="once", participants=_PEOPLE,
        tickets=(1,) * len(_PEOPLE), exclude=(), seed="5e" * 32,
    )  # fmt: skip
    yield SampleCall("select_winners", SELECT_WINNERS, context, selecting)
