"""Whether the app keeps to every version of the contract that its manifest declares."""

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from mymozhem.contract.codec import NoAnswer, decode, encode
from mymozhem.contract.effects import LATER_EFFECTS
from mymozhem.contract.versions import as_version
from mymozhem.dispatch.older_contracts import later_fields
from mymozhem.testing.conformance_run import ConformanceRun, NothingToTry
from mymozhem.testing.recording_app import RecordedCall

MOST = 10


def older_versions_are_spoken(trial: ConformanceRun) -> Iterator[str]:
    """In every older version of the contract that the manifest declares, the app answers."""
    if trial.older_version is None:
        raise NothingToTry("the manifest declares one version of the contract that the host speaks")
    found = (
        f"In version {trial.older_version} of the contract: {asked.question.what}: {asked.message} "
        f"{_advice(trial)}"
        for asked in trial.older
        if asked.failure is not None
    )
    yield from list(dict.fromkeys(found))[:MOST]


def answers_fit_the_declared_versions(trial: ConformanceRun) -> Iterator[str]:
    """Every version of the contract that the manifest declares has what the app answers."""
    version = trial.older_version
    if version is None:
        raise NothingToTry("the manifest declares one version of the contract that the host speaks")
    found = (
        f"{noted.hook.name} answers with {what}, which version {version} of the contract does not "
        f"have. {_advice(trial)}"
        for noted in trial.inside.noted
        for what in _later_in(noted, version)
    )
    yield from list(dict.fromkeys(found))[:MOST]


CHECKS = (older_versions_are_spoken, answers_fit_the_declared_versions)
#: a host that speaks the newest version takes such answers
REMARKS = (answers_fit_the_declared_versions,)


def _advice(trial: ConformanceRun) -> str:
    newest = trial.valid.manifest.speaks
    return f'If the app needs {newest}, declare "contract": ">={newest} <2.0".'


def _later_in(noted: RecordedCall, version: str) -> Iterator[str]:
    """Yield the effects and fields of a result that came after a version of the contract."""
    try:
        said = decode(noted.hook, encode(noted.hook, noted.answer))
    except NoAnswer:
        return
    yield from _later(said, version)


def _later(value: object, version: str) -> Iterator[str]:
    if isinstance(value, BaseModel):
        yield from _later_of_model(value, version)
    elif isinstance(value, tuple | list):
        for each in value:
            yield from _later(each, version)
    elif isinstance(value, Mapping):
        return


def _later_of_model(model: BaseModel, version: str) -> Iterator[str]:
    kind = type(model)
    name = str(getattr(model, "effect", kind.__name__))
    since = LATER_EFFECTS.get(kind)
    if since is not None and as_version(since) > as_version(version):
        yield f"the effect {name}"
        return
    later = later_fields(kind, version)
    for field in later:
        if getattr(model, field) != kind.model_fields[field].get_default():
            yield f"{field} of {name}"
    for field in kind.model_fields:
        if field not in later:
            yield from _later(getattr(model, field), version)
