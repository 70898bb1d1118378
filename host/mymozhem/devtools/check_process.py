"""The process that imports an app to check it: loads it, and runs the conformance kit."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from mymozhem.contract import JsonObject
from mymozhem.registry.discovery import by_id, discover
from mymozhem.registry.loaded_code import Refused
from mymozhem.registry.loader import load
from mymozhem.testing import Finding as Held
from mymozhem.testing import report

from .report import Finding, Level, found


def main(app_id: str, file: str, strict: str) -> int:
    """Write the findings about an installed app to a file: `{manifest, findings}`."""
    document, findings = _inspected(app_id, strict=bool(strict))
    said = {"manifest": document, "findings": [asdict(each) for each in findings]}
    Path(file).write_text(json.dumps(said), encoding="utf-8")
    return 0


def _inspected(app_id: str, *, strict: bool) -> tuple[JsonObject | None, list[Finding]]:
    code = load(by_id(discover())[app_id][0])
    if isinstance(code, Refused):
        return None, [found("manifest", "The platform does not take the app.", code.reasons)]
    name = f"{code.manifest.meta.name} {code.manifest.version} is valid, digest "
    first = Finding("manifest", Level.OK, f"{name}{code.manifest.digest[:12]}…")
    return code.manifest.document, [first, *(_held(each) for each in report(app_id, strict=strict))]


def _held(finding: Held) -> Finding:
    if finding.skipped is not None:
        return Finding("kit", Level.SKIPPED, finding.sentence, (finding.skipped,))
    worst = Level.REMARK if finding.is_remark else Level.PROBLEM
    return found("kit", finding.sentence, finding.problems, worst)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
