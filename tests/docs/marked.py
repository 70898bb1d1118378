"""Pages with parts that follow from the code; each part is between two marks, the rest is prose."""

from collections.abc import Callable, Mapping
from pathlib import Path

Parts = Mapping[str, Callable[[], str]]


def filled(text: str, parts: Parts) -> str:
    """Return a page with its marked parts written again. ValueError if a mark is missing."""
    for name, part in parts.items():
        begin = f"<!-- {name}: written by `python -m tests.docs.write` -->"
        end = f"<!-- /{name} -->"
        if text.count(begin) != 1 or text.count(end) != 1:
            message = f"the page needs one {begin} and one {end}"
            raise ValueError(message)
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n\n{part()}\n\n{end}{after}"
    return text


def page(path: Path, parts: Parts) -> Callable[[], str]:
    """Return what writes the marked parts of a page."""
    return lambda: filled(path.read_text(encoding="utf-8"), parts)
