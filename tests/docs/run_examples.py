"""Run the Python on a page as one script; `await` may stand outside of functions, as in a REPL."""

import ast
import asyncio
import inspect
from pathlib import Path

from .blocks import Block, blocks


def examples(page: Path) -> list[Block]:
    """Return the blocks of Python of a page that are no files."""
    return [each for each in blocks(page) if each.language == "python" and each.file is None]


def run(page: Path) -> dict[str, object]:
    """Run the blocks of a page one after the other, and return the names that they define."""
    names: dict[str, object] = {"__name__": "example"}
    asyncio.run(_run(examples(page), names))
    return names


async def _run(found: list[Block], names: dict[str, object]) -> None:
    for block in found:
        # The lines of a failure are those of the page.
        text = "\n" * block.line + block.text
        code = compile(text, str(block.page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        done = eval(code, names)
        if inspect.iscoroutine(done):
            await done
