"""Versions of apps that another process published a moment ago, and this one has not heard of."""

from mymozhem.errors import NotFound

_CODE = "APP_NOT_FOUND"


def is_unheard(error: NotFound) -> bool:
    """Tell whether work is to be left to others, or for a moment, as its app is not known here."""
    return error.code == _CODE
