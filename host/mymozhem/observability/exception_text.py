"""Exceptions as text of a bounded length, whatever an app raised.

An app may raise an exception with a message of a hundred megabytes, a thousand levels deep, or at
the end of a long chain. A log line of each would fill the disk, and take the time of everybody.
"""

from collections.abc import Iterator
from traceback import StackSummary, walk_tb
from types import TracebackType
from typing import Final, TextIO

MAX_MESSAGE: Final = 2_000
#: the frames of one traceback that are shown: where the error was caught, and where it was raised
FIRST_FRAMES: Final = 10
LAST_FRAMES: Final = 20
#: exceptions of a chain, and of a group with the groups inside it
MAX_EXCEPTIONS: Final = 8
MAX_TEXT: Final = 64_000

ExceptionInfo = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)

_CAUSE = "The above exception was the direct cause of the following exception:"
_CONTEXT = "During handling of the above exception, another exception occurred:"


def cut(text: str, most: int = MAX_TEXT) -> str:
    """Return a text, with its middle left out if it is longer than `most` characters."""
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}… ({len(text) - 2 * half:,} characters left out) …{text[-half:]}"


def exception_text(exc_info: ExceptionInfo) -> str:
    """Return traceback and message of an exception, of its causes, and of its group; or nothing."""
    return "" if exc_info[1] is None else cut("\n".join(_chain(exc_info[1])))


def write_exception(target: TextIO, info: ExceptionInfo) -> None:
    """Write what `exception_text` returns, as structlog's console wants it."""
    target.write(exception_text(info) + "\n")


def _chain(raised: BaseException) -> Iterator[str]:
    """Yield the lines of an exception and of its causes, the first cause first."""
    links: list[tuple[BaseException, str | None]] = [(raised, None)]
    seen = {id(raised)}
    while (found := _before(links[-1][0])) is not None and id(found[0]) not in seen:
        if len(links) == MAX_EXCEPTIONS:
            yield "(earlier exceptions are left out)\n"
            break
        links.append(found)
        seen.add(id(found[0]))
    for error, joint in reversed(links):
        yield from _one(error)
        if joint is not None:
            yield f"\n{joint}\n"


def _before(error: BaseException) -> tuple[BaseException, str] | None:
    if error.__cause__ is not None:
        return error.__cause__, _CAUSE
    if error.__context__ is not None and not error.__suppress_context__:
        return error.__context__, _CONTEXT
    return None


def _one(error: BaseException) -> Iterator[str]:
    if error.__traceback__ is not None:
        yield "Traceback (most recent call last):"
        yield from _frames(error.__traceback__)
    yield _message(error)
    notes = getattr(error, "__notes__", None)
    for note in notes[:MAX_EXCEPTIONS] if isinstance(notes, list) else ():
        yield cut(str(note), MAX_MESSAGE)
    if isinstance(error, BaseExceptionGroup):
        yield from _group(error)


def _frames(traceback: TracebackType) -> Iterator[str]:
    count = sum(1 for _ in walk_tb(traceback))
    if count <= FIRST_FRAMES + LAST_FRAMES:
        yield from _formatted(traceback, count)
        return
    yield from _formatted(traceback, FIRST_FRAMES)
    yield f"  ({count - FIRST_FRAMES - LAST_FRAMES:,} frames are left out)"
    yield from _formatted(traceback, -LAST_FRAMES)


def _formatted(traceback: TracebackType, limit: int) -> Iterator[str]:
    for text in StackSummary.extract(walk_tb(traceback), limit=limit).format():
        yield cut(text.rstrip("\n"), MAX_MESSAGE)


def _message(error: BaseException) -> str:
    kind = type(error)
    name = (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else (f"{kind.__module__}.{kind.__qualname__}")
    )
    try:
        said = str(error)
    except Exception:  # noqa: BLE001  an app's exception may fail to say anything
        said = "<the exception has no readable message>"
    return f"{cut(name, MAX_MESSAGE)}: {cut(said, MAX_MESSAGE)}" if said else cut(name, MAX_MESSAGE)


def _group(group: BaseExceptionGroup[BaseException]) -> Iterator[str]:
    waiting: list[BaseException] = list(reversed(group.exceptions))
    shown = 0
    while waiting:
        if shown == MAX_EXCEPTIONS:
            yield f"({len(waiting):,} more exceptions of the group are left out)"
            return
        error = waiting.pop()
        shown += 1
        yield f"\nException {shown} of the group:"
        if error.__traceback__ is not None:
            yield from _frames(error.__traceback__)
        yield _message(error)
        if isinstance(error, BaseExceptionGroup):
            waiting.extend(reversed(error.exceptions))
