"""The process behind `mymozhem app dev`."""

import pytest

from mymozhem.devtools import dev_process


@pytest.mark.parametrize("name", ["MYMOZHEM_HOST", "mymozhem_host"])
def test_a_host_with_demo_logins_is_for_this_machine_alone(monkeypatch, tmp_path, name):
    monkeypatch.setenv(name, "0.0.0.0")
    assert dev_process.settings_of(tmp_path, 0).host == "127.0.0.1"
