from pathlib import Path

from mymozhem.testing import conformance, migrations

#: the first question of the sample that the kit plays
ASKED = {"questionId": "boiling"}
KEY = ASKED | {"answer": 100}

TestConformance = conformance(
    "quiz",
    payloads={
        "show": [ASKED, {"questionId": "gold"}],
        "reveal": [{}, ASKED],
        "correct": [KEY, KEY | {"tolerance": 2}],
        "accept": [KEY],
        "void": [ASKED],
        "replay": [ASKED],
    },
)

RELEASES = Path(__file__).resolve().parents[3] / "tests" / "releases"

TestMigrations = migrations("quiz", since=[RELEASES / "mymozhem_quiz-1.0.0-py3-none-any.whl"])
