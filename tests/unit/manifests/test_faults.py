"""Problems told by field."""

import pytest

from mymozhem.manifests.validation_errors import FieldProblem, by_field


@pytest.mark.parametrize(
    ("under", "whole", "part"),
    [("", "/", "/limit"), ("/appSettings", "/appSettings", "/appSettings/limit")],
)
def test_every_sentence_stands_under_its_field_in_order(under, whole, part):
    problems = (
        FieldProblem("/limit", "MINIMUM", "too small"),
        FieldProblem("", "REQUIRED", "incomplete"),
        FieldProblem("/limit", "TYPE", "no integer"),
    )
    assert by_field(problems, under=under) == {
        part: ["too small", "no integer"],
        whole: ["incomplete"],
    }
