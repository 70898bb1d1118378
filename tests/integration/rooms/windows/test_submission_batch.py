"""Submissions that are committed together: each counts, or gives way, as if it had come alone."""

import asyncio

import pytest

from tests.support.apps.window_app import RULES, opening

pytestmark = pytest.mark.both_engines


async def test_of_one_persons_changes_in_one_commit_the_last_counts(window_room):
    await window_room.do(opening(submissions="latest", rules=RULES, judge="rules", points=1))
    await window_room.send(0, {"n": 1})
    await asyncio.gather(*(
        window_room.send(guest, {"n": number}) for number in (2, 3, 4) for guest in (0, 1)
    ))  # fmt: skip
    rows = [row for row in await window_room.rows() if row.counts]
    assert [row.ordinal for row in rows] == [6, 7]
    assert [row.verdict for row in rows] == ["right", "right"]
    window = await window_room.window()
    assert (window.answered, window.last_ordinal) == (2, 7)


async def test_windows_and_people_are_told_apart_in_one_commit(window_room):
    await window_room.do(
        opening("mine", participants=[window_room.ids[0]], rules=RULES, judge="rules"),
        opening("ours", rules={"properties": {"n": {"const": 5}}}, judge="rules"),
    )
    heard = await asyncio.gather(
        *(window_room.send(guest, {"n": 4}, name) for name in ("mine", "ours") for guest in (0, 1)),
        return_exceptions=True,
    )
    assert [getattr(each, "code", "accepted") for each in heard] == [
        "accepted",
        "WINDOW_NOT_YOURS",
        "accepted",
        "accepted",
    ]
    assert [row.verdict for row in await window_room.rows("mine")] == ["right"]
    assert [row.verdict for row in await window_room.rows("ours")] == ["wrong", "wrong"]
