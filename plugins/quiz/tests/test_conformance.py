from mymozhem.testing import conformance

TestConformance = conformance("quiz")
