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
from mymozhem.testing.conformance_kit import findings
from mymozhem.testing.conformance_run import ConformanceRun, NothingToTry

from .report import REACH, Finding, Level, found


def main(app_id: str, file: str) -> int:
    """Write the findings about an installed app to a file: `{manifest, findings, evidence}`."""
    document, found_, evidence = _inspected(app_id)
    rows = [asdict(each) for each in found_]
    said = {"manifest": document, "findings": rows, "evidence": evidence}
    Path(file).write_text(json.dumps(said), encoding="utf-8")
    return 0


def _inspected(app_id: str) -> tuple[JsonObject | None, list[Finding], JsonObject | None]:
    code = load(by_id(discover())[app_id][0])
    if isinstance(code, Refused):
        refused = found("manifest", "The platform does not take the app.", code.reasons)
        return None, [refused], None
    name = f"{code.manifest.meta.name} {code.manifest.version} is valid, digest "
    first = Finding("manifest", Level.OK, f"{name}{code.manifest.digest[:12]}…")
    trial = ConformanceRun(app_id)
    rows = [first, *(held(each) for each in findings(trial))]
    return code.manifest.document, rows, evidence_of(trial)


def evidence_of(trial: ConformanceRun) -> JsonObject | None:
    """Return what was reached; None if nothing could be tried."""
    try:
        return trial.coverage.as_json()
    except NothingToTry:
        return None


def held(finding: Held) -> Finding:
    """Return a finding of the kit as one of the report."""
    if finding.skipped is not None:
        return Finding("kit", Level.SKIPPED, finding.sentence, (finding.skipped,))
    if finding.check == REACH:
        return found("reach", finding.sentence, finding.problems, Level.REMARK)
    worst = Level.REMARK if finding.is_remark else Level.PROBLEM
    return found("kit", finding.sentence, finding.problems, worst)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
