"""Run the benchmarks and print one table; names choose some of them.

    python -m tests.benchmarks [--write] [dispatch tokens …]

Each runs in a process of its own. `--write` puts the table of all into the reference.
"""

import os
import platform
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

import click

from .figures import Figure, measured

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "reference" / "benchmarks.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
HEAD = ("what", "bare", "ours", "ratio", "target", "met")
NAMES = tuple(sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py")))


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(NAMES), metavar="[NAME]...")
@click.option("--write", is_flag=True, help="Put the table into docs/reference/benchmarks.md.")
def main(names: Sequence[str], *, write: bool) -> None:
    """Measure, and print what, bare, ours, ratio, target and whether it is met."""
    if write and names:
        raise click.UsageError("The reference has every row: --write takes no names.")
    figures = [figure for name in names or NAMES for figure in _in_child(name)]
    text = table(figures)
    click.echo(text)
    if write:
        write_page(text)


def _in_child(name: str) -> list[Figure]:
    click.echo(f"measuring {name}", err=True)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measured, name).result()


def table(figures: Iterable[Figure]) -> str:
    """Return the figures as a table of Markdown."""
    rows = [
        (each.what, each.bare, each.ours, each.ratio, each.target, "yes" if each.met else "**no**")
        for each in figures
    ]
    lines = [HEAD, ("---",) * len(HEAD), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write_page(text: str) -> None:
    """Replace what was measured last in the page of the reference; its other words stay."""
    page = PAGE.read_text(encoding="utf-8")
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    measured = f"{BEGIN}\n\n{machine()}\n\n{text}\n\n{END}"
    PAGE.write_text(before + measured + after, encoding="utf-8")


def machine() -> str:
    """Return when and on what it was measured."""
    today = datetime.now(UTC).date().isoformat()
    return (
        f"Measured on {today} with Python {platform.python_version()} on {platform.system()}, "
        f"{platform.machine()}, {os.cpu_count()} cores shared with other work."
    )


if __name__ == "__main__":
    sys.exit(main())
