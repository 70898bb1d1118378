"""Whether the manifest is right, and the app does what it declares."""

from collections.abc import Iterator

from mymozhem.contract import HOOKS
from mymozhem.testing.conformance_run import ConformanceRun, NothingToTry


def manifest_is_valid(trial: ConformanceRun) -> Iterator[str]:
    """The manifest is valid."""
    for problem in trial.app.report.problems:
        yield problem.sentence


def capabilities_are_implemented(trial: ConformanceRun) -> Iterator[str]:
    """Every capability of the manifest has its hook."""
    app = trial.app
    if app.report.manifest is None:
        raise NothingToTry("the manifest is not valid")
    for capability, hooks in sorted(app.needed_hooks().items()):
        if hooks and hooks[0] not in app.functions:
            yield (
                f"The manifest declares {capability!r} and the app has no {hooks[0]}; write "
                f"it with @hookimpl, or take {capability!r} out of `capabilities`."
            )


def hooks_are_declared(trial: ConformanceRun) -> Iterator[str]:
    """Every hook of the app belongs to a capability of the manifest."""
    app = trial.app
    if app.report.manifest is None:
        raise NothingToTry("the manifest is not valid")
    for hook in HOOKS:
        if hook.name in app.functions and hook.capability not in app.manifest.capabilities:
            yield (
                f"The app has {hook.name}, which is never asked: put {hook.capability!r} into "
                f"the manifest's `capabilities`."
            )


def everything_has_a_title(trial: ConformanceRun) -> Iterator[str]:
    """Every setting, action and event has a title or a description; strict trials alone fail."""
    manifest = trial.valid.manifest
    for name, action in manifest.actions.items():
        if not (action.title or action.description):
            yield f"/actions/{name} has no title: people see its name on a button."
    for name, event in manifest.events.items():
        if not (event.title or event.description):
            yield f"/events/{name} has no title: the log shows its type."
    for part, schema in (("settings", manifest.settings), ("registration", manifest.registration)):
        properties = (schema or {}).get("properties")
        for name, found in properties.items() if isinstance(properties, dict) else ():
            if isinstance(found, dict) and not (found.get("title") or found.get("description")):
                yield f"/{part}/properties/{name} has no title: the form shows its name."


def keywords_are_known(trial: ConformanceRun) -> Iterator[str]:
    """Every keyword of the schemas is one of JSON Schema; strict trials alone fail."""
    for remark in trial.app.report.remarks:
        yield remark.sentence


REMARKS = (everything_has_a_title, keywords_are_known)
CHECKS = (
    manifest_is_valid,
    keywords_are_known,
    capabilities_are_implemented,
    hooks_are_declared,
    everything_has_a_title,
)
