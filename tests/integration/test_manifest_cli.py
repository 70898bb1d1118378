"""`manifest validate` and `diff` tell people and programs what is so, and touch only the files."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from mymozhem.cli.manifest import manifest_group
from mymozhem.resources import resource_root

EXAMPLES = Path(str(resource_root())) / "v1" / "examples"
GOOD = EXAMPLES / "valid" / "everything.json"

HOSTILE = {
    "deep.json": b"[" * 100_000,
    "large.json": b" " * 10_000_000,
    "twice.json": b'{"a": 1, "a": 2}',
    "nan.json": b'{"a": NaN}',
    "id.json": b'{"id": "../../../etc/passwd"}',
    "remote.json": b'{"settings": {"$ref": "http://127.0.0.1:9/x"}}',
    "file.json": b'{"settings": {"$ref": "file:///etc/passwd"}}',
    "circular.json": b'{"settings": {"$ref": "#"}}',
    "pattern.json": b'{"settings": {"pattern": "^(a+)+$", "default": "' + b"a" * 200 + b'!"}}',
    "crowd.json": json.dumps({"needs": {f"x{n}": [] for n in range(20_000)}}).encode(),
}

#: prints what is opened or dialled while each file is validated, and the exit status, by file name
WATCHED = """
import json
import sys
from pathlib import Path
from mymozhem.cli.manifest import manifest_group

def run(*args):
    try:
        manifest_group.main(args, standalone_mode=True)
    except SystemExit as ended:
        return ended.code

form, good, *hostile = sys.argv[1:]
run("validate", good, "--format", form)
run("validate", "/dev/null", "--format", form)
seen = []
sys.addaudithook(
    lambda event, args: seen.append((event, str(args[:1])))
    if event.split(".")[0] in {"open", "socket", "subprocess", "os", "urllib", "ctypes"}
    else None
)
found = {}
for file in hostile:
    seen.clear()
    status = run("validate", file, "--format", form)
    found[Path(file).name] = [status, *seen]
print(json.dumps(found), file=sys.stderr)
"""


def validate(*args):
    return CliRunner().invoke(manifest_group, ["validate", *map(str, args)])


def test_a_valid_manifest_is_named_with_its_digest():
    result = validate(GOOD)
    assert result.exit_code == 0
    assert "Raffle 1.2.0 is valid" in result.output
    assert "digest" in result.output


def test_people_read_place_code_sentence_and_hint():
    result = validate(EXAMPLES / "invalid" / "needs.json")
    assert result.exit_code == 1
    for part in (
        "/needs/action:go",
        "NEED_UNKNOWN",
        "there is no action",
        "name one of",
        "3 problems",
    ):
        assert part in result.output


def test_programs_read_json():
    good = json.loads(validate(GOOD, "--format", "json").output)
    assert (good["valid"], good["id"], good["version"], good["problems"]) == (
        True, "raffle", "1.2.0", [],
    )  # fmt: skip
    bad = validate(EXAMPLES / "invalid" / "version.json", "--format", "json")
    assert bad.exit_code == 1
    [problem] = json.loads(bad.output)["problems"]
    assert set(problem) == {"pointer", "code", "message", "hint"}


def test_the_id_of_the_registration_is_given_beside_the_file():
    assert validate(GOOD, "--as", "raffle").exit_code == 0
    result = validate(GOOD, "--as", "tombola")
    assert result.exit_code == 1
    assert "ID_MISMATCH" in result.output


def test_a_file_that_is_not_there_is_a_mistake_of_the_caller():
    assert validate("nowhere.json").exit_code == 2


def test_what_a_manifest_says_is_never_read_as_markup(tmp_path):
    file = tmp_path / "m.json"
    file.write_text('{"[red]x[/red]": 1, "meta": {}, "permissions": []}', encoding="utf-8")
    assert "[red]x[~1red]" in validate(file).output


@pytest.mark.parametrize("form", ["text", "json"])
def test_validation_opens_no_socket_and_no_other_file(tmp_path, form):
    files = [tmp_path / name for name in HOSTILE]
    for file in files:
        file.write_bytes(HOSTILE[file.name])
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, form, str(GOOD), *map(str, files)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = json.loads(done.stderr)
    assert found == {file.name: [1, ["open", str((str(file),))]] for file in files}


# ---------------------------------------------------------------------------------------- diff


@pytest.fixture
def released(tmp_path):
    """A released manifest, and a function that writes its next version with some parts replaced."""
    document = json.loads(GOOD.read_text(encoding="utf-8"))

    def following(version, **parts):
        file = tmp_path / f"next-{version}.json"
        meta = {**document["meta"], "version": version}
        content = {**document, **parts, "serves": ">=1.1", "meta": meta}
        file.write_text(json.dumps(content), encoding="utf-8")
        return file

    return following("1.2.0"), following


def diff(*args):
    return CliRunner().invoke(manifest_group, ["diff", *map(str, args)])


def test_a_version_that_moves_far_enough_ends_well(released):
    old, following = released
    result = diff(old, following("1.3.0", changes=["status"]))
    assert result.exit_code == 0
    assert "1.2.0 → 1.3.0: 1 change, required: minor, declared: minor" in result.output
    assert "the version moves far enough" in result.output


def test_a_version_that_moves_too_little_is_told_every_change_and_the_one_to_take(released):
    old, following = released
    permissions = ["rooms:read", "participants:read", "rooms:write"]
    new = following("1.2.1", permissions=permissions, registration={"type": "object"})
    result = diff(old, new)
    assert result.exit_code == 1
    for part in (
        "major  /registration/properties/table  FIELD_REMOVED",
        "minor  /permissions/2  PERMISSION_ADDED",
        "The app's token may do rooms:write",
        "needs the consent of the operator",
        "required: major, declared: patch",
        "take 2.0.0",
    ):
        assert part in result.output


def test_a_change_whose_effect_nobody_knows_says_so(released):
    old, following = released
    table = {"type": "string", "maxLength": 20, "pattern": "^[A-Z]$", "title": "Table"}
    schema = {
        "type": "object", "additionalProperties": False, "required": ["table"],
        "properties": {"table": table},
    }  # fmt: skip
    result = diff(old, following("1.3.0", registration=schema))
    assert result.exit_code == 1
    assert "KEYWORD_UNKNOWN" in result.output
    assert "major, because the effect is not known" in result.output


def test_a_version_that_is_not_greater_does_not_suffice(released):
    old, following = released
    result = diff(old, following("1.1.9", changes=["status"]))
    assert result.exit_code == 1
    assert "1.1.9 is not greater than 1.2.0; take 1.3.0" in result.output


def test_a_file_and_itself_differ_in_nothing(released):
    old, following = released
    assert diff(old, old).exit_code == 0
    assert "nothing has changed" in diff(old, old).output
    assert "nothing has changed but the version" in diff(old, following("1.2.1")).output


def test_programs_read_what_has_changed_as_json(released):
    old, following = released
    result = diff(old, following("1.2.1", changes=["status"]), "--format", "json")
    assert result.exit_code == 1
    found = json.loads(result.output)
    [told] = found.pop("changes")
    assert found == {
        "oldVersion": "1.2.0", "newVersion": "1.2.1", "required": "minor", "declared": "patch",
        "sufficient": False,
    }  # fmt: skip
    assert (told["code"], told["class"], told["known"]) == ("TOLD_CHANGED", "minor", True)


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_is_no_manifest_is_not_compared(form):
    bad = EXAMPLES / "invalid" / "needs.json"
    for files in ((GOOD, bad), (bad, GOOD)):
        result = diff(*files, "--format", form)
        assert result.exit_code == 2
        assert "NEED_UNKNOWN" in result.output
    told = json.loads(diff(GOOD, bad, "--format", "json").output)
    assert (told["old"]["valid"], told["new"]["valid"]) == (True, False)


def test_a_file_that_is_not_there_cannot_be_compared():
    assert diff(GOOD, "nowhere.json").exit_code == 2


def test_what_two_manifests_say_is_never_read_as_markup(released):
    old, following = released
    schema = json.loads(GOOD.read_text(encoding="utf-8"))["registration"]
    schema["properties"]["note"] = {"type": "string", "title": "[red]x[/red]"}
    result = diff(old, following("1.3.0", registration=schema))
    assert "Questions on joining, “[red]x[/red]” is new" in result.output


def test_remarks_about_a_valid_manifest_are_listed(tmp_path):
    document = json.loads(GOOD.read_text())
    document["settings"]["minimun"] = 1
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps(document))
    result = validate(file)
    assert result.exit_code == 0
    assert "/settings/minimun  KEYWORD_UNKNOWN" in result.output
    assert "write minimum" in result.output
    found = json.loads(validate(file, "--format", "json").stdout)
    assert (found["valid"], [each["hint"] for each in found["remarks"]]) == (
        True,
        ["write minimum"],
    )


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_manifest_is_read_as_an_editor_stored_it(tmp_path, encoding):
    stored = tmp_path / "manifest.json"
    stored.write_bytes(GOOD.read_text(encoding="utf-8").encode(encoding))
    for words in (["validate", str(stored)], ["diff", str(GOOD), str(stored)]):
        done = CliRunner().invoke(manifest_group, words)
        assert done.exit_code == 0, done.output
