"""Routes as values: their parameters and results come from the handlers' annotations."""

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from quart import Response

from mymozhem.auth.access_rules import Rule
from mymozhem.auth.access_table import rule_for

from .idempotency import Repeat
from .request_parsing import Query
from .responses import Answer, Page

Handler = Callable[..., Awaitable[object]]
H = TypeVar("H", bound=Handler)

BODY_BYTES = 256 * 1024
_PARAMETER = re.compile(r"{([a-zA-Z]+)}")
_OUTSIDE = ("/api/", "/health/", "/metrics", "/openapi.json", "/docs", "/.well-known/")


@dataclass(frozen=True)
class Route:
    """One endpoint: a row of the table of access, and the handler that serves it.

    `endpoint` is the row's name, such as `GET /rooms/{id}`. `data` is the type of its result; None
    for a response that is no JSON, whose media type is in `produces`.
    `files` says whether a list can also be downloaded as a file.
    """

    endpoint: str
    handler: Handler
    tag: str
    body: type[BaseModel] | None
    query: type[Query] | None
    data: Any
    listed: bool
    status: int
    produces: str | None
    files: bool
    raw: bool
    max_bytes: int
    anonymous: bool
    repeat: Repeat
    refuses: frozenset[int]
    takes: type[BaseModel] | None
    uploads: tuple[str, ...]
    shape: type[BaseModel] | Mapping[str, object] | None
    enveloped: bool

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self.endpoint.partition(" ")[0]

    @property
    def path(self) -> str:
        """The whole path, with its parameters in braces."""
        path = self.endpoint.partition(" ")[2]
        return path if path == "/" or path.startswith(_OUTSIDE) else f"/api/v1{path}"

    @property
    def rule(self) -> Rule:
        """Who may call it; KeyError if the table of access has no row."""
        return rule_for(self.endpoint)

    @property
    def pattern(self) -> str:
        """The path in the syntax of Quart's router."""
        return _PARAMETER.sub(lambda found: f"<{snake(found[1])}>", self.path)

    @property
    def operation_id(self) -> str:
        """A name for generated clients, such as `getRoom`: that of the handler."""
        words = [word for word in self.handler.__name__.split("_") if word not in ("a", "an")]
        return words[0] + "".join(word.capitalize() for word in words[1:])


class Routes:
    """The routes of one resource, in the order in which they are documented."""

    def __init__(self, tag: str, about: str) -> None:
        self.tag = tag
        self.about = about
        self.routes: list[Route] = []

    def add(  # noqa: PLR0913  all that a route may say, by name
        self,
        endpoint: str,
        *,
        status: int = 200,
        produces: str | None = None,
        anonymous: bool = False,
        repeat: Repeat = Repeat.SAME,
        max_bytes: int = BODY_BYTES,
        refuses: frozenset[int] = frozenset(),
        takes: type[BaseModel] | None = None,
        shape: type[BaseModel] | Mapping[str, object] | None = None,
        enveloped: bool = False,
    ) -> Callable[[H], H]:
        """Register a handler under its row in the table of access.

        `anonymous` routes ignore tokens; `refuses` names statuses beyond those of every such route.
        A handler that reads the `raw` body documents what it `takes`; its annotation names media
        types that can be uploaded besides JSON, such as `Annotated[bytes, "text/csv"]`. `shape` is
        the schema of what a route `produces`, by default text; `enveloped` if it is the data of the
        usual envelope.
        """

        def register(handler: H) -> H:
            hints = get_type_hints(handler, include_extras=True)
            returned, files = _without_files(hints.get("return"))
            data, listed = _data(returned)
            if data is None and produces is None:  # clients read the body of every response
                raise TypeError(f"{endpoint}: say what its response holds")
            self.routes.append(
                Route(
                    endpoint=endpoint,
                    handler=handler,
                    tag=self.tag,
                    body=hints.get("body"),
                    query=hints.get("query"),
                    data=data,
                    listed=listed,
                    status=status,
                    produces=produces,
                    files=files,
                    raw="raw" in inspect.signature(handler).parameters,
                    max_bytes=max_bytes,
                    anonymous=anonymous,
                    repeat=repeat,
                    refuses=refuses,
                    takes=takes or hints.get("body"),
                    uploads=get_args(hints.get("raw"))[1:],
                    shape=shape,
                    enveloped=enveloped,
                )
            )
            return handler

        return register


def snake(name: str) -> str:
    """Return a name in snake case: `prizeId` as `prize_id`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _without_files(annotation: Any) -> tuple[Any, bool]:  # noqa: ANN401 - any annotation at all
    """Return the JSON type of `Page[X] | Response`, and whether it is also sent as a file."""
    others = [each for each in get_args(annotation) if each is not Response]
    if get_origin(annotation) in (Union, UnionType) and len(others) == 1:
        return others[0], True
    return annotation, False


def _data(annotation: Any) -> tuple[Any, bool]:  # noqa: ANN401 - any annotation at all
    if annotation in (None, type(None), Response):
        return None, False
    origin = get_origin(annotation)
    if origin in (Page, Answer):
        return _described(get_args(annotation)[0]), origin is Page
    return annotation, False


def _described(given: Any) -> Any:  # noqa: ANN401 - any annotation at all
    """Return the model that documents a type: the second of `Annotated[JsonObject, RoomView]`."""
    return get_args(given)[1] if get_origin(given) is Annotated else given
