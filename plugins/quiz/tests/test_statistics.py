"""What organizers see afterwards, and not before results are shown."""


def test_questions_and_leaderboard(ten):
    room = ten(mode="plain").play(("p1", "b", 1_000), ("p2", "b", 3_000), ("p3", "a", 500))
    room.play(("p1", "b"))
    reply = room.act("statistics")
    first = reply["questions"][0]
    assert (first["answered"], first["right"], first["wrong"]) == (3, 2, 1)
    assert (first["fastestMs"], first["meanMs"]) == (500, 1_500)
    assert first["counts"] == {"a": 1, "b": 2, "c": 0}
    board = [(one["rank"], one["participantId"], one["points"]) for one in reply["leaderboard"]]
    assert board == [(1, "p1", 200), (2, "p2", 100), (3, "p3", 0)]
    assert (reply["leaderboard"][0]["answered"], reply["leaderboard"][0]["right"]) == (2, 2)


def test_ties_are_shown_as_ties(ten):
    room = ten(mode="plain").play(("p2", "b"), ("p3", "b"))
    assert [one["rank"] for one in room.act("statistics")["leaderboard"]] == [1, 1, 3]


def test_results_that_are_held_back_are_in_no_statistics(ten):
    room = ten(revealAnswers="byHand").play(("p1", "b"))
    reply = room.act("statistics")
    assert (reply["questions"], reply["held"]) == ([], [1])
    assert {one["points"] for one in reply["leaderboard"]} == {0}
    room.act("reveal")
    assert room.act("statistics")["leaderboard"][0]["points"] == 100


def test_void_questions_are_named_alone(ten):
    room = ten().play(("p1", "b"))
    room.act("void", questionId="q1")
    reply = room.act("statistics")
    assert (reply["questions"], reply["void"]) == ([], [1])


def test_nobody_answered(ten):
    (only,) = ten().play().act("statistics")["questions"]
    assert (only["answered"], only["fastestMs"], only["meanMs"]) == (0, None, None)
