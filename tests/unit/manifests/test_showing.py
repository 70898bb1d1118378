"""What steps carry to where more people see it is found, whatever way it takes."""

import pytest

from mymozhem.manifests.schema_outline import outline
from mymozhem.manifests.settings_migrations.steps import Migration
from mymozhem.manifests.settings_migrations.visibility import EVERYTHING, shown_to_more

TEXT = {"type": "string"}
PUBLIC = {**TEXT, "x-visibility": "public"}
PRIVATE = {**TEXT, "x-visibility": "private"}


def group(**properties):
    return {"type": "object", "properties": properties}


OLD = group(
    secret=PRIVATE,
    note=TEXT,
    motto=PUBLIC,
    safe={**group(code=TEXT, name=PUBLIC), "x-visibility": "private"},
    prizes={"type": "array", "x-visibility": "public", "items": group(code=PRIVATE, name=PUBLIC)},
)
NEW = group(
    slogan=PUBLIC,
    secret=PRIVATE,
    memo=TEXT,
    box={**group(code=TEXT, name=PUBLIC), "x-visibility": "public"},
    safe={**group(code=TEXT, name=PUBLIC), "x-visibility": "private"},
    prizes={
        "type": "array", "x-visibility": "public", "items": group(title=PUBLIC, code=PRIVATE),
    },
)  # fmt: skip


def shown(*steps, old=OLD, new=NEW):
    entry = Migration.model_validate({"from": "<2", "to": "2.0.0", "steps": list(steps)})
    return shown_to_more(entry.steps, outline(old), outline(new))


def rename(path, to):
    return {"op": "rename", "path": path, "to": to}


def move(source, path):
    return {"op": "move", "from": source, "path": path}


def copy(source, path):
    return {"op": "copy", "from": source, "path": path}


SHOWING = {
    "a rename": ([rename("/secret", "slogan")], {("/secret", "/slogan")}),
    "a copy": ([copy("/note", "/slogan")], {("/note", "/slogan")}),
    "private to organizers": ([move("/secret", "/memo")], {("/secret", "/memo")}),
    "on the way round": (
        [copy("/secret", "/x"), rename("/x", "y"), move("/y", "/slogan")],
        {("/secret", "/slogan")},
    ),
    "by way of a map": (
        [{"op": "map", "path": "/note", "values": []} | {"otherwise": 1}, move("/note", "/slogan")],
        {("/note", "/slogan")},
    ),
    "a whole group": (
        [move("/safe", "/box")],
        {("/safe/code", "/box/code"), ("/safe/name", "/box/name")},
    ),
    "out of a group": ([move("/safe/name", "/slogan")], {("/safe/name", "/slogan")}),
    "inside a group that is carried": (
        [copy("/safe", "/tmp"), move("/tmp/code", "/slogan"), {"op": "remove", "path": "/tmp"}],
        {("/safe/code", "/slogan")},
    ),
    "in each entry": ([rename("/prizes/*/code", "title")], {("/prizes/*/code", "/prizes/*/title")}),
}


@pytest.mark.parametrize(("steps", "told"), SHOWING.values(), ids=SHOWING)
def test_what_more_people_would_see_is_found(steps, told):
    assert set(shown(*steps)) == told


HIDING = {
    "nothing": [],
    "what everybody saw": [rename("/motto", "slogan")],
    "to fewer": [move("/motto", "/secret")],
    "as it was": [move("/note", "/memo")],
    "taken away": [copy("/secret", "/slogan"), {"op": "remove", "path": "/slogan"}],
    "replaced": [copy("/secret", "/slogan"), {"op": "set", "path": "/slogan", "value": "-"}],
    "in each entry": [rename("/prizes/*/name", "title")],
}


@pytest.mark.parametrize("steps", HIDING.values(), ids=HIDING)
def test_what_nobody_else_sees_is_not_told(steps):
    assert shown(*steps) == ()


def test_what_is_too_much_to_follow_is_told_as_a_whole():
    doubling = [copy("/x", f"/x/{n}") for n in range(40)]
    assert shown(*doubling) == EVERYTHING
    many = [copy("/note", f"/n{n}") for n in range(1_001)]
    assert shown(*many) == EVERYTHING
