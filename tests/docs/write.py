"""Write the pages, and the parts of pages, that follow from the code.

`python -m tests.docs.write` writes them; a test fails where one is not what would be written.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from mymozhem.cli.reference_pages import cli_page, settings_page

from .contract_page import contract_page
from .events_page import events_page
from .rest_page import filled

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"


def _rest_page() -> str:
    return filled((REFERENCE / "rest.md").read_text(encoding="utf-8"))


#: every page that is written from the code, and what writes it
PAGES: Mapping[Path, Callable[[], str]] = {
    REFERENCE / "cli.md": cli_page,
    REFERENCE / "contract.md": contract_page,
    REFERENCE / "events.md": events_page,
    REFERENCE / "rest.md": _rest_page,
    REFERENCE / "settings.md": settings_page,
}

if __name__ == "__main__":
    for path, page in PAGES.items():
        path.write_text(page(), encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
