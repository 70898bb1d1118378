"""Write the pages, and the parts of pages, that follow from the code.

`python -m tests.docs.write` writes them; a test fails where one is not what would be written.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from mymozhem.cli.reference_pages import cli_page, settings_page

from .contract_page import contract_parts
from .events_page import events_page
from .hook_pages import effect_parts, hook_parts
from .marked import page
from .rest_page import rest_parts

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"
#: pages of prose, with parts between marks
_MARKED = {**contract_parts(), **hook_parts(), **effect_parts(), "rest.md": rest_parts()}

#: every page that is written from the code, and what writes it
PAGES: Mapping[Path, Callable[[], str]] = {
    REFERENCE / "cli.md": cli_page,
    REFERENCE / "events.md": events_page,
    REFERENCE / "settings.md": settings_page,
    **{REFERENCE / name: page(REFERENCE / name, parts) for name, parts in _MARKED.items()},
}

if __name__ == "__main__":
    for path, written in PAGES.items():
        path.write_text(written(), encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
