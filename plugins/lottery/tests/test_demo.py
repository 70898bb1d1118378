"""What the lottery shows of itself fits its own manifest, and the people of its evening differ."""

import pytest

from mymozhem.contract import RoomStatus, read_manifest
from mymozhem.contract.fair import public_text
from mymozhem.contract.fair.rfc3797 import positions, selection_key
from mymozhem_lottery import demo
from mymozhem_lottery.settings import Settings

MANIFEST = read_manifest("mymozhem_lottery")


def test_there_is_a_sample_of_every_status_and_each_has_a_name_of_its_own():
    assert {sample.status for sample in demo.SAMPLES} == set(RoomStatus)
    assert len({sample.name for sample in demo.SAMPLES}) == len(demo.SAMPLES)


@pytest.mark.parametrize("sample", demo.SAMPLES, ids=lambda sample: sample.name)
def test_a_sample_sets_and_does_only_what_the_manifest_knows(sample):
    assert sample.settings.keys() <= MANIFEST["settings"]["properties"].keys()
    Settings.model_validate(sample.settings)
    assert {step.action for step in sample.actions} <= MANIFEST["actions"].keys()
    assert sample.handed_over <= sum(prize.quantity for prize in sample.prizes)


def test_everybody_of_the_evening_has_a_name_of_their_own():
    people = demo.PEOPLE[: demo.NOMCOM_POOL]
    assert (len(people), len(set(people))) == (demo.NOMCOM_POOL, demo.NOMCOM_POOL)
    assert len(demo.PRIZES) == len(demo.NOMCOM_POSITIONS)


def test_the_published_numbers_give_the_published_positions():
    key = selection_key([public_text(tuple(numbers)) for _, numbers in demo.NOMCOM_SOURCES])
    drawn = positions(key, pool=demo.NOMCOM_POOL)
    assert tuple(next(drawn) for _ in demo.NOMCOM_POSITIONS) == demo.NOMCOM_POSITIONS
