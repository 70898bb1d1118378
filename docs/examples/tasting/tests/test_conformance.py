from mymozhem.testing import conformance

TestConformance = conformance("mymozhem_tasting")
