"""The body for apps that write it again before they verify it: as JavaScript writes it."""

import json
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mymozhem.dispatch.transports.webhook.js_json import as_javascript
from tests.support.node_app import needs_node
from tests.support.timing import HANG_TIMEOUT

#: what JSON.stringify(JSON.parse(text)) returns, by ECMA-262
WRITTEN = {
    '{"b":1,"a":[true,false,null,"x"]}': '{"b":1,"a":[true,false,null,"x"]}',
    '{"b":1,"10":2,"9":3,"a":4,"0":5}': '{"0":5,"9":3,"10":2,"b":1,"a":4}',
    '{"01":1,"-1":2,"1.5":3,"4294967295":4,"7":5}': '{"7":5,"01":1,"-1":2,"1.5":3,"4294967295":4}',
    "[1.0,-0.0,1e21,1e20,0.000001,1e-7,1.5e300]": "[1,0,1e+21,100000000000000000000,0.000001,"
    "1e-7,1.5e+300]",
    "[9007199254740993,12345678901234567890]": "[9007199254740992,12345678901234567000]",
    '{"t":"20:00:00.5, 1.0","q":"a\\"5\\":","e":"й\\u0001\\n/\\u2028"}': '{"t":"20:00:00.5, 1.0",'
    '"q":"a\\"5\\":","e":"й\\u0001\\n/\u2028"}',
}


def compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@pytest.mark.parametrize(("given", "written"), WRITTEN.items())
def test_numbers_and_keys_are_written_as_in_javascript(given, written):
    text = given.replace("\\u2028", "\u2028")
    assert as_javascript(text.encode()).decode() == written


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.from_regex(r"[0-9a-c]{0,3}", fullmatch=True), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(VALUES)
def test_writing_it_again_changes_nothing(value):
    once = as_javascript(compact({"v": value}).encode())
    assert as_javascript(once) == once


@needs_node
@settings(max_examples=5, deadline=None)
@given(st.lists(VALUES, min_size=20, max_size=40))
def test_node_writes_the_same(values):
    texts = [compact({"v": value}) for value in values]
    script = (
        "let all='';process.stdin.on('data',d=>all+=d).on('end',()=>process.stdout.write("
        "JSON.stringify(JSON.parse(all).map(t=>JSON.stringify(JSON.parse(t))))))"
    )
    node = shutil.which("node") or "node"
    done = subprocess.run(
        [node, "-e", script],
        input=json.dumps(texts).encode(),
        capture_output=True,
        check=True,
        timeout=HANG_TIMEOUT,
    )
    assert [as_javascript(text.encode()).decode() for text in texts] == json.loads(done.stdout)
