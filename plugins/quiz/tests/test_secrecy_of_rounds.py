"""Neither rounds nor pictures of options tell what is right, nor what is still to come."""

import pytest


@pytest.fixture
def version():
    """Rooms of the first version have neither."""
    return "2.0.0"


def options(right):
    return [{"text": text, "right": n in right} for n, text in enumerate("uvwxyz"[:4])]


def pictured(right):
    """Options with pictures, of which the third has none; which are right changes nothing else."""
    return [
        one
        | ({} if n == 2 else {"picture": {"url": f"https://example.org/{n}", "alt": f"No. {n}"}})
        for n, one in enumerate(options(right))
    ]


def one_round(*questions, id="r1", title="One"):
    return {"id": id, "title": title, "questions": list(questions)}


@pytest.mark.parametrize("shuffled", [True, False])
@pytest.mark.parametrize(
    ("kind", "rights"),
    [("single", [{0}, {1}, {2}, {3}]), ("multiple", [{0}, {2}, {0, 1, 2, 3}, {1, 3}])],
)
def test_pictures_of_options_are_the_same_whatever_is_right(room, question, kind, rights, shuffled):
    looks = []
    for right in rights:
        asked = question("q1", kind, options=pictured(right))
        played = room(rounds=[one_round(asked)], shuffleOptions=shuffled)
        played.act("start")
        looks.append(played.seen())
        names = [[*each] for each in played.prompt()["options"]]
        assert sorted(names) == [["id", "text"], *[["id", "text", "picture"]] * 3]
    assert all(look == looks[0] for look in looks)


def test_pictures_are_shuffled_with_the_options_of_an_order(room, question):
    orders = set()
    for calls in range(30):
        listed = [
            {"text": text, "picture": {"url": f"https://example.org/{text}", "alt": f"No. {text}"}}
            for text in "uvw"
        ]
        played = room(rounds=[one_round(question("q1", "order", options=listed))])
        played.calls = calls
        played.act("start")
        shown = played.prompt()["options"]
        assert all(each["picture"]["alt"] == f"No. {each['text']}" for each in shown)
        orders.add(tuple(each["picture"]["alt"] for each in shown))
    assert len(orders) == 6


@pytest.mark.parametrize("pause", [True, False])
def test_keys_of_other_rounds_and_what_is_to_come_are_not_seen(room, question, pause):
    looks = []
    for right in range(4):
        rounds = [
            one_round(question("q1")),
            one_round(question("q2", options=options({right})), id="r2", title="Two"),
            one_round(question("q3"), id="r3", title=f"Secret {right}"),
        ]
        played = room(rounds=rounds, pauseBetweenRounds=pause)
        played.play(("p1", "b"))
        played.act("next")
        looks.append(played.seen())
        assert "Secret" not in str(looks[-1])
        assert "Question q3" not in str(looks[-1])
    assert all(look == looks[0] for look in looks)
