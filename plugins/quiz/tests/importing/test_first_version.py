"""A room of the first version reads every text as the first release did."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mymozhem.contract import SettingsImportRequest

PIECES = {
    "opentrivia": ["#Q Q?", "^ a", "A a", "B b", "C", "true", "\ufffd", ""],
    "csv": ["question", "right", "a", "b", "round", "picture1", "alt1", "type", ",", "Q?", "1"],
    "json": [
        '{"rounds":[', '{"questions":[', "[", "]", "}", ",", '"title":"x"', '{"type":"boolean",',
        '"text":"Q?","answer":true}', '"id":7,', '"options":[{"text":"a","picture":{}}]',
    ],
}  # fmt: skip


@pytest.fixture
def version():
    """What is asked of such a room is asked of the first release too."""
    return "1.0.0"


@pytest.mark.parametrize("format", PIECES)
@given(data=st.data())
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_same_questions_and_the_same_problems(room, question, format, data):
    made = room(question("q1"))
    pieces = st.tuples(st.sampled_from(PIECES[format]), st.sampled_from(["\n", "", " "]))
    text = "".join(piece + end for piece, end in data.draw(st.lists(pieces, max_size=30)))
    request = SettingsImportRequest(setting="questions", text=text, format=format)
    made.ask("import_settings", context=made.context(), request=request)
