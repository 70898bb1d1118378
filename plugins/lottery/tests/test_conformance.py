from pathlib import Path

from mymozhem.testing import conformance, migrations

TestConformance = conformance("lottery")

RELEASES = Path(__file__).resolve().parents[3] / "tests" / "releases"

TestMigrations = migrations("lottery", since=[RELEASES / "mymozhem_lottery-1.0.0-py3-none-any.whl"])
