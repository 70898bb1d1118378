"""`manifest validate` tells people and programs what is wrong, and touches nothing but the file."""

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

#: prints one line per thing opened or dialled while a file is validated, and then the exit status
WATCHED = """
import sys
from mymozhem.cli.manifest import manifest_group

def run(*args):
    try:
        manifest_group.main(args, standalone_mode=True)
    except SystemExit as ended:
        return ended.code

good, hostile, form = sys.argv[1:]
run("validate", good, "--format", form)
run("validate", "/dev/null", "--format", form)
seen = []
sys.addaudithook(
    lambda event, args: seen.append((event, args[:1]))
    if event.split(".")[0] in {"open", "socket", "subprocess", "os", "urllib", "ctypes"}
    else None
)
status = run("validate", hostile, "--format", form)
told = list(seen)
print(*told, sep="\\n", file=sys.stderr)
print(status, file=sys.stderr)
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
@pytest.mark.parametrize(("name", "data"), HOSTILE.items(), ids=HOSTILE)
def test_validation_opens_no_socket_and_no_other_file(tmp_path, name, data, form):
    file = tmp_path / name
    file.write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, str(GOOD), str(file), form],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    *seen, status = done.stderr.splitlines()
    assert status == "1"
    assert seen == [str(("open", (str(file),)))]
