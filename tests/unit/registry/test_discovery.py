import sys

import pytest

from mymozhem.registry import discovery


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put the metadata of a package on the path, with a module that must not be imported."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(distribution: str, app_id: str) -> None:
        info = tmp_path / f"{distribution.replace('-', '_')}-1.0.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0.0\n"
        )
        (info / "entry_points.txt").write_text(f"[{discovery.GROUP}]\n{app_id} = never_imported\n")
        (tmp_path / "never_imported.py").write_text("raise SystemExit('imported')")

    return install


def test_installed_apps_are_found_without_importing_them(install):
    install("acme-auction", "auction")
    [found] = [app for app in discovery.discover() if app.app_id == "auction"]
    assert (found.distribution, found.version) == ("acme-auction", "1.0.0")
    assert "never_imported" not in sys.modules


def test_an_id_that_two_packages_offer_is_seen_twice(install):
    install("acme-auction", "auction")
    install("other-auction", "auction")
    both = discovery.by_id(discovery.discover())["auction"]
    assert [app.distribution for app in both] == ["acme-auction", "other-auction"]
