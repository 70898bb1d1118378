import hashlib
import zipfile

import pytest

from mymozhem.registry.isolated.wheels import NotAWheel, altered, normal, read_wheel
from tests.support.wheels import app_source, write_app, write_wheel

SOURCE = {"acme_counter.py": app_source("1.0.0")}


def test_a_wheel_says_what_it_offers_without_running(tmp_path):
    path = write_app(tmp_path, "1.2.0", head="raise SystemExit('imported')")
    wheel = read_wheel(path)
    assert (wheel.distribution, wheel.version, wheel.app_id) == ("acme-counter", "1.2.0", "counter")
    assert wheel.entry_point == "acme_counter"
    assert wheel.digest == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("apps", "reason"),
    [
        ({}, "it offers none"),
        ({"one": "acme_counter", "two": "acme_counter"}, "it offers one, two"),
    ],
)
def test_a_wheel_that_does_not_offer_one_app_is_none(tmp_path, apps, reason):
    path = write_wheel(tmp_path, "acme-counter", "1.0.0", SOURCE, apps=apps)
    with pytest.raises(NotAWheel, match=reason):
        read_wheel(path)


@pytest.mark.parametrize("version", ["../1", "1/../../x", "", "1 0"])
def test_a_version_that_would_leave_its_folder_is_none(tmp_path, version):
    name = "acme_counter-1.dist-info"
    path = tmp_path / "odd.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}/METADATA", f"Name: acme-counter\nVersion: {version}\n")
        archive.writestr(f"{name}/entry_points.txt", "[mymozhem.apps]\ncounter = acme_counter\n")
    with pytest.raises(NotAWheel, match="no proper distribution and version"):
        read_wheel(path)


def test_what_is_no_archive_is_no_wheel(tmp_path):
    (tmp_path / "text.whl").write_text("not a wheel")
    with pytest.raises(NotAWheel, match="cannot be read as a wheel"):
        read_wheel(tmp_path / "text.whl")
    with zipfile.ZipFile(tmp_path / "empty.whl", "w"):
        pass
    with pytest.raises(NotAWheel, match="no metadata"):
        read_wheel(tmp_path / "empty.whl")


def test_what_was_unpacked_is_compared_file_by_file(tmp_path):
    path, site = write_app(tmp_path), tmp_path / "site"
    with zipfile.ZipFile(path) as archive:
        archive.extractall(site)
    (site / "acme_counter-1.0.0.dist-info" / "RECORD").write_text("as pip writes it")
    assert altered(path, site) is None
    (site / "acme_counter.py").write_text("other code")
    assert altered(path, site) == "acme_counter.py"
    (site / "acme_counter.py").unlink()
    assert altered(path, site) == "acme_counter.py"


@pytest.mark.parametrize("kind", ["purelib", "platlib"])
def test_code_that_a_wheel_keeps_among_its_data_is_compared_too(tmp_path, kind):
    data = f"acme_counter-1.0.0.data/{kind}/acme_counter.py"
    script = "acme_counter-1.0.0.data/scripts/acme"
    path = write_wheel(tmp_path, "acme-counter", "1.0.0", {data: "code", script: "#!python"})
    site = tmp_path / "site"
    with zipfile.ZipFile(path) as archive:
        archive.extractall(site)
    (site / "acme_counter.py").write_text("code")
    assert altered(path, site) is None
    (site / "acme_counter.py").write_text("other code")
    assert altered(path, site) == "acme_counter.py"


def test_a_damaged_wheel_is_none(tmp_path):
    whole = write_app(tmp_path).read_bytes()
    at = whole.index(b"Metadata-Version")
    (tmp_path / "damaged.whl").write_bytes(whole[:at] + b"?" + whole[at + 1 :])
    with pytest.raises(NotAWheel, match="cannot be read as a wheel"):
        read_wheel(tmp_path / "damaged.whl")


@pytest.mark.parametrize("name", ["Acme.Counter", "acme_counter", "acme-_.counter", "acme-counter"])
def test_names_are_compared_as_indexes_do(name):
    assert normal(name) == "acme-counter"
