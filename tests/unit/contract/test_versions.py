"""Ranges of versions hold what they say."""

import pytest

from mymozhem.contract import CONTRACT_VERSION, VersionRange
from mymozhem.contract.versions import CONTRACT_VERSIONS, as_version, spoken


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        (">=1,<2", ["1.0.0", "1.9.9"], ["0.9.9", "2.0.0"]),
        (">=1.0 <2.0", ["1.0", "1.5"], ["2"]),
        (">=1.0, <2.0", ["1.0"], ["2"]),
        ("1.2.3", ["1.2.3"], ["1.2.4"]),
        ("==1.2", ["1.2.0"], ["1.2.1"]),
        ("=1.2", ["1.2.0"], ["1.3.0"]),
        ("!=1.2.0", ["1.2.1"], ["1.2.0"]),
        (">1.2.0", ["1.2.1"], ["1.2.0"]),
        ("<=1.2.0", ["1.2.0"], ["1.2.1"]),
        (">=1.0.0-rc.1", ["1.0.0-rc.2", "1.0.0"], ["1.0.0-alpha"]),
        ("<1.0.0", ["1.0.0-rc.1"], ["1.0.0"]),
    ],
)
def test_a_range_holds_exactly_what_its_comparisons_hold(text, inside, outside):
    found = VersionRange.parse(text)
    assert [version for version in inside if version not in found] == []
    assert [version for version in outside if version in found] == []


@pytest.mark.parametrize(
    "text", ["", " ", ",", "about 1", "^1.2", "~1", ">= ", "1.2.3.4", ">=1..2"]
)
def test_what_is_no_range_is_refused(text):
    with pytest.raises(ValueError, match=r"comparison"):
        VersionRange.parse(text)


@pytest.mark.parametrize(("text", "whole"), [("1", "1.0.0"), ("1.2", "1.2.0"), ("1.2.3", "1.2.3")])
def test_a_short_version_is_completed_by_zeros(text, whole):
    assert str(as_version(text)) == whole


@pytest.mark.parametrize("text", ["", "v1", "1.2.3.4", "one"])
def test_what_is_no_version_is_refused(text):
    with pytest.raises(ValueError, match="not valid"):
        as_version(text)


@pytest.mark.parametrize(
    ("declared", "version"),
    [
        (">=1.0 <2.0", "1.1"),
        (">=1.1", "1.1"),
        ("1.0", "1.0"),
        (">=1.0 <1.1", "1.0"),
        (">=1.2", None),
        ("<1", None),
    ],
)
def test_the_newest_version_that_both_know_is_spoken(declared, version):
    assert spoken(declared) == version


def test_the_newest_version_comes_first():
    assert CONTRACT_VERSIONS == ("1.1", "1.0")
    assert CONTRACT_VERSIONS[0] == CONTRACT_VERSION
