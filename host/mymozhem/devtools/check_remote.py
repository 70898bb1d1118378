"""Checks an app that runs as a web service, in any language: its manifest, hooks and signatures."""

from collections.abc import Iterator
from functools import cached_property

from mymozhem.testing.checks import rooms
from mymozhem.testing.conformance_kit import findings
from mymozhem.testing.conformance_run import ConformanceRun, NothingToTry, TransportRun, run_apart
from mymozhem.testing.protocol_probes import Exchanges, exchange_at

from .check_docs import look_at_texts
from .check_process import evidence_of, held
from .remote_plugin import RemoteApp, remote_plugin
from .report import Finding, Level, Report


class RemoteRun(ConformanceRun):
    """A service on trial: every call goes to its address."""

    def __init__(self, remote: RemoteApp) -> None:
        super().__init__(remote_plugin(remote))
        self._remote = remote

    @cached_property
    def served(self) -> TransportRun:
        """The run of the app, which is a web service already."""
        return self.inside

    @cached_property
    def exchanges(self) -> Exchanges:
        """The responses of the service to invalid and repeated messages."""
        if not self.questions:
            raise NothingToTry("there is no question that the app could be asked")
        question = self.calm_question()
        webhook = self._remote.manifest().webhook(question.hook.capability)
        url = self._remote.url.rstrip("/") + (webhook.path if webhook is not None else "")
        return run_apart(exchange_at(self.valid, url, self._remote.secret, question))


def check_remote(remote: RemoteApp, *, strict: bool = False) -> Report:
    """Return the report on a running service.

    No faults are injected into it, and its own tests and documents are not looked at.
    """
    manifest = remote.manifest()
    trial = RemoteRun(remote)
    name = f"{manifest.meta.name} {manifest.version} is valid, digest {manifest.digest[:12]}…"
    found = [Finding("manifest", Level.OK, name), *_of_kit(trial)]
    found += look_at_texts(manifest.document)
    return Report(str(manifest.id), tuple(found), strict, evidence_of(trial))


def _of_kit(trial: RemoteRun) -> Iterator[Finding]:
    for each in findings(trial, leave_out=rooms.CHECKS):
        yield held(each)
