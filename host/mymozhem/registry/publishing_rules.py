"""The rules for the next version of an app: it is greater, and its bump fits the changes.

Versions are ordered within a release line. A pre-release opens a line of its own beside the stable
versions: after 1.1.0-beta.2, a 1.0.1 can still be published, and a 1.1.0-beta.1 cannot.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache, partial

from mymozhem.concurrency.costly_pool import CostlyPool
from mymozhem.contract.versions import as_version
from mymozhem.errors import Conflict
from mymozhem.manifests.model import Manifest
from mymozhem.manifests.referee import Bump, Change, Consenter, Diff, as_json, compare

#: reasons in the message; all of them are in its details
MOST_NAMED = 3
#: the size of the cache; an entry may have some megabytes
MOST_KEPT = 4


class VersionNotGreater(Conflict):
    """A greater version was published already; give the manifest one above it."""

    default_code = "VERSION_NOT_GREATER"


class BumpTooSmall(Conflict):
    """The version bump is too small; `details.changes` says which change needs which bump."""

    default_code = "BUMP_TOO_SMALL"


class ConsentRequired(Conflict):
    """Consent is missing; `details.consents` says who must consent, and to what."""

    default_code = "CONSENT_REQUIRED"


async def judged(
    app_id: str,
    before: Iterable[Manifest],
    manifest: Manifest,
    *,
    consent: bool,
    pool: CostlyPool | None = None,
) -> Diff | None:
    """Run `judge` in a thread, since it takes a second for large manifests; that of a pool, if any.

    The result is cached: call it once before a transaction.
    """
    work = partial(judge, app_id, before, manifest, consent=consent)
    return await (asyncio.to_thread(work) if pool is None else pool.run(work))


def judge(
    app_id: str, before: Iterable[Manifest], manifest: Manifest, *, consent: bool
) -> Diff | None:
    """Return the changes of a new version against the one before it; None for the first.

    It is compared with the newest stable version, and with the newest pre-release of its own line.

    `consent` says whether an operator has consented to what only operators may allow. Raises
    `VersionNotGreater`, `BumpTooSmall` with every change, `ConsentRequired`.
    """
    earlier = tuple(before)
    diff = None
    for predecessor in _predecessors(earlier, manifest):
        _require_greater(app_id, predecessor, manifest)
        diff = _accepted(app_id, predecessor, manifest, consent=consent)
    return diff


def is_later_stage(current: str, version: str) -> bool:
    """Return whether a version is a pre-release and the current one is stable: it waits."""
    return as_version(version).prerelease is not None and as_version(current).prerelease is None


def _predecessors(before: tuple[Manifest, ...], manifest: Manifest) -> tuple[Manifest, ...]:
    """Return what a version is compared with: the newest stable one, then that of its own line.

    If there is neither, it is the newest version below it; none for the first version of all.
    """
    wanted = as_version(manifest.version)
    ordered = sorted(before, key=lambda each: as_version(each.version))
    stable = [each for each in ordered if as_version(each.version).prerelease is None]
    line = [
        each
        for each in ordered
        if as_version(each.version).prerelease is not None
        and as_version(each.version).to_tuple()[:3] == wanted.to_tuple()[:3]
    ]
    below = [each for each in ordered if as_version(each.version) < wanted]
    return (*stable[-1:], *line[-1:]) or tuple(below[-1:])


def _require_greater(app_id: str, before: Manifest, manifest: Manifest) -> None:
    if as_version(manifest.version) <= as_version(before.version):
        raise VersionNotGreater(
            f"{app_id} {before.version} was published already; give the manifest a version above "
            "it.",
            details={"appId": app_id, "version": manifest.version, "newest": before.version},
        )


def _accepted(app_id: str, before: Manifest, manifest: Manifest, *, consent: bool) -> Diff:
    diff = _compared(_Pair(before, manifest))
    if not diff.sufficient:
        raise _too_small(app_id, diff)
    needed = [each for each in diff.consents if each.consent is Consenter.OPERATOR]
    if needed and not consent:
        raise ConsentRequired(
            f"An operator of the platform has to agree to {app_id} {manifest.version}: "
            f"{_reasons(needed)}",
            details={"appId": app_id, "consents": [_consent(each) for each in needed]},
        )
    return diff


@dataclass(frozen=True, eq=False)
class _Pair:
    """Two manifests, identified by their digests."""

    before: Manifest
    after: Manifest

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Pair) and self._digests() == other._digests()

    def __hash__(self) -> int:
        return hash(self._digests())

    def _digests(self) -> tuple[str, str]:
        return self.before.digest, self.after.digest


@lru_cache(maxsize=MOST_KEPT)
def _compared(pair: _Pair) -> Diff:
    return compare(pair.before, pair.after)


def _too_small(app_id: str, diff: Diff) -> BumpTooSmall:
    weighty = [each for each in diff.changes if each.bump is diff.required]
    declared = diff.declared or Bump.NONE
    return BumpTooSmall(
        f"{app_id} {diff.new_version} declares a {declared} change after {diff.old_version}, and a "
        f"{diff.required} one is needed: {_reasons(weighty)}",
        details={"appId": app_id, **as_json(diff)},
    )


def _reasons(changes: list[Change]) -> str:
    named = "; ".join(each.message for each in changes[:MOST_NAMED])
    left = len(changes) - MOST_NAMED
    return f"{named}; and {left} more." if left > 0 else f"{named}."


def _consent(change: Change) -> dict[str, object]:
    return {"pointer": change.pointer, "code": change.code, "message": change.message}
