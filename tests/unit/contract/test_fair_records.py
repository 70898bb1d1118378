"""A true record is accepted, wherever it was made; one with anything changed is refused.

The records made elsewhere are built here from the published text alone, with hashlib, hmac and
json, without a function of the package under test.
"""

import copy
import hashlib
import hmac
import json
from bisect import bisect_right
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mymozhem.contract.fair import (
    Published,
    Record,
    UnreadableRecord,
    Verdict,
    read_record,
    recompute,
    record_digest,
    sealed,
    verify,
)

SECRET = hashlib.sha256(b"the secret of these tests").digest()
HASHED = [SECRET]
for _ in range(65_536):
    HASHED.append(hashlib.sha256(HASHED[-1]).digest())

PEOPLE = {"part_ann": 1, "part_bob": 3, "part_cleo": 2, "part_dan": 1, "part_eve": 4, "part_fay": 1}
PRIZES = [{"prizeId": "prize_bike", "count": 1}, {"prizeId": "prize_book", "count": 2}]
AT = {
    "anchored": "2026-05-04T10:00:00.000Z",
    "committed": "2026-05-04T12:00:00.000Z",
    "drawn": "2026-05-04T12:00:30.500Z",
    "revealed": "2026-05-04T14:05:00+02:00",
}
UNFORMATTED = [
    {"name": "state lottery", "due": "2026-05-04T12:00:10Z"},
    {"name": "football pool", "due": "2026-05-04T12:00:20.000Z"},
]
FORMATS = [
    {"kind": "hex", "bytes": 4},
    {"kind": "numbers", "count": 3, "min": 1, "max": 40, "ordered": False},
]
SOURCES = [{**source, "format": form} for source, form in zip(UNFORMATTED, FORMATS, strict=True)]
TWO_NUMBERS = {"kind": "numbers", "count": 2, "min": 0, "max": 9_999, "ordered": False}
FIVE_IN_ORDER = {"kind": "numbers", "count": 5, "min": 1, "max": 12, "ordered": True}
OF_NUMBERS = [
    {**source, "format": form}
    for source, form in zip(UNFORMATTED, [TWO_NUMBERS, FIVE_IN_ORDER], strict=True)
]
NUMBERS = ["4.9319.", "2.5.12.8.10."]


# ---- elsewhere: the text of the contract, in plain code --------------------------------------


def plain_digest(document):
    # For ASCII names and integers, RFC 8785 is sorted members without blanks.
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def plain_vrs(rule, entries, link, parts):
    prk = hmac.new(link, "".join(f"{part}/" for part in parts).encode(), "sha256").digest()

    def best(prefix, participant, tickets):
        return min(
            (hmac.new(prk, f"{prefix}{participant}#{j}\x01".encode(), "sha256").digest(), j)
            for j in range(1, tickets + 1)
        )

    picks, ready, won = [], [], set(rule.get("exclude", []))
    for prize in rule["prizes"]:
        anew = rule.get("each") == "perPrize"
        prefix = f"{prize['prizeId']}/" if anew else ""
        passed_over = set(rule.get("exclude", [])) if anew else won
        ranked = sorted(
            (*best(prefix, p, n), p)
            for p, n in zip(entries["participants"], entries["tickets"], strict=True)
            if p not in passed_over
        )
        for _, ticket, participant in ranked[: prize["count"]]:
            won.add(participant)
            picks.append(
                {"prizeId": prize["prizeId"], "participantId": participant, "ticket": ticket}
            )
        more = rule.get("reserves", 0) if anew or prize is rule["prizes"][-1] else 0
        for _, ticket, participant in ranked[prize["count"] :][:more]:
            named = {"prizeId": prize["prizeId"]} if anew else {}
            ready.append({**named, "participantId": participant, "ticket": ticket})
    return picks, ready


def plain_rfc3797(rule, entries, texts):
    key = "".join(f"{text}/" for text in texts).encode()
    ends = list(accumulate(entries["tickets"]))
    anew, picks, ready, index = rule.get("each") == "perPrize", [], [], 0
    one_pool = (list(range(ends[-1])), set(rule.get("exclude", [])))
    pools = {
        prize["prizeId"]: (list(range(ends[-1])), set(rule.get("exclude", [])))
        if anew
        else one_pool
        for prize in rule["prizes"]
    }

    def draw(prize_id, count):
        nonlocal index
        pool, won = pools[prize_id]
        given = []
        while len(given) < count and pool:
            number = index.to_bytes(2, "big")
            hashed = hashlib.md5(number + key + number).digest()
            place = pool.pop(int.from_bytes(hashed, "big") % len(pool))
            index += 1
            at = bisect_right(ends, place)
            participant = entries["participants"][at]
            if participant in won:
                continue
            won.add(participant)
            ticket = place - (ends[at - 1] if at else 0) + 1
            given.append({"participantId": participant, "ticket": ticket})
        return given

    for prize in rule["prizes"]:
        prize_id = prize["prizeId"]
        picks += [{"prizeId": prize_id, **one} for one in draw(prize_id, prize["count"])]
    more = rule.get("reserves", 0)
    if not anew:
        return picks, draw(rule["prizes"][0]["prizeId"], more)
    for prize_id in pools:
        ready += [{"prizeId": prize_id, **one} for one in draw(prize_id, more)]
    return picks, ready


def plain_text(value):
    return value if isinstance(value, str) else "".join(f"{n}." for n in sorted(value))


def record_made_elsewhere(*, index=3, inputs=(), people=PEOPLE, picks=None, **rule_members):
    rule = {
        "app": {"id": "raffle", "version": "2.1.0"},
        "lockDigest": "ab" * 32,
        "algorithm": "vrs-1",
        "onFailure": "platform",
        "each": "once",
        "prizes": PRIZES,
        "exclude": [],
        "replaces": None,
        "publicSources": SOURCES[: len(inputs)],
        **rule_members,
    }
    entries = {"participants": list(people), "tickets": list(people.values())}
    parts = [plain_digest(entries), plain_digest(rule), *map(plain_text, inputs)]
    link = HASHED[65_536 - index]
    ready = []
    if picks is None and rule["algorithm"] == "rfc3797":
        picks, ready = plain_rfc3797(rule, entries, parts[2:])
    elif picks is None:
        picks, ready = plain_vrs(rule, entries, link, parts)
    record = {
        "format": "mymozhem-draw-1",
        "room": "room_1",
        "draw": "draw_1",
        "chain": {"anchor": HASHED[65_536].hex(), "index": index, "link": link.hex()},
        "entries": entries,
        "entriesDigest": parts[0],
        "rule": rule,
        "ruleDigest": parts[1],
        "publicInputs": list(inputs),
        "picks": picks,
        **({"reserves": ready} if "reserves" in rule else {}),
        "guarantee": "beacon" if inputs else "committed",
        "verifiable": True,
        "at": AT,
    }
    return copy.deepcopy(record)


def redraw_made_elsewhere():
    first = record_made_elsewhere()
    absent = next(p["participantId"] for p in first["picks"] if p["prizeId"] == "prize_bike")
    return record_made_elsewhere(index=4, prizes=PRIZES[:1], exclude=[absent], replaces="win_1")


MADE_ELSEWHERE = {
    "vrs, each once": record_made_elsewhere(),
    "vrs, per prize": record_made_elsewhere(each="perPrize"),
    "vrs, with public sources": record_made_elsewhere(inputs=["fb8f7bc2", "5.12.31."]),
    "rfc3797": record_made_elsewhere(algorithm="rfc3797", inputs=NUMBERS, publicSources=OF_NUMBERS),
    "before formats": record_made_elsewhere(
        inputs=["FB 8F", [12, 5, 31]], publicSources=UNFORMATTED
    ),
    "redraw": redraw_made_elsewhere(),
    "vrs, with reserves": record_made_elsewhere(reserves=2),
    "vrs, per prize, with reserves": record_made_elsewhere(each="perPrize", reserves=2),
    "rfc3797, per prize, with reserves": record_made_elsewhere(
        algorithm="rfc3797",
        inputs=NUMBERS,
        publicSources=OF_NUMBERS,
        each="perPrize",
        reserves=2,
    ),
    "vrs, after a voided draw": {**record_made_elsewhere(), "voidedDraws": 1},
}
each_record = pytest.mark.parametrize("kind", list(MADE_ELSEWHERE))


# ---- accepted ----------------------------------------------------------------------------------


@each_record
def test_a_true_record_made_elsewhere_is_accepted(kind):
    found = verify(copy.deepcopy(MADE_ELSEWHERE[kind]))
    assert found.verdict is Verdict.VERIFIED, found.checks
    assert found.ok
    assert found.sentence.startswith("Verified by ")


@each_record
def test_our_own_records_are_such_records_with_a_seal(kind):
    elsewhere = MADE_ELSEWHERE[kind]
    ours = Record.model_validate(elsewhere, by_alias=True, by_name=False).document()
    assert ours == {**elsewhere, "recordDigest": record_digest(elsewhere)}
    read = Record.model_validate(ours, by_alias=True, by_name=False)
    assert read.rule.digest() == elsewhere["ruleDigest"]
    assert read.entries.digest() == elsewhere["entriesDigest"]
    assert verify(json.loads(json.dumps(ours))).ok
    assert sealed(ours) == ours


@pytest.mark.parametrize(
    ("rule", "inputs"),
    [({}, ()), ({"algorithm": "rfc3797", "publicSources": OF_NUMBERS}, NUMBERS)],
)
@pytest.mark.parametrize(("reserves", "found"), [(1, 1), (3, 3), (9, 3)])
def test_people_are_in_reserve_as_long_as_there_are_people(rule, inputs, reserves, found):
    record = record_made_elsewhere(inputs=inputs, reserves=reserves, **rule)
    assert len(record["reserves"]) == found
    assert verify(record).ok


def test_members_that_the_format_leaves_open_may_be_missing():
    record = record_made_elsewhere()
    for member in ("exclude", "replaces", "publicSources", "onFailure", "each"):
        del record["rule"][member]
    del record["publicInputs"]
    record["ruleDigest"] = plain_digest(record["rule"])
    link = bytes.fromhex(record["chain"]["link"])
    parts = [record["entriesDigest"], record["ruleDigest"]]
    record["picks"], _ = plain_vrs(record["rule"], record["entries"], link, parts)
    assert verify(record).ok


def test_room_and_draw_may_be_told_by_more_than_their_ids():
    record = record_made_elsewhere()
    record["room"] = {"id": "room_1", "name": "Summer fair"}
    record["draw"] = {"id": "draw_1", "key": "main"}
    assert verify(record).ok


BEFORE = json.loads(Path(__file__).with_name("records_before_reserves.json").read_text())


@pytest.mark.parametrize("kind", list(BEFORE))
def test_a_record_from_before_there_were_reserves_is_what_it_was(kind):
    before = BEFORE[kind]
    assert verify(before).ok
    record = Record.model_validate(before, by_alias=True, by_name=False)
    assert record.document() == before
    assert record.rule.digest() == before["ruleDigest"]


def test_a_rule_names_reserves_only_where_some_are_asked_for():
    asked = Record.model_validate(record_made_elsewhere(reserves=2), by_alias=True, by_name=False)
    assert asked.rule.document()["reserves"] == 2
    without = asked.rule.model_copy(update={"reserves": 0})
    assert "reserves" not in without.document()


# ---- refused: every leaf, every member, every item -------------------------------------------

OTHERS = {
    str: lambda text: [text + "x", text[:-1], text.swapcase(), text[::-1], "", None, 1, [text]],
    int: lambda n: [n + 1, n - 1, -n, n * 2**60, float(n), str(n), None, [n]],
    bool: lambda truth: [not truth, int(truth), None, str(truth).lower()],
    type(None): lambda _: ["", "x", 0, False, []],
}


def nodes(document, path=()):
    """Yield the path of everything in a document, the document itself first."""
    yield path
    items = document.items() if isinstance(document, dict) else enumerate(document)
    for name, value in items:
        if isinstance(value, dict | list):
            yield from nodes(value, (*path, name))
        else:
            yield (*path, name)


def at(document, path):
    for name in path:
        document = document[name]
    return document


def same(one, other):
    return type(one) is type(other) and one == other


def mutants(document):
    """Yield (path, what was done, the changed document) for every change we know of."""
    for path in nodes(document):
        value = at(document, path)
        for name, act, other in changes_of(value):
            if not same(other, value):
                yield (*path, *name), act, changed(document, path, other)


def changes_of(value):
    if isinstance(value, dict):
        return [*changed_members(value), *replacements({}, [], None, "x", 7)]
    if isinstance(value, list):
        return [*changed_items(value), *replacements({}, [], None, "x", 7)]
    return replacements(*OTHERS[type(value)](value))


def replacements(*others):
    return [((), f"change to {other!r}"[:60], other) for other in others]


def changed_members(value):
    yield (), "add", {**value, "more": 1}
    for name in value:
        rest = {key: kept for key, kept in value.items() if key != name}
        yield (name,), "remove", rest
        yield (name,), "rename", {**rest, f"{name}_": value[name]}


def changed_items(value):
    yield (), "add", [*value, *(value[-1:] or ["x"])]
    yield (), "reverse", value[::-1]
    for n in range(len(value)):
        yield (n,), "remove", value[:n] + value[n + 1 :]


def changed(document, path, value):
    if not path:
        return value
    mutant = copy.deepcopy(document)
    at(mutant, path[:-1])[path[-1]] = value
    return mutant


@each_record
def test_a_sealed_record_is_refused_when_anything_in_it_is_changed(kind):
    document = sealed(MADE_ELSEWHERE[kind])
    accepted = []
    count = 0
    for path, act, mutant in mutants(document):
        count += 1
        if verify(mutant).ok:
            accepted.append((path, act))
    # Without its seal it is again the true record that anybody could have made by the text.
    assert accepted == [(("recordDigest",), "remove")]
    assert count > 400


OPEN_WITHOUT_A_SEAL = {"room", "draw", "at"}


@each_record
def test_who_changes_a_record_and_seals_it_again_is_refused_all_the_same(kind):
    for path, act, mutant in mutants(MADE_ELSEWHERE[kind]):
        if not isinstance(mutant, dict) or not verify(sealed_if_possible(mutant)).ok:
            continue
        equal = is_the_same_by_the_text(path, act, MADE_ELSEWHERE[kind])
        assert path[0] in OPEN_WITHOUT_A_SEAL or equal, (path, act)


def is_the_same_by_the_text(path, act, original):
    """No values beside no sources; numbers without a format in another order; voided draws."""
    if path == ("voidedDraws",):
        return True
    if path[0] != "publicInputs":
        return False
    return (act == "remove" and original["publicInputs"] == []) or (
        act == "reverse" and len(path) == 2
    )


def sealed_if_possible(mutant):
    try:
        return sealed(mutant)
    except ValueError:
        return mutant


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        ({"guarantee": "beacon"}, "guarantee"),
        ({"verifiable": False}, "verifiable"),
        ({"chain": {"anchor": "0" * 64, "index": 3, "link": "0" * 64}}, "chain"),
        ({"entriesDigest": "0" * 64}, "entriesDigest"),
        ({"ruleDigest": "0" * 64}, "ruleDigest"),
        ({"recordDigest": "0" * 64}, "recordDigest"),
        ({"picks": []}, "picks"),
        ({"reserves": []}, "reserves"),
        ({"publicInputs": ["unasked"]}, "publicInputs"),
        ({"at": {**AT, "drawn": AT["anchored"]}}, "times"),
        ({"room": ""}, "shape"),
        ({"format": "mymozhem-draw-2"}, "format"),
    ],
)
def test_a_refusal_names_the_check_that_failed(changes, failed):
    found = verify({**record_made_elsewhere(), **changes})
    assert failed in {check.name for check in found.checks if not check.passed}
    assert failed in found.sentence


@pytest.mark.parametrize(
    ("change", "failed"),
    [
        (lambda record: record.pop("reserves"), "reserves"),
        (lambda record: record["reserves"].reverse(), "picks"),
        (lambda record: record["reserves"].pop(), "picks"),
        (lambda record: record["reserves"].append(record["reserves"][0]), "reserves"),
        (lambda record: record["reserves"][0].update(prizeId="prize_bike"), "reserves"),
        (lambda record: record["reserves"][0].update(record["picks"][0]), "reserves"),
    ],
)
def test_a_refusal_of_reserves_names_the_check_that_failed(change, failed):
    record = record_made_elsewhere(reserves=2)
    change(record)
    found = verify(record)
    assert failed in {check.name for check in found.checks if not check.passed}


@pytest.mark.parametrize("wanted", [-1, 1_001, 2.0, True, None, "2"])
def test_a_rule_asks_for_a_thousand_reserves_at_most(wanted):
    record = record_made_elsewhere()
    record["rule"]["reserves"] = wanted
    record["ruleDigest"] = plain_digest(record["rule"])
    assert [check.name for check in verify(record).checks if not check.passed] == ["shape"]


def test_a_source_that_was_due_before_the_commit_binds_nobody():
    early = [{**SOURCES[0], "due": "2026-05-04T11:59:59.999Z"}]
    found = verify(record_made_elsewhere(inputs=["fb8f7bc2"], publicSources=early))
    assert failed_checks(found) == ["times"]


# ---- what an honest host happens to do, and a dishonest one could vary -------------------------


def failed_checks(found):
    return [check.name for check in found.checks if not check.passed]


@pytest.mark.parametrize(
    "people",
    [
        dict(reversed(PEOPLE.items())),
        {"part_bob": 3, "part_ann": 1},
        {"part_é": 1, "part_z": 1},
        {"😀": 1, "\uffff": 1},
    ],
)
def test_entries_in_another_order_than_the_canonical_one_are_refused(people):
    assert failed_checks(verify(record_made_elsewhere(people=people, exclude=[]))) == ["order"]
    canonical = dict(sorted(people.items()))
    assert verify(record_made_elsewhere(people=canonical)).ok


@pytest.mark.parametrize(
    "exclude",
    [
        ["part_bob", "part_ann"],
        ["part_ann", "part_ann"],
        ["part_nobody"],
        ["part_ann", "zzz"],
        ["\x1b[2J"],
        [f"grinding {number}" for number in range(3)],
    ],
)
def test_nonsense_in_exclude_is_refused_since_it_could_be_varied_until_a_friend_wins(exclude):
    found = verify(record_made_elsewhere(exclude=exclude))
    assert failed_checks(found) == ["exclude"]
    assert verify(record_made_elsewhere(exclude=["part_ann", "part_bob"])).ok


@pytest.mark.parametrize(
    ("times", "holds"),
    [
        ({"committed": "2026-05-04T12:00:10Z"}, False),  # committed when the value was known
        ({"drawn": "2026-05-04T12:00:09.999Z"}, False),  # drawn before it was known
        ({"drawn": "2026-05-04T12:00:10Z"}, True),
        ({"committed": "2026-05-04T12:00:09.999Z"}, True),
        ({"anchored": "2026-05-04T12:00:00.001Z"}, False),
        ({"revealed": "2026-05-04T12:00:30.499Z"}, False),
    ],
)
def test_sources_are_due_after_the_commit_and_before_the_draw(times, holds):
    record = record_made_elsewhere(inputs=["fb8f7bc2"])
    record["at"] = AT | times
    assert failed_checks(verify(record)) == ([] if holds else ["times"])


@pytest.mark.parametrize(
    ("form", "value"),
    [
        (FORMATS[1], "12.5.31."),
        (FORMATS[1], "05.12.31."),
        (FORMATS[1], "5.12.31"),
        (FORMATS[1], "5, 12, 31"),
        (FORMATS[1], [5, 12, 31]),
        (FORMATS[1], "5.12."),
        (FORMATS[1], "5.12.41."),
        (FORMATS[0], "FB8F7BC2"),
        (FORMATS[0], "0xfb8f7bc2"),
        (FORMATS[0], " fb8f7bc2"),
        (FORMATS[0], "fb8f7bc200"),
    ],
)
def test_a_value_in_another_form_than_the_canonical_one_is_refused(form, value):
    sources = [{**UNFORMATTED[0], "format": form}]
    assert "publicInputs" in failed_checks(
        verify(record_made_elsewhere(inputs=[value], publicSources=sources))
    )


def test_a_record_from_before_formats_is_verified_with_a_remark():
    found = verify(MADE_ELSEWHERE["before formats"])
    assert found.ok
    assert "spelling of the public values was not fixed" in found.sentence
    assert verify(MADE_ELSEWHERE["vrs, with public sources"]).remarks == ()


def test_no_more_draws_were_voided_before_than_links_were_used():
    record = record_made_elsewhere(index=3)
    assert verify({**record, "voidedDraws": 2}).ok
    assert failed_checks(verify({**record, "voidedDraws": 3})) == ["voidedDraws"]


@pytest.mark.parametrize("name", ["anchor", "entries_digest", "rule_digest"])
def test_what_was_published_before_the_draw_is_compared(name):
    record = record_made_elsewhere()
    mine = {
        "anchor": record["chain"]["anchor"],
        "entries_digest": record["entriesDigest"],
        "rule_digest": record["ruleDigest"],
    }
    assert verify(record, Published(**mine)).ok
    found = verify(record, Published(**mine | {name: "0" * 64}))
    assert found.verdict is Verdict.REFUSED
    assert [check.lower() for check in failed_checks(found)] == [
        f"published{name.replace('_', '')}"
    ]


# ---- voided ------------------------------------------------------------------------------------


def voided_record(**members):
    record = record_made_elsewhere(inputs=["fb8f7bc2"])
    ended = {"anchored": AT["anchored"], "committed": AT["committed"], "voided": AT["revealed"]}
    return {
        **record,
        "status": "voided",
        "reason": "A chair was counted twice.",
        "voidedDraws": 0,
        "picks": [],
        "publicInputs": [],
        "at": ended,
        **members,
    }


def test_a_stranger_computes_what_a_voided_draw_would_have_given():
    for inputs in ([], ["fb8f7bc2"]):
        found = verify(voided_record(publicInputs=inputs))
        assert found.verdict is Verdict.VOIDED, found.checks
        assert not found.ok
        assert found.sentence.endswith("A chair was counted twice.")
        would_be = recompute(found.record, ["fb8f7bc2"])
        picks = [pick.document() for pick in would_be.picks]
        assert picks == record_made_elsewhere(inputs=["fb8f7bc2"])["picks"]


@pytest.mark.parametrize(
    ("members", "failed"),
    [
        ({"picks": record_made_elsewhere(inputs=["fb8f7bc2"])["picks"]}, "picks"),
        ({"reserves": [{"participantId": "part_bob", "ticket": 1}]}, "reserves"),
        ({"reason": None}, "shape"),
        ({"at": AT}, "shape"),
        ({"at": {**AT, "voided": AT["revealed"]}}, "shape"),
        ({"status": "revealed"}, "shape"),
        ({"publicInputs": ["FB8F7BC2"]}, "publicInputs"),
        ({"entriesDigest": "0" * 64}, "entriesDigest"),
    ],
)
def test_a_voided_record_that_claims_more_is_refused(members, failed):
    found = verify(voided_record(**members))
    assert found.verdict is Verdict.REFUSED
    assert failed in failed_checks(found)


def test_a_revealed_record_says_nothing_of_a_void():
    assert failed_checks(verify({**record_made_elsewhere(), "reason": "none"})) == ["shape"]


def test_sentences_escape_what_could_steer_a_terminal():
    hostile = "\x1b]0;owned\x07\u202e"
    source = [{**SOURCES[0], "name": hostile}]
    for document in (
        record_made_elsewhere(inputs=["FB8F7BC2"], publicSources=source),
        record_made_elsewhere(exclude=[hostile]),
        {**record_made_elsewhere(), hostile: 1},
        voided_record(reason=hostile),
    ):
        found = verify(document)
        assert all(check.sentence.isprintable() for check in found.checks)
        assert found.sentence.isprintable()


@pytest.mark.parametrize(
    ("winners", "failed"),
    [
        ([("prize_bike", "part_ann", 1), ("prize_bike", "part_bob", 1)], "counts"),
        ([("prize_car", "part_ann", 1)], "counts"),
        ([("prize_bike", "part_ann", 2)], "winners"),
        ([("prize_bike", "part_zoe", 1)], "winners"),
        ([("prize_bike", "part_ann", 1), ("prize_book", "part_ann", 1)], "winners"),
        ([("prize_bike", "part_eve", 1)], "winners"),
    ],
)
def test_what_an_own_algorithm_picked_is_checked_for_its_form(winners, failed):
    found = verify(own_algorithm(winners, exclude=["part_eve"]))
    assert found.verdict is Verdict.REFUSED
    assert [check.name for check in found.checks if not check.passed] == [failed]


def test_the_limits_of_a_draw_hold_for_an_own_algorithm_too():
    found = verify(own_algorithm([], people={"part_ann": 10_000_001}))
    assert [check.name for check in found.checks if not check.passed] == ["limits"]


# ---- an app's own algorithm ------------------------------------------------------------------


def own_algorithm(winners, **rule_members):
    picks = [dict(zip(("prizeId", "participantId", "ticket"), w, strict=True)) for w in winners]
    record = record_made_elsewhere(algorithm="app", picks=picks, **rule_members)
    return {**record, "verifiable": False}


def test_an_own_algorithm_is_plainly_not_verifiable():
    record = own_algorithm([("prize_bike", "part_ann", 1)])
    found = verify(record)
    assert found.verdict is Verdict.NOT_VERIFIABLE
    assert not found.ok
    assert found.sentence.startswith("Not verifiable: the app's own algorithm")
    assert verify({**record, "verifiable": True}).verdict is Verdict.REFUSED


def test_an_own_algorithm_names_nobody_in_reserve():
    record = own_algorithm([("prize_bike", "part_ann", 1)], reserves=2)
    assert record["reserves"] == []
    assert verify(record).verdict is Verdict.NOT_VERIFIABLE
    record["reserves"] = [{"participantId": "part_bob", "ticket": 1}]
    assert verify(record).verdict is Verdict.REFUSED


def test_the_announced_fallback_of_an_own_algorithm_is_verified():
    assert verify(record_made_elsewhere(algorithm="app")).ok
    assert verify(record_made_elsewhere(algorithm="app", reserves=2)).ok
    assert not verify(record_made_elsewhere(algorithm="app", onFailure="queue")).ok


# ---- whatever comes --------------------------------------------------------------------------


def nested(depth):
    document = []
    for _ in range(depth):
        document = [document]
    return document


def endless():
    document = {"format": "mymozhem-draw-1"}
    document["room"] = document
    return document


class Biting(dict):
    def get(self, name, default=None):
        raise RuntimeError(f"asked for {name}, {default}")


HOSTILE = {
    "nothing": None,
    "a list": [],
    "a text": "mymozhem-draw-1",
    "not a number": float("nan"),
    "the format alone": {"format": "mymozhem-draw-1"},
    "a list for the format": {"format": ["mymozhem-draw-1"]},
    "itself": endless(),
    "deep entries": {**record_made_elsewhere(), "entries": nested(100_000)},
    "a deep room": {**record_made_elsewhere(), "room": {"id": "r", "more": nested(5_000)}},
    "a sealed deep room": {
        **record_made_elsewhere(),
        "room": {"id": "r", "more": nested(5_000)},
        "recordDigest": "0" * 64,
    },
    "numbers that are none": {**record_made_elsewhere(), "publicInputs": [[float("nan")]]},
    "a number of thousands of digits": {**record_made_elsewhere(), "publicInputs": [[10**5000]]},
    "members that are no texts": {1: 2, "format": "mymozhem-draw-1", None: 3},
    "half a character": {**record_made_elsewhere(), "room": "\ud800"},
    "a member of half a character": {**record_made_elsewhere(), "\ud800\x1b[2J": 1},
    "an object": object(),
    "bytes": b"{}",
    "a mapping that bites": Biting(record_made_elsewhere()),
}
ACCEPTABLE = {"a deep room"}


@pytest.mark.parametrize("name", list(HOSTILE))
def test_verifying_never_raises(name):
    found = verify(HOSTILE[name])
    assert found.ok is (name in ACCEPTABLE)
    assert found.checks
    assert all(check.sentence.isprintable() for check in found.checks)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(record_made_elsewhere())), json_values)
def test_any_member_may_hold_anything(member, value):
    verify({**record_made_elsewhere(), member: value})
    assert not verify({**record_made_elsewhere(), member: value, "recordDigest": "0" * 64}).ok


# ---- from a file -----------------------------------------------------------------------------


def test_a_record_is_read_from_a_file_and_verified(tmp_path):
    path = tmp_path / "record.json"
    path.write_text(json.dumps(record_made_elsewhere()))
    assert verify(read_record(path)).ok
    assert verify(read_record(str(path))).ok


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="broken"),
        pytest.param(b'{"a": 1, "a": 1}', id="a member twice"),
        pytest.param(b'{"a": [{"b": 1, "b": 2}]}', id="a member twice further down"),
        pytest.param(b'{"a": NaN}', id="NaN"),
        pytest.param(b'{"a": -Infinity}', id="infinity"),
        pytest.param(b"[" * 200_000, id="deep"),
        pytest.param(b'{"a": ' + b"9" * 5_000 + b"}", id="huge number"),
        pytest.param(b'{"a": "\xff"}', id="not UTF-8"),
        pytest.param('{"a": 1}'.encode("utf-16"), id="UTF-16"),
    ],
)
def test_a_file_that_could_be_read_in_two_ways_is_refused(tmp_path, content):
    path = tmp_path / "record.json"
    path.write_bytes(content)
    with pytest.raises(UnreadableRecord, match=r"record\.json"):
        read_record(path)


@pytest.mark.parametrize("name", ["missing.json", ".", "nul\0byte"])
def test_a_file_that_is_none_is_refused(tmp_path, name):
    with pytest.raises(UnreadableRecord):
        read_record(tmp_path / name)


def test_a_file_larger_than_any_record_is_refused_unparsed(tmp_path):
    path = tmp_path / "record.json"
    with path.open("wb") as file:
        file.truncate(512 * 2**20 + 1)
    with pytest.raises(UnreadableRecord, match="more than 536870912 bytes"):
        read_record(path)
