"""Windows over HTTP: opened, answered, steered, settled, and what each caller hears of them."""

from typing import Any

import pytest

from tests.support.api_host import Caller
from tests.support.api_room import ApiRoom
from tests.support.apps.window_app import ACCEPTS, RULES

JUDGED = {"rules": RULES, "judge": "rules", "points": 5}


async def log_of(caller: Caller, api_room: ApiRoom) -> list[str]:
    """Return the types of the events that a caller sees."""
    return [event["type"] for event in (await caller.get(f"{api_room.path}/events")).data]


async def test_a_window_lives_over_http(api_room: ApiRoom):
    path = await api_room.open(prompt={"text": "2 + 2?"}, **JUDGED)
    ada, bob, cyd = api_room.guests
    shown = (await ada.get(path)).data
    assert shown["prompt"] == {"text": "2 + 2?"}
    assert shown["accepts"] == ACCEPTS
    assert (shown["status"], shown["leftMs"], shown["of"]) == ("open", 10_000, 3)
    assert not {"rules", "data", "answeredBy"} & shown.keys()
    api_room.pass_time(1_200)
    heard = await api_room.submit(ada, {"n": 4})
    assert heard.data.keys() == {"accepted", "submissionId", "elapsedMs"}
    assert (heard.data["accepted"], heard.data["elapsedMs"]) == (True, 1_200)
    await api_room.submit(bob, {"n": 3})
    assert (await api_room.organizer.get(path)).data["answeredBy"] == sorted(api_room.ids[:2])
    api_room.pass_time(8_800)
    late = await api_room.submit(cyd, {"n": 4})
    assert (late.status, late.code) == (409, "WINDOW_CLOSED")
    await api_room.host.work()
    closed = (await ada.get(path)).data
    assert (closed["status"], closed["closedBy"], closed["decidedBy"]) == (
        "closed", "deadline", "app",
    )  # fmt: skip
    me = (await ada.get(f"{api_room.path}/state")).data["me"]
    assert (me["points"], me["rank"]) == (5, 1)
    assert [each["verdict"] for each in me["submissions"]] == ["right"]
    assert (await log_of(ada, api_room))[-3:] == [
        "window:tallying", "window:closed", "standings:changed",
    ]  # fmt: skip


async def test_an_organizer_pauses_resumes_and_extends(api_room: ApiRoom):
    path = await api_room.open()
    ada = api_room.guests[0]
    api_room.pass_time(4_000)
    assert (await api_room.control("pause")).data["status"] == "paused"
    api_room.pass_time(600_000)
    paused = await api_room.submit(ada, {"n": 1})
    assert (paused.status, paused.code) == (409, "WINDOW_PAUSED")
    assert (await api_room.control("resume")).data["leftMs"] == 6_000
    assert (await api_room.control("extend", {"byMs": 500})).data["leftMs"] == 6_500
    assert (await api_room.submit(ada, {"n": 1})).data["elapsedMs"] == 4_000
    api_room.pass_time(6_500)
    await api_room.host.work()
    assert (await ada.get(path)).data["status"] == "closed"
    events = (await ada.get(f"{api_room.path}/events")).data
    changed = [each["payload"]["reason"] for each in events if each["type"] == "window:changed"]
    assert changed == ["resumed", "extended"]


async def test_an_organizer_closes_and_twice_is_once(api_room: ApiRoom):
    await api_room.open(durationMs=None)
    assert (await api_room.control("extend", {"byMs": 1})).code == "NO_END"
    assert (await api_room.control("close")).data["status"] == "tallying"
    assert (await api_room.control("close")).data["status"] == "tallying"
    await api_room.host.work()
    assert (await api_room.control("close")).data["closedBy"] == "organizer"
    assert (await log_of(api_room.organizer, api_room)).count("window:closed") == 1


async def test_what_the_app_does_not_settle_the_organizer_does(api_room: ApiRoom):
    def broken(_: object) -> None:
        raise ValueError

    api_room.desk.closing = broken
    await api_room.open(**JUDGED)
    await api_room.submitted({"n": 4})
    await api_room.close()
    state = (await api_room.guests[0].get(f"{api_room.path}/state")).data
    assert [each["status"] for each in state["windows"]] == ["tallying"]
    settled = (await api_room.control("settle")).data
    assert (settled["status"], settled["decidedBy"]) == ("closed", "platform")
    standings = (await api_room.guests[1].get(f"{api_room.path}/standings")).data
    assert [each["points"] for each in standings] == [5]


async def test_results_are_seen_when_they_are_revealed(api_room: ApiRoom):
    await api_room.open(**JUDGED, results="onReveal")
    await api_room.submitted({"n": 4})
    ada = api_room.guests[0]
    await api_room.close()
    assert "verdict" not in (await ada.get(f"{api_room.path}/state")).data["me"]["submissions"][0]
    assert (await api_room.control("reveal")).data["revealed"] is True
    assert (await api_room.control("reveal")).data["revealed"] is True
    mine = (await ada.get(f"{api_room.path}/state")).data["me"]["submissions"][0]
    assert (mine["verdict"], mine["points"]) == ("right", 5)
    assert (await log_of(ada, api_room)).count("window:revealed") == 1


async def test_a_wrong_key_is_mended_and_a_bad_question_voided(api_room: ApiRoom):
    path = await api_room.open(**JUDGED)
    await api_room.submitted({"n": 4}, {"n": 5})
    await api_room.close()
    standings = f"{api_room.path}/standings"
    await api_room.control("rejudge", {"rules": {"properties": {"n": {"const": 5}}}})
    assert [each["participantId"] for each in (await api_room.guests[0].get(standings)).data] == [
        api_room.ids[1]
    ]
    rows = (await api_room.organizer.get(f"{path}/submissions")).data
    verdicts = {"submissionId": [rows[0]["id"]], "verdict": ["right"], "points": [2]}
    assert (await api_room.control("rejudge", {"verdicts": verdicts})).status == 200
    assert [each["points"] for each in (await api_room.guests[0].get(standings)).data] == [5, 2]
    assert (await api_room.control("rejudge", {"void": True})).data["status"] == "void"
    assert (await api_room.guests[0].get(standings)).data == []


WRONG_STATUS = [
    ("pause", "paused", "WINDOW_NOT_NOW"),
    ("resume", "open", "WINDOW_NOT_NOW"),
    ("settle", "open", "WINDOW_NOT_NOW"),
    ("reveal", "open", "WINDOW_NOT_CLOSED"),
    ("rejudge", "open", "WINDOW_NOT_CLOSED"),
    ("pause", "closed", "WINDOW_NOT_NOW"),
    ("resume", "closed", "WINDOW_NOT_NOW"),
    ("extend", "closed", "WINDOW_NOT_NOW"),
    ("settle", "closed", "WINDOW_NOT_NOW"),
    ("resume", "void", "WINDOW_NOT_NOW"),
    ("extend", "void", "WINDOW_NOT_NOW"),
    ("settle", "void", "WINDOW_NOT_NOW"),
]


@pytest.mark.parametrize(("act", "status", "code"), WRONG_STATUS)
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_what_cannot_be_done_now_is_refused(
    api_room: ApiRoom, act: str, status: str, code: str
):
    await api_room.open()
    if status == "paused":
        await api_room.control("pause")
    if status == "closed":
        await api_room.close()
    if status == "void":
        await api_room.control("rejudge", {"void": True})
    body = {"extend": {"byMs": 1}, "rejudge": {"rules": {}}}.get(act)
    heard = await api_room.control(act, body)
    assert (heard.status, heard.code) == (409, code)
    assert (await api_room.control(act, body, name="other")).code == "WINDOW_NOT_FOUND"


BODIES: list[tuple[bytes, int, str]] = [
    (b"", 422, "VALIDATION"),
    (b"{}", 422, "VALIDATION"),
    (b'{"payload": ', 400, "MALFORMED_JSON"),
    (b'{"payload": {"n": NaN}}', 400, "MALFORMED_JSON"),
    (b'{"payload": {"n": 1, "n": 4}}', 400, "MALFORMED_JSON"),
    (b'{"payload": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", 400, "MALFORMED_JSON"),
    (b'{"payload": {"n": "\\u0000"}}', 422, "CONTROL_CHARACTER"),
    (b'{"payload": {"n": "\\ud800"}}', 422, "LONE_SURROGATE"),
    (b'{"payload": {"n": ' + b"9" * 40 + b"}}", 422, "NUMBER_RANGE"),
    (b'{"payload": {"n": 4}, "verdict": "right"}', 422, "VALIDATION"),
    (b'{"payload": {"n": "four"}}', 422, "SUBMISSION_INVALID"),
    (b'{"payload": {"n": 4, "more": 1}}', 422, "SUBMISSION_INVALID"),
    (b'{"payload": {"n": 4, "text": "' + b"x" * 101 + b'"}}', 422, "SUBMISSION_INVALID"),
    (b'{"payload": null}', 422, "SUBMISSION_INVALID"),
    (b'{"payload": {"n": 4, "text": "' + b"x" * 17_000 + b'"}}', 413, "SUBMISSION_TOO_LARGE"),
    (b'{"payload": "' + b"x" * 300_000 + b'"}', 413, "TOO_LARGE"),
]


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_a_bad_submission_is_refused_with_a_code_and_uses_nothing_up(api_room: ApiRoom):
    path = await api_room.open()
    ada = api_room.guests[0]
    for raw, status, code in BODIES:
        heard = await ada.post(f"{path}/submissions", raw=raw)
        assert (heard.status, heard.code) == (status, code), raw[:80]
    assert (await ada.get(path)).data["answered"] == 0
    assert (await api_room.submit(ada, {"n": 4})).status == 200


async def test_who_may_not_submit_is_told_so(api_room: ApiRoom):
    await api_room.open()
    await api_room.open("few", participants=[api_room.ids[0]])
    viewer, moderator = await api_room.helper("VIEWER"), await api_room.helper()
    stranger = await api_room.host.person("stranger@example.com")
    admin = await api_room.host.person("root@example.com", is_admin=True)
    elsewhere = await api_room.host.start(name="Elsewhere")
    foreign, _ = await api_room.host.guest(elsewhere)
    cases = [
        (api_room.guests[0], "nothing", 404, "WINDOW_NOT_FOUND"),
        (api_room.guests[1], "few", 403, "WINDOW_NOT_YOURS"),
        (viewer, "w", 403, "WINDOW_NOT_YOURS"),
        (moderator, "w", 403, "WINDOW_NOT_YOURS"),
        (api_room.organizer, "w", 403, "WINDOW_NOT_YOURS"),
        (stranger, "w", 404, "ROOM_NOT_FOUND"),
        (foreign, "w", 404, "ROOM_NOT_FOUND"),
        (admin, "w", 403, "FORBIDDEN"),
        (api_room.host.nobody, "w", 401, "UNAUTHENTICATED"),
    ]
    for caller, name, status, code in cases:
        heard = await api_room.submit(caller, {"n": 1}, name)
        assert (heard.status, heard.code) == (status, code)
    await api_room.guests[2].delete(f"{api_room.path}/participants/me")
    assert (await api_room.submit(api_room.guests[2], {"n": 1})).status == 403


async def test_a_guest_of_another_room_is_a_stranger_to_a_public_one(api_room: ApiRoom):
    room = await api_room.host.start(appId="desk", isPublic=True)
    body = {"effects": [{"effect": "openWindow", "id": "w", "accepts": {}}]}
    path = f"/rooms/{room['id']}"
    assert (await api_room.organizer.post(f"{path}/actions/do", body)).status == 200
    heard = await api_room.guests[0].post(f"{path}/windows/w/submissions", {"payload": 1})
    assert (heard.status, heard.code) == (403, "FORBIDDEN")


async def test_a_repeated_submission_gets_its_first_answer(api_room: ApiRoom):
    await api_room.open(submissions="many")
    ada, bob, _ = api_room.guests
    key = {"Idempotency-Key": "tap-1"}
    first = await api_room.submit(ada, {"n": 1}, headers=key)
    api_room.pass_time(100)
    again = await api_room.submit(ada, {"n": 1}, headers=key)
    assert (first.status, first.data) == (200, again.data)
    other = await api_room.submit(ada, {"n": 2}, headers=key)
    assert (other.status, other.code) == (409, "IDEMPOTENCY_MISMATCH")
    assert (await api_room.submit(bob, {"n": 2}, headers=key)).data != first.data
    mine = (await ada.get(f"{api_room.path}/state")).data["me"]["submissions"]
    assert [each["payload"] for each in mine] == [{"n": 1}]
    bad = await api_room.submit(ada, {"n": 1}, headers={"Idempotency-Key": "two words"})
    assert (bad.status, bad.code) == (400, "BAD_IDEMPOTENCY_KEY")
    await api_room.close()
    assert (await api_room.submit(ada, {"n": 1}, headers=key)).data == first.data


async def test_who_comes_late_finds_the_windows_and_who_comes_back_their_answers(
    api_room: ApiRoom,
):
    await api_room.open("over")
    await api_room.submitted({"n": 9}, name="over")
    await api_room.close("over")
    await api_room.open("now", results="onReveal")
    api_room.pass_time(2_500)
    await api_room.submitted({"n": 7}, name="now")
    await api_room.come("Dan")
    late = (await api_room.guests[3].get(f"{api_room.path}/state")).data
    (window,) = late["windows"]
    assert (window["id"], window["leftMs"], window["maySubmit"]) == ("now", 7_500, True)
    assert late["me"]["submissions"] == []
    back = (await api_room.guests[0].get(f"{api_room.path}/state")).data["me"]["submissions"]
    assert [(each["windowId"], each["payload"]) for each in back] == [
        ("over", {"n": 9}), ("now", {"n": 7}),
    ]  # fmt: skip
    await api_room.close("now")
    waiting = (await api_room.guests[3].get(f"{api_room.path}/state")).data["windows"]
    assert [(each["id"], each["revealed"]) for each in waiting] == [("now", False)]
    await api_room.control("reveal", name="now")
    assert (await api_room.guests[3].get(f"{api_room.path}/state")).data["windows"] == []


async def test_windows_are_listed_in_pages_and_orders(api_room: ApiRoom):
    for name in ("b", "a", "c"):
        await api_room.open(name)
        api_room.pass_time(1)
    path = f"{api_room.path}/windows"

    async def ids(query: str) -> list[Any]:
        return [each["id"] for each in (await api_room.guests[0].get(f"{path}?{query}")).data]

    assert await ids("sort=id") == ["a", "b", "c"]
    assert await ids("sort=-createdAt&limit=2") == ["c", "a"]
    assert await ids("sort=-createdAt&limit=2&page=2") == ["b"]
    assert (await api_room.guests[0].get(f"{path}?sort=rules")).status == 422
    assert (await api_room.guests[0].get(f"{path}?fields=rules")).status == 422
