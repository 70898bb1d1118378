"""Log lines with the ids of their request, room and call; for people or for programs."""

import logging
import sys
from collections.abc import Mapping

import structlog
from structlog.typing import EventDict, Processor

from mymozhem.config import Settings

from .exception_text import cut, exception_text, write_exception

HIDDEN = "(hidden)"
#: fields that are never logged, by a part of their names
_SECRET = ("password", "token", "secret", "authorization", "cookie")


def hide_secrets(_logger: object, _method: str, line: EventDict) -> EventDict:
    """Hide the values of fields whose names suggest secrets, at any depth; cut long texts."""
    return {name: _shown(name, value) for name, value in line.items()}


def _shown(name: object, value: object) -> object:
    if any(part in str(name).lower() for part in _SECRET):
        return HIDDEN
    if isinstance(value, Mapping):
        return {key: _shown(key, each) for key, each in value.items()}
    return cut(value) if isinstance(value, str) else value


_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    hide_secrets,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)

# Always the same list: loggers that were used before keep a reference to it.
_OURS: list[Processor] = [
    structlog.stdlib.filter_by_level,
    *_SHARED,
    structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
]


def configure_logging(settings: Settings) -> None:
    """Write log lines to standard error as `log_format` and `log_level` say. Idempotent.

    Tracebacks never show the values of variables: those may be tokens, or secrets of draws.
    """
    structlog.configure(
        processors=_OURS,
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(settings))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())


def _cut_line(_logger: object, _method: str, line: EventDict) -> EventDict:
    """Cut the message, which other loggers have filled in by now."""
    line["event"] = cut(str(line.get("event", "")))
    return line


def _formatter(settings: Settings) -> logging.Formatter:
    last: list[Processor]
    if settings.log_format == "json":
        exceptions = structlog.processors.ExceptionRenderer(exception_text)
        last = [exceptions, _cut_line, structlog.processors.JSONRenderer()]
    else:
        colours = sys.stderr.isatty()
        console = structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=write_exception)
        last = [_cut_line, console]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )
