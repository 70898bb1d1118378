"""Every hook and every effect has a page, which says all that there is to say about it.

That the examples on these pages run is tested in `tests/test_docs.py`.
"""

import re
from pathlib import Path

import pytest

from mymozhem.contract import HOOKS, Change, ChangeKind
from mymozhem.rooms.effects import _ACTS
from tests.docs import change_table
from tests.docs.blocks import prose
from tests.docs.contract_page import TITLE
from tests.docs.contract_shapes import EFFECTS, effect_name, schemas, shape_names
from tests.docs.error_codes import codes
from tests.docs.field_meanings import MEANINGS
from tests.docs.limits import EFFECT_LIMITS, HOOK_LIMITS
from tests.docs.run_examples import examples
from tests.docs.write import REFERENCE, ROOT

HOOK_NAMES = [hook.name for hook in HOOKS]
EFFECT_NAMES = [effect_name(effect) for effect in EFFECTS]
PAGES = [
    *(REFERENCE / "hooks" / f"{name}.md" for name in HOOK_NAMES),
    *(REFERENCE / "effects" / f"{name}.md" for name in EFFECT_NAMES),
]
HOOK_SECTIONS = [
    "When it is called", "Signature", "Request", "Result", "Example", "If the app fails",
    "Pitfalls", "Limits",
]  # fmt: skip
EFFECT_SECTIONS = [
    "Fields", "What happens", "Example", "When it is refused", "Pitfalls", "Limits",
]  # fmt: skip
#: codes of failures of an app that a caller of it names itself
OF_ANSWERS = {
    "ENTRY_TWICE", "NOT_AN_ENTRY", "NOT_A_CANDIDATE", "NO_ENTRIES",
    "TICKETS_UNREADABLE", "TOO_FEW_PICKS",
    "TOO_MANY_PICKS",
}  # fmt: skip


def named(path: Path) -> str:
    return path.stem


def sections(page: Path) -> list[str]:
    return re.findall(r"^## (.+)$", prose(page), re.MULTILINE)


def test_there_is_a_page_for_each_hook_and_each_effect_and_no_other():
    there = {path for folder in ("hooks", "effects") for path in (REFERENCE / folder).glob("*.md")}
    assert there == {
        *PAGES,
        REFERENCE / "hooks" / "README.md",
        REFERENCE / "effects" / "README.md",
    }


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_a_page_has_every_section_in_its_order(page):
    wanted = HOOK_SECTIONS if page.parent.name == "hooks" else EFFECT_SECTIONS
    assert [each for each in sections(page) if each in wanted] == wanted
    assert page.read_text().startswith(f"# `{page.stem}`\n")


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_a_page_has_an_example_that_uses_what_it_is_about(page):
    text = "".join(block.text for block in examples(page))
    effect = dict(zip(EFFECT_NAMES, EFFECTS, strict=True)).get(page.stem)
    name = effect.__name__ if effect else f"def {page.stem}("
    shown = text.partition("def app_manifest")[2]
    assert name in shown
    assert "assert " in shown


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_a_page_names_no_code_that_there_is_not(page):
    known = {each.code for each in codes()} | OF_ANSWERS | {"DRAFT", "ACTIVE", "COMPLETED"}
    found = set(re.findall(r"`(?:\d{3} )?([A-Z]+(?:_[A-Z]+)+)`", prose(page)))
    assert found <= known


def test_the_codes_of_answers_are_in_the_code():
    source = "".join(path.read_text() for path in (ROOT / "host/mymozhem/rooms").rglob("*.py"))
    assert [code for code in sorted(OF_ANSWERS) if f'"{code}"' not in source] == []


def test_every_field_has_a_meaning_and_every_meaning_a_field():
    fields = {
        name: set(schemas()[name]["properties"]) - {"effect"} for name in sorted(shape_names())
    }
    assert {name: set(meanings) for name, meanings in MEANINGS.items()} == fields


def test_every_hook_and_every_effect_has_limits():
    assert list(HOOK_LIMITS) == HOOK_NAMES
    assert set(EFFECT_LIMITS) == set(EFFECT_NAMES)


def test_the_host_calls_every_hook_and_applies_every_effect():
    source = "".join(
        path.read_text()
        for folder in ("rooms", "wiring")
        for path in (ROOT / "host" / "mymozhem" / folder).rglob("*.py")
    )
    assert [name for name in HOOK_NAMES if not re.search(rf"\b{name.upper()}\b", source)] == []
    assert {effect_name(effect) for effect in _ACTS} | {"reply"} == set(EFFECT_NAMES)


def test_every_field_of_a_change_belongs_to_some_kind():
    made = change_table.changes()
    fields = {name for each in made for name in each.always | each.sometimes}
    fields |= {name for names in change_table.COMPLETED.values() for name in names}
    properties = set(schemas()[Change.__name__]["properties"])
    assert fields == properties - {"kind", "what"}
    assert {each.kind for each in made} == set(ChangeKind) - {ChangeKind.CONTINUED}


def test_the_page_about_the_contract_names_its_version():
    assert (REFERENCE / "contract.md").read_text().startswith(TITLE + "\n")
