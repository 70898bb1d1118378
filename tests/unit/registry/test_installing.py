import pytest

from mymozhem.config import Settings
from mymozhem.registry.isolated.install import InstallFailed, Pinned, install


@pytest.mark.parametrize(
    ("text", "distribution", "version"),
    [
        ("acme-counter==1.2.0", "acme-counter", "1.2.0"),
        (" Acme_Counter == 1.2.0rc1 ", "acme-counter", "1.2.0rc1"),
        ("acme.counter==1!2.0+local", "acme-counter", "1!2.0+local"),
    ],
)
def test_one_version_of_one_distribution_is_pinned(text, distribution, version):
    assert Pinned.parse(text) == Pinned(distribution, version)


@pytest.mark.parametrize(
    "requirement",
    [
        "acme-counter",
        "acme-counter>=1",
        "acme-counter==1.*",
        "acme-counter===1.0",
        "acme-counter[extra]==1.0",
        "acme-counter==1.0; python_version>'3'",
        "acme-counter==1.0,<2",
        "--pre",
        "acme-counter @ file:///x.whl",
        "absent.whl",
        "/absent/folder",
        "",
    ],
)
def test_all_else_is_refused_before_anything_is_done(tmp_path, requirement):
    settings = Settings(_env_file=None, data_dir=tmp_path / "data")
    with pytest.raises(InstallFailed, match=r"Write one version as 'acme-auction==1\.2\.0'"):
        install(requirement, settings)
    assert [each.name for each in (tmp_path / "data-environments").iterdir()] == [".lock"]
