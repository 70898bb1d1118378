"""Text files are read as editors store them."""

from io import BytesIO

import pytest

from mymozhem.contract import read_manifest
from mymozhem.contract.byte_order_marks import as_text, as_utf_8, text_of
from mymozhem.contract.fair.record_file import read_record
from mymozhem.devtools.app_source import find_source
from mymozhem.devtools.dev_script import read_script

TEXT = '{\n  "name": "Ċafé \U0001f389"\n}\n'
STORED = {name: TEXT.encode(name) for name in ("utf-8", "utf-8-sig", "utf-16", "utf-32")} | {
    "utf-16-be": b"\xfe\xff" + TEXT.encode("utf-16-be"),
    "utf-32-be": b"\x00\x00\xfe\xff" + TEXT.encode("utf-32-be"),
}


@pytest.mark.parametrize("content", STORED.values(), ids=STORED)
def test_the_mark_says_the_encoding_and_is_no_part_of_the_text(content):
    assert text_of(content) == TEXT
    assert as_utf_8(content) == TEXT.encode()
    with as_text(BytesIO(content)) as text:
        assert list(text) == TEXT.splitlines(keepends=True)


@pytest.mark.parametrize("content", [b"", b"\xff", b"\xff\xfex", b"\xef\xbb\xbf\xff"])
def test_what_is_no_text_is_left_to_the_parser(content):
    assert as_utf_8(content) == content


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_files_of_authors_are_read_as_editors_store_them(tmp_path, monkeypatch, encoding):
    package = tmp_path / "src" / "stored_app"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "manifest.json").write_bytes('{"id": "stored"}'.encode(encoding))
    monkeypatch.syspath_prepend(str(package.parent))
    assert read_manifest("stored_app") == {"id": "stored"}

    points = '[project.entry-points."mymozhem.apps"]\nstored = "stored_app"\n'
    (tmp_path / "pyproject.toml").write_bytes(points.encode(encoding))
    assert find_source(str(tmp_path)).app_id == "stored"

    script = tmp_path / "evening.json"
    script.write_bytes('[{"action": "ask"}]'.encode(encoding))
    assert [step.action for step in read_script(script)] == ["ask"]


def test_a_record_may_begin_with_the_mark_of_utf_8(tmp_path):
    path = tmp_path / "record.json"
    path.write_bytes('{"a": 1}'.encode("utf-8-sig"))
    assert read_record(path) == {"a": 1}
