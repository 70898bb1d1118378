from mymozhem.testing import conformance

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
