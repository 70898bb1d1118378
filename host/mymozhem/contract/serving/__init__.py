"""The implementation of `mymozhem.contract.serve`: an app as a web service."""
