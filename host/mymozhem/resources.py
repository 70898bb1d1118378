"""Find the manifest schemas and examples, in a wheel and in a checkout."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path


def resource_root() -> Traversable:
    """Return the folder of `v1/manifest.schema.json` and everything else below `manifests/`.

    An installed wheel has the folder inside the package; an editable install has none there and
    uses the checkout's own. Opens no file; cheap to call. Raises FileNotFoundError if neither
    exists, which means that the installation is broken.
    """
    packaged = files("mymozhem") / "_manifests"
    if packaged.is_dir():
        return packaged
    checkout = Path(__file__).resolve().parents[2] / "manifests"
    if checkout.is_dir():
        return checkout
    message = f"The manifest schemas are missing, at {packaged} and at {checkout}: install again."
    raise FileNotFoundError(message)
