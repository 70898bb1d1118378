"""Prose is plain English: no private words, and no sentence that a reader has to take apart.

Each rule has a pattern and the term to write instead. In Python files, the test checks comments
and strings only; in Markdown, everything outside of fenced blocks; in other files, everything.
"""

import fnmatch
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent

#: The files to check, as globs relative to the root; `*` also matches `/`.
SCOPES = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/README.md",
    "docs/glossary.md",
    "docs/decisions/*.md",
    "docs/examples/*.md",
    "docs/explanation/*.md",
    "docs/howto/*.md",
    "docs/tutorial/*.md",
    "docs/reference/benchmarks.md",
    "docs/reference/contract.md",
    "docs/reference/effects/*.md",
    "docs/reference/events.md",
    "docs/reference/hooks/*.md",
    "docs/reference/manifest.md",
    "docs/reference/metrics.md",
    "docs/reference/referee.md",
    "docs/reference/settings.md",
    "docs/reference/webhooks.md",
    ".ci/run",
    ".github/*",
    "Makefile",
    "docs/reference/cli.md",
    "host/mymozhem/__*.py",
    "host/mymozhem/api/*.py",
    "host/mymozhem/app.py",
    "host/mymozhem/apps/*.py",
    "host/mymozhem/audit/*.py",
    "host/mymozhem/auth/*.py",
    "host/mymozhem/cli/*",
    "host/mymozhem/clock.py",
    "host/mymozhem/concurrency/*.py",
    "host/mymozhem/config.py",
    "host/mymozhem/contract/*.py",
    "host/mymozhem/db/*.py",
    "host/mymozhem/deliveries/*.py",
    "host/mymozhem/demo/*",
    "host/mymozhem/devtools/*",
    "host/mymozhem/dispatch/*.py",
    "host/mymozhem/errors.py",
    "host/mymozhem/idempotency/*.py",
    "host/mymozhem/isolation/*.py",
    "host/mymozhem/manifests/*.py",
    "host/mymozhem/monitoring/*.py",
    "host/mymozhem/observability/*.py",
    "host/mymozhem/outbound/*.py",
    "host/mymozhem/registry/*.py",
    "host/mymozhem/resources.py",
    "host/mymozhem/rooms/*.py",
    "host/mymozhem/testing/*",
    "host/mymozhem/wiring/*.py",
    "manifests/*.md",
    "manifests/v1/*.schema.json",
    "plugins/lottery/src/mymozhem_lottery/*.py",
    "plugins/quiz/src/mymozhem_quiz/*.py",
)

#: Files that quote what the rules forbid.
EXCLUDED = ("tests/test_prose.py",)

#: The maximum number of words in a sentence of a page.
MAX_WORDS = 45


class Rule(NamedTuple):
    """A private word: a pattern, and the term to write instead.

    In `pattern`, a blank also matches the end of a line, and the start of the next comment line.
    Each match contains `hint`, in lower case and in one line: other files are skipped quickly.
    """

    hint: str
    pattern: str
    instead: str


RULES = (
    # what apps and people learn
    Rule(" told", r"\b(?:is|are|be|been|was|were|gets?) told\b", "is notified, receives, gets"),
    Rule("hear", r"\bhears?\b", "receives, is notified of"),
    Rule("whether", r"\btells? whether\b", "return whether, True if"),
    # who
    Rule("whoever", r"\bwhoever\b", "the caller, participants, anybody who"),
    Rule("those who", r"\bthose who\b", "participants, callers, the role that may"),
    Rule("of elsewhere", r"\bof elsewhere\b", "from another room"),
    # conditions and absence
    Rule("where there", r"\bwhere there (?:is|are|was|were)\b", "if there is, None if missing"),
    Rule("where no", r"\bwhere (?:nobody|nothing|none)\b", "if nobody, if nothing"),
    Rule("where it", r"\bwhere it (?:is|has) (?:none|not)\b", "if it is not"),
    # how often, and when
    Rule("twice is", r"\btwice is\b", "idempotent"),
    Rule("anew", r"\banew\b", "again, a new ..."),
    Rule("afresh", r"\bafresh\b", "again, a new ..."),
    Rule("by itself", r"\bby itself\b", "automatically, separately, alone"),
    Rule("by themselves", r"\bby themselves\b", "automatically, alone"),
    Rule("so many at once", r"\bso many at once\b", "at most N concurrently"),
    Rule("of late", r"\bof late\b", "recently"),
    Rule("slept", r"\bslept\b", "was suspended"),
    Rule("nobody was there", r"\bnobody was there\b", "no host was running"),
    Rule("beside the event loop", r"\bbeside the event loop\b", "off the event loop, in a thread"),
    Rule("in the hand", r"\bheld in the hand\b", "a clock that tests control"),
    # verbs
    Rule("mend", r"\bmend(?:s|ed|ing)?\b", "fix, repair, receive fixes"),
    Rule("reckon", r"\breckon(?:s|ed|ing|ings)?\b", "compute, count, calculate"),
    Rule("knock", r"\bknock(?:s|ed|ing)?\b", "join, look up by code"),
    Rule("suffer", r"\bsuffer(?:s|ed|ing)?\b", "is affected"),
    Rule("lent out", r"\blent out\b", "in use"),
    Rule(" still", r"\bst(?:and|ands|anding|ood) still\b", "is on hold, is paused"),
    Rule(" off", r"\bput(?:s|ting)? off\b", "postpone, reschedule"),
    Rule(" go", r"\blet(?:s|ting)? go\b", "release"),
    Rule(" there", r"\b(?:what|that|which|it|they) st(?:and|ands|ood) there\b", "the value"),
    Rule(" of ", r"\bwhat (?:comes|came|had come) of it\b", "the result"),
    Rule("carr", r"\bcarr(?:y|ies|ied|ying) (?:the |its |old )?deliver(?:y|ies)\b", "send"),
    Rule(
        "carr",
        r"\bcarr(?:y|ies|ied|ying) (?:the |its |their |old |all )?(?:rooms?|settings|state)\b",
        "migrate",
    ),
    Rule("carried over", r"\bcarried over\b", "migrated"),
    Rule("own word", r"\bown words?\b", "the app's refusal, the app's message"),
    Rule("to the letter", r"\bto the letter\b", "strictly"),
    # things
    Rule("errand", r"\berrands?\b", "background task"),
    Rule("workshop", r"\bworkshops?\b", "compute pool"),
    Rule("seat", r"\bseats?\b", "membership; of a full room: place, capacity"),
    Rule("keeper", r"\bkeepers?\b", "supervisor (processes), reconciler (locks)"),
    Rule("sweep", r"\bsweep(?:s|er|ers|ing)?\b", "cleaner, delete expired rows"),
    Rule("courier", r"\bcouriers?\b", "delivery sender"),
    Rule("postman", r"\bpostman\b", "mail sender"),
    Rule("journey", r"\bjourneys?\b", "migration path"),
    Rule("aboard", r"\baboard\b", "in the current batch"),
    Rule("the house", r"\bthe house\b", "the host"),
    # names that were replaced
    Rule("look, ask", r"\blook, ask,? (?:and )?write\b", "prepare, call, apply"),
    Rule("look_ask_write", r"\blook_ask_write\b", "run_exchange"),
    Rule("roomwriter", r"\bRoomWriter\b", "RoomTransaction"),
    Rule("write_room", r"\bwrite_room\b", "room_transaction"),
    Rule("find_seat", r"\bfind_seat\b", "find_membership"),
    Rule("require_seat", r"\brequire_seat\b", "require_role"),
    Rule("open_house", r"\bopen_house\b", "open_host"),
    Rule("sharedreads", r"\bSharedReads\b", "RequestCoalescer"),
    Rule("roomqueues", r"\bRoomQueues\b", "RoomMutexes"),
    Rule("opencalls", r"\bOpenCalls\b", "InFlightCalls"),
    Rule("movedon", r"\bMovedOn\b", "StaleSnapshot"),
)


class Allowed(NamedTuple):
    """A phrase that a rule would refuse, in the one file where it is right."""

    path: str
    phrase: str
    reason: str


ALLOWED = (
    Allowed(
        "docs/decisions/0001-call-apps-outside-transactions.md",
        "look, ask, write",
        "the nickname that readers may still meet",
    ),
    Allowed("docs/reference/hooks/register_participant.md", "`seats`", "a field of the contract"),
    Allowed("CHANGELOG.md", "open_house", "tells authors which name was replaced"),
    *(
        Allowed(path, "{pid}/seat", "the path of a route")
        for path in ("host/mymozhem/api/v1/participants.py", "host/mymozhem/auth/access_table.py")
    ),
    Allowed("host/mymozhem/auth/app_permissions.py", '"seat"', "a part of the path of a route"),
    *(
        Allowed(path, "`seats`", "the name of a field")
        for path in (
            "host/mymozhem/contract/payloads.py",
            "manifests/v1/contract/register_participant.result.schema.json",
        )
    ),
    Allowed(
        "manifests/v1/contract/register_participant.result.schema.json",
        '"seats"',
        "the name of a field",
    ),
)

_CODE = frozenset({tokenize.NAME, tokenize.NUMBER, tokenize.OP})
_FENCE = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"\{[^{}]*\}")


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace(" ", r"(?:\s|#)+"), re.IGNORECASE)


_PATTERNS = [(rule, _compiled(rule.pattern)) for rule in RULES]


def files() -> list[Path]:
    """Return the tracked files in the scopes; skip the test without a git checkout."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listing.returncode:
        pytest.skip("needs the git checkout: an unpacked archive tracks nothing")
    names = [name for name in listing.stdout.decode().split("\0") if name]
    return [
        ROOT / name
        for name in names
        if name not in EXCLUDED
        and any(fnmatch.fnmatchcase(name, scope) for scope in SCOPES)
        and (ROOT / name).is_file()
    ]


def prose_of(path: Path, text: str) -> str:
    """Return a file with everything else blanked out, so that lines keep their numbers."""
    if path.suffix == ".md":
        return _FENCE.sub(lambda found: "\n" * found[0].count("\n"), text)
    return _prose_of_python(text) if path.suffix == ".py" else text


def _prose_of_python(text: str) -> str:
    """Return the comments and strings; all code becomes NUL, which no rule matches."""
    starts, prose = [0], list(text)
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        at = starts[token.start[0] - 1] + token.start[1]
        spans = [(0, len(token.string))] if token.type in _CODE else []
        if token.type == tokenize.STRING and "f" in token.string[:2].lower():
            spans = [found.span() for found in _FIELD.finditer(token.string)]
        for start, end in spans:
            prose[at + start : at + end] = "\0" * (end - start)
    return "".join(prose)


def private_words(name: str, path: Path, text: str) -> Iterator[str]:
    """Yield each private word in a file, with its line and the term to write instead."""
    line = " ".join(text.lower().replace("#", " ").split())
    suspects = [(rule, found) for rule, found in _PATTERNS if rule.hint in line]
    suspects = [(rule, found) for rule, found in suspects if found.search(text)]
    if not suspects:
        return
    prose = prose_of(path, text)
    for allowed in ALLOWED:
        if allowed.path == name:
            phrase = _compiled(re.escape(allowed.phrase).replace("\\ ", " "))
            prose = phrase.sub(lambda found: re.sub(r"\S", "\0", found[0]), prose)
    for rule, pattern in suspects:
        for found in pattern.finditer(prose):
            number = prose.count("\n", 0, found.start()) + 1
            words = " ".join(found[0].split())
            yield f"{name}:{number}: “{words}”: write “{rule.instead}”"


def sentences(text: str) -> Iterator[tuple[int, str]]:
    """Yield the sentences of a page with their lines; cells, items and headings end sentences."""
    plain = re.sub(r"`[^`\n]*`", "code", _FENCE.sub(lambda f: "\n" * f[0].count("\n"), text))
    plain = re.sub(r"\]\([^)\s]*\)", "]", plain)
    block, start = "", 1
    for number, line in enumerate([*plain.splitlines(), ""], start=1):
        begins = re.match(r"\s*(?:[-*] |\d+\. |#|\||$)", line)
        if begins and block:
            yield from _split(block, start)
            block = ""
        if line.lstrip().startswith("|"):
            for cell in line.split("|"):
                yield from _split(cell, number)
        elif line.strip():
            start = start if block else number
            block = f"{block} {line}"


def _split(block: str, line: int) -> Iterator[tuple[int, str]]:
    for sentence in re.split(r"(?<=[.:;?!])\s+", block.strip()):
        yield line, sentence


def test_every_scope_has_files():
    names = [str(path.relative_to(ROOT)) for path in files()]
    assert [scope for scope in SCOPES if not fnmatch.filter(names, scope)] == []


def test_prose_has_no_private_words():
    found = [
        line
        for path in files()
        for line in private_words(str(path.relative_to(ROOT)), path, path.read_text("utf-8"))
    ]
    assert found == [], "\n".join(found)


def test_what_is_allowed_occurs():
    unused = [
        allowed
        for allowed in ALLOWED
        if allowed.phrase not in " ".join((ROOT / allowed.path).read_text("utf-8").split())
    ]
    assert unused == []


def test_no_page_has_an_endless_sentence():
    long = [
        f"{path.relative_to(ROOT)}:{line}: {len(sentence.split())} words: {sentence[:60]}…"
        for path in files()
        if path.suffix == ".md"
        for line, sentence in sentences(path.read_text("utf-8"))
        if len(sentence.split()) > MAX_WORDS
    ]
    assert long == [], "\n".join(long)


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("page.md", "The app is told\nof it.", ["page.md:1: “is told”"]),
        ("page.md", "```text\nwhoever\n```\n\nAnew.", ["page.md:5: “Anew”"]),
        ("code.py", "by = 1\n# done\n# by\n# itself\n", ["code.py:3: “by # itself”"]),
        ("code.py", 'x = f"{anew} is sent anew"\n', ["code.py:1: “anew”"]),
        ("code.py", "def whoever(): ...\n", []),
        ("code.py", "amend = recommend\n", []),
    ],
)
def test_private_words_are_found_in_prose_alone(name, text, found):
    said = [line.rpartition(": write ")[0] for line in private_words(name, Path(name), text)]
    assert said == found
