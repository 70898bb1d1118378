"""Read the documents that an app ships in its package."""

import json
from importlib.resources import files

from .wire import JsonObject


def read_manifest(package: str, name: str = "manifest.json") -> JsonObject:
    """Return the manifest that a package ships beside its code; pass `__package__`.

    FileNotFoundError if it is missing, ValueError if it is no JSON object. The host checks the
    document itself, strictly, when it loads the app.
    """
    document = json.loads(files(package).joinpath(name).read_bytes())
    if not isinstance(document, dict):
        msg = f"{name} of {package} is no JSON object"
        raise ValueError(msg)  # noqa: TRY004  a wrong document, not a wrong argument
    return document
