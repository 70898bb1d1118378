"""Validate a manifest that a caller is writing; nothing is stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from mymozhem.auth.access import require_access
from mymozhem.auth.principal import Caller
from mymozhem.manifests.problems import Problem
from mymozhem.manifests.validate import validate_manifest

from .services import AppServices


@dataclass(frozen=True)
class Findings:
    """The problems of a document, and what its author probably did not mean; see `Report`."""

    valid: bool
    problems: Sequence[Problem]
    remarks: Sequence[Problem]


async def validate_document(services: AppServices, caller: Caller, document: bytes) -> Findings:
    """Return all problems of a manifest. For everybody with an account.

    A large manifest takes seconds, so the costly pool checks it. Raises `Forbidden`.
    """
    await require_access(services.database, caller, "POST /apps/validate-manifest")
    return await services.costly.run(partial(_findings, document), size=len(document))


def _findings(document: bytes) -> Findings:
    report = validate_manifest(document)
    return Findings(report.valid, report.problems, report.remarks)
