"""Where the manifest schemas and examples lie, in a wheel as in a checkout."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path


def resource_root() -> Traversable:
    """Open `v1/manifest.schema.json` and everything else below `manifests/` from here.

    An installed wheel carries the folder inside the package; an editable install has none there and
    reads the checkout's own. Opens no file, and may be called as often as one likes. Raises
    FileNotFoundError where neither exists, which means that the installation is broken.
    """
    packaged = files("mymozhem") / "_manifests"
    if packaged.is_dir():
        return packaged
    checkout = Path(__file__).resolve().parents[2] / "manifests"
    if checkout.is_dir():
        return checkout
    message = f"The manifest schemas are missing, at {packaged} and at {checkout}: install again."
    raise FileNotFoundError(message)
