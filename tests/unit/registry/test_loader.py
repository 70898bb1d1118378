"""Plugins written as modules on disk, found and loaded as installed ones are."""

import sys
import threading
from importlib.metadata import EntryPoint

import pytest

from mymozhem.registry.discovery import GROUP, Discovered
from mymozhem.registry.loaded_code import AppCode, Refused
from mymozhem.registry.loader import load

GOOD = """
from mymozhem.contract import Effects, hookimpl

@hookimpl
def app_manifest():
    return {"meta": {"name": "Counter", "version": "1.2.0", "description": "Counts."},
            "permissions": [], "capabilities": ["actions"], "serves": ">=1,<2",
            "actions": {"bump": {"title": "Bump"}}}

@hookimpl
def handle_action(context, request):
    return []
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Write a module and return it as discovered."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(source: str, app_id: str = "counter", attribute: str = "") -> Discovered:
        name = f"plugin_{tmp_path.name.replace('-', '_')}"
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
        value = f"{name}:{attribute}" if attribute else name
        point = EntryPoint(app_id, value, GROUP)
        return Discovered(app_id, point, "some-counter", "1.2.0")

    return install


def test_a_good_plugin_is_loaded_alone_in_its_manager(install):
    code = load(install(GOOD))
    assert isinstance(code, AppCode)
    assert (code.app_id, code.distribution, code.manifest.version) == (
        "counter",
        "some-counter",
        "1.2.0",
    )
    assert len(code.plugin_manager.get_plugins()) == 1
    assert code.serves("1.0.0")
    assert not code.serves("2.0.0")


def test_an_object_is_an_app_too(install):
    source = GOOD.replace("\n@hookimpl\ndef ", "\n    @hookimpl\n    def ")
    source = source.replace("app_manifest()", "app_manifest(self)").replace(
        "handle_action(context", "handle_action(self, context"
    )
    head, _, body = source.partition("    @hookimpl")
    body = body.replace("    return", "        return")
    code = load(install(f"{head}class App:\n    @hookimpl{body}\napp = App()", attribute="app"))
    assert isinstance(code, AppCode)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise ValueError('not today')", "loading it raised ValueError: not today"),
        ("raise SystemExit(3)", "loading it raised SystemExit: 3"),
        ("raise KeyboardInterrupt", "loading it raised KeyboardInterrupt"),
        ("import no_such_module_anywhere", "ModuleNotFoundError"),
        ("def (", "SyntaxError"),
        ("", "does not implement app_manifest"),
        (GOOD.replace("handle_action", "handle_actoin"), "handle_actoin"),
        (GOOD.replace("context, request", "context, database"), "database"),
        (GOOD.replace('"1.2.0"', '"one"'), "manifest /meta/version"),
        (GOOD.replace('"permissions": [], ', ""), "manifest"),
        (GOOD.replace('{"meta"', '{"id": "other", "meta"'), "manifest /id"),
        (GOOD.replace('"1.2.0"', '"1.2"'), "(write"),
        (GOOD.replace("def app_manifest", "async def app_manifest"), "make it a plain function"),
        (GOOD.replace("    return {", "    return [1] or {"), "returned list"),
        (GOOD.replace("    return {", "    raise RuntimeError('no')\n    {"), "RuntimeError: no"),
        (GOOD.replace('["actions"]', '["actions", "timers"]'), "does not implement on_timer"),
        (
            GOOD.replace('["actions"]', '["winnerSelection"]'),
            "does not implement prepare_draw",
        ),
        (
            GOOD.replace("@hookimpl\ndef handle", "@hookimpl(wrapper=True)\ndef handle").replace(
                "return []", "return (yield)"
            ),
            "is a wrapper",
        ),
    ],
)
def test_a_plugin_that_cannot_run_is_refused_with_its_reason(install, source, reason):
    refused = load(install(source))
    assert isinstance(refused, Refused)
    assert reason in "; ".join(refused.reasons)


def test_a_class_is_refused(install):
    refused = load(install("class App:\n    pass", attribute="App"))
    assert refused.reasons == ("its entry point names a class; name a module or an object",)


def test_every_fault_of_a_manifest_is_a_reason(install):
    source = GOOD.replace('"1.2.0"', '"one"').replace('"actions"]', '"actions", "flying"]')
    assert len(load(install(source)).reasons) >= 2


def test_an_import_that_never_ends_is_left_behind(install):
    waiting = threading.Event()
    sys.modules["its_event"] = waiting
    try:
        refused = load(install("import its_event; its_event.wait()"), seconds=0.2)
    finally:
        del sys.modules["its_event"]
        waiting.set()
    assert refused.reasons == ("it was not imported within 0.2 seconds",)
