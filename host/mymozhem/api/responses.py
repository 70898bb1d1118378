"""Responses: the envelope of every success."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from quart import Response

from .json_provider import dumps

T = TypeVar("T")


class Meta(BaseModel):
    """Facts about a response; empty if there are none."""

    model_config = ConfigDict(frozen=True, defer_build=True)


class ListMeta(BaseModel):
    """Which page of a list this is."""

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, populate_by_name=True, defer_build=True
    )

    page: int = Field(ge=1)
    limit: int = Field(ge=1, le=100)
    total: int = Field(ge=0)
    total_pages: int = Field(ge=0)


class Envelope(BaseModel, Generic[T]):
    """One resource."""

    data: T
    meta: Meta


class ListEnvelope(BaseModel, Generic[T]):
    """A page of a list."""

    data: list[T]
    meta: ListMeta


@dataclass(frozen=True)
class Answer(Generic[T]):
    """A success with more than its data."""

    data: T
    status: int | None = None
    etag: str | None = None


@dataclass(frozen=True)
class Page(Generic[T]):
    """A page of a list; `total` counts the whole list."""

    items: list[T]
    page: int
    limit: int
    total: int

    @property
    def meta(self) -> ListMeta:
        """The position of this page."""
        pages = -(-self.total // self.limit)
        return ListMeta(page=self.page, limit=self.limit, total=self.total, total_pages=pages)


@dataclass(frozen=True)
class Reply:
    """A response, ready to be sent or to be stored for repeated requests."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """Return the response for the server to send."""
        sent = Response(self.body, status=self.status, headers=self.headers)
        if self.body:
            sent.content_type = "application/json"
        else:
            sent.headers.pop("Content-Type", None)
        return sent


def reply(answer: object, *, status: int) -> Reply:
    """Return a handler's result in its envelope."""
    if isinstance(answer, Page):
        return Reply(status, dumps({"data": answer.items, "meta": answer.meta}))
    if isinstance(answer, Answer):
        headers = {"ETag": answer.etag} if answer.etag else {}
        body = dumps({"data": answer.data, "meta": {}})
        return Reply(answer.status or status, body, headers)
    return Reply(status, dumps({"data": answer, "meta": {}}))
