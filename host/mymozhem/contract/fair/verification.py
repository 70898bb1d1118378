"""Check the record of a draw without the server that made it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from pydantic import ValidationError

from mymozhem.contract.fair.record import FORMAT, Record

from .printable import printable
from .record_checks import CHECKS, GUARANTEES, CheckOf, Document

SPELLING_NOT_FIXED = (
    "the rule fixed no format for its public sources, so the spelling of the public values was not"
    " fixed: the person who entered them could choose among spellings"
)

_SHOWN_PROBLEMS = 5


class Verdict(Enum):
    """The overall result of checking a record."""

    VOIDED = "voided"  # everything holds, and the draw ended in public without winners
    VERIFIED = "verified"  # the picks follow from what was published, and nothing contradicts it
    NOT_VERIFIABLE = "notVerifiable"  # consistent, but the app's own algorithm made the picks
    REFUSED = "refused"  # at least one check failed


@dataclass(frozen=True, slots=True)
class Check:
    """One check, whether it holds, and a sentence that says so."""

    name: str
    passed: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Published:
    """What was published before the draw, as noted by somebody; None was not noted."""

    anchor: str | None = None
    entries_digest: str | None = None
    rule_digest: str | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome of all checks; `record` is None if the document is no record at all."""

    checks: tuple[Check, ...]
    record: Record | None = None

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a stranger has to know although no check fails."""
        if self.record is None or not self.record.public_inputs:
            return ()
        free = any(source.format is None for source in self.record.rule.public_sources)
        return (SPELLING_NOT_FIXED,) if free else ()

    @property
    def ok(self) -> bool:
        """True if the picks were recomputed and everything else holds."""
        return self.verdict is Verdict.VERIFIED

    @property
    def verdict(self) -> Verdict:
        """Verified, voided, consistent but not verifiable, or refused."""
        if self.record is None or not all(check.passed for check in self.checks):
            return Verdict.REFUSED
        if self.record.is_voided:
            return Verdict.VOIDED
        return Verdict.VERIFIED if self.record.verifiable else Verdict.NOT_VERIFIABLE

    @property
    def sentence(self) -> str:
        """The verdict as a sentence for people."""
        if self.record is None or self.verdict is Verdict.REFUSED:
            failed = [check.name for check in self.checks if not check.passed]
            return f"Refused: {', '.join(failed)}."
        if self.verdict is Verdict.VOIDED:
            return (
                f"Voided: nobody won; the reason given was: {printable(self.record.reason or '')}"
            )
        if self.verdict is Verdict.NOT_VERIFIABLE:
            return (
                "Not verifiable: the app's own algorithm made the picks; only its form was checked."
            )
        return " ".join([_verified(self.record), *(f"Remark: {each}." for each in self.remarks)])


def verify(document: object, published: Published | None = None) -> Verification:
    """Check a record, which may be any object at all, and return the outcome; never raises.

    A verified record follows from its anchor, `entriesDigest` and `ruleDigest`. Only a comparison
    with what was published before the draw can show whether these are the same; `published` is
    compared if given. Every sentence of the outcome can be printed on a terminal.

    `recordDigest` seals every member. A record without it, from another system, is accepted, but
    then nothing confirms its room, its draw and its times beyond their order. A record of an app's
    own algorithm is never `ok`, unless it says `verifiable: true`, the rule announced the fallback
    `platform`, and `vrs-1` gives the picks. `guarantee` is `beacon` exactly if the rule names
    public sources.
    """
    try:
        return _verified_in_steps(document, published or Published())
    except Exception as error:  # noqa: BLE001 (a hostile record may raise anything, and is refused)
        return Verification((Check("shape", passed=False, sentence=_said(error)),))


def _verified_in_steps(document: object, published: Published) -> Verification:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        sentence = f'the document does not say "format": "{FORMAT}"'
        return Verification((Check("format", passed=False, sentence=sentence),))
    known = Check("format", passed=True, sentence=f"the document is a {FORMAT}")
    try:
        record = Record.model_validate(document, by_alias=True, by_name=False)
    except ValidationError as error:
        return Verification((known, Check("shape", passed=False, sentence=_problems(error))))
    shaped = Check("shape", passed=True, sentence="every member is there, and no other")
    checks = (_checked(name, check, document, record) for name, check in CHECKS.items())
    return Verification((known, shaped, *checks, *_compared(record, published)), record)


def _compared(record: Record, published: Published) -> Iterator[Check]:
    """Compare a record with what somebody noted before the draw."""
    pairs = {
        "publishedAnchor": (published.anchor, record.chain.anchor),
        "publishedEntriesDigest": (published.entries_digest, record.entries_digest),
        "publishedRuleDigest": (published.rule_digest, record.rule_digest),
    }
    for name, (noted, found) in pairs.items():
        if noted is None:
            continue
        same = noted == found
        sentence = (
            "the record has the value that was published"
            if same
            else (f"the record has {found}, and {noted} was published")
        )
        yield Check(name, passed=same, sentence=printable(sentence))


def _checked(name: str, check: CheckOf, document: Document, record: Record) -> Check:
    try:
        return Check(name, passed=True, sentence=printable(check(document, record)))
    except (ValueError, RecursionError) as error:
        return Check(name, passed=False, sentence=_said(error))


def _verified(record: Record) -> str:
    own = record.rule.algorithm == "app"
    by = "vrs-1, in place of the app's own algorithm" if own else record.rule.algorithm
    picks = "1 pick" if len(record.picks) == 1 else f"{len(record.picks)} picks"
    ready = f" and {len(record.reserves)} in reserve" if record.reserves is not None else ""
    return f"Verified by {by}: {picks}{ready}; {GUARANTEES[record.guarantee]}."


def _problems(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    shown = [
        f"/{'/'.join(str(part) for part in problem['loc'])}: {problem['msg']}"[:300]
        for problem in problems[:_SHOWN_PROBLEMS]
    ]
    return printable("; ".join(shown))


def _said(error: Exception) -> str:
    return printable(f"{error}"[:500]) or type(error).__name__
