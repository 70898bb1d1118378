"""The API's own pages: links to start from, and the description of the API. No scripts."""

import base64
import hashlib
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from quart import Response

from mymozhem.contract import JsonObject

_TEMPLATES = Environment(
    loader=PackageLoader("mymozhem.api", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_STYLE = _TEMPLATES.get_template("style.css").render()
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


def front_page(address: str) -> Response:
    """Return the page at the root, with links to start from."""
    return _response(_html("front.html", address=address))


def docs_page(html: bytes) -> Response:
    """Return the response that sends a page of `docs_html`."""
    return _response(html)


def docs_html(document: JsonObject) -> bytes:
    """Return the API's description as a page: every operation, by its tag."""
    by_tag: dict[str, list[dict[str, Any]]] = {}
    paths: Any = document["paths"]
    for path, methods in paths.items():
        for method, operation in methods.items():
            shown = {"path": path, "method": method.upper(), **operation}
            by_tag.setdefault(operation["tags"][0], []).append(shown)
    return _html("docs.html", document=document, by_tag=by_tag)


def _html(name: str, **values: object) -> bytes:
    return _TEMPLATES.get_template(name).render(style=_STYLE, **values).encode()


def _response(html: bytes) -> Response:
    response = Response(html, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _POLICY
    return response
