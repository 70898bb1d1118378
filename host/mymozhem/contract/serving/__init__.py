"""An app as a web service of its own; `mymozhem.contract.serve` is the entrance."""
