"""A plugin's manifest becomes the manifest of a remote app."""

import copy
import json
from pathlib import Path

import pytest

from mymozhem.contract.serve import remote_manifest
from mymozhem.manifests.validate import validate_manifest

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = sorted(
    [*ROOT.glob("plugins/*/src/*/manifest.json"), *ROOT.glob("docs/examples/*/src/*/manifest.json")]
)
SMALL = {
    "id": "counter",
    "meta": {"name": "Counter", "version": "1.0.0", "description": "Counts."},
    "permissions": [],
    "capabilities": ["actions", "timers", "windows"],
    "policies": {
        "actions": {"timeout": 100},
        "timers": {"timeout": 3000, "onFailure": "fail"},
        "windows": {"onFailure": "queue"},
    },
}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.parent.name)
def test_the_manifest_of_a_shipped_app_is_valid_as_that_of_a_remote_one(path):
    document = json.loads(path.read_text())
    remote = remote_manifest(document, "https://apps.example.org/one")
    report = validate_manifest(remote)
    assert report.problems == ()
    assert report.manifest.is_remote
    for capability in report.manifest.capabilities:
        assert report.manifest.webhook(capability).path == "/hooks"


def test_nothing_but_address_paths_and_short_timeouts_changes():
    before = copy.deepcopy(SMALL)
    remote = remote_manifest(SMALL, "https://apps.example.org/", path="/draw")
    assert before == SMALL
    assert remote["baseUrl"] == "https://apps.example.org"
    assert remote["webhooks"] == "/draw"
    assert remote["policies"] == {**SMALL["policies"], "actions": {"timeout": 2000}}
    assert remote["manifestVersion"] == 1
    kept = {"baseUrl", "webhooks", "policies", "manifestVersion"}
    assert {key: each for key, each in remote.items() if key not in kept} == {
        key: each for key, each in SMALL.items() if key != "policies"
    }
    assert validate_manifest(remote).problems == ()


def test_what_is_wrong_with_a_manifest_stays_for_the_validator_to_say():
    remote = remote_manifest({"policies": {"actions": 7}}, "https://apps.example.org")
    assert validate_manifest(remote).problems


def test_an_app_that_was_remote_moves():
    first = remote_manifest(SMALL, "https://one.example.org")
    assert remote_manifest(first, "http://127.0.0.1:9001")["baseUrl"] == "http://127.0.0.1:9001"
